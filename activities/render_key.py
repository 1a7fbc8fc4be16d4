"""What a render depends on, as one key: the same key always stands for the same file."""

import hashlib

from render import ENGINE_VERSION
from schemas.edl import EDL
from schemas.rendering import EncoderSettings


def render_key(edl: EDL, encoder: EncoderSettings) -> str:
    """SHA-256, in hex, of the edit (which names its sources by content), the encoder's settings and the engine.

    The title is left out: it is not in the picture.
    """
    edit = edl.model_dump_json(exclude={"title"})
    return hashlib.sha256("\n".join((ENGINE_VERSION, encoder.model_dump_json(), edit)).encode()).hexdigest()
