"""An output's edit as it is stored: the EDL, and beside it the same for other programs."""

from activities.output_keys import OutputKeys
from activities.uploads import upload_bytes
from director import export_otio
from schemas.edl import EDL
from stores import Bucket, ObjectStore


async def store_edit(objects: ObjectStore, keys: OutputKeys, edl: EDL) -> None:
    """Store it in place of what was there; the same edit is the same bytes."""
    await upload_bytes(objects, Bucket.OUTPUTS, keys.edl, edl.model_dump_json(indent=1).encode())
    otio = export_otio(edl, media_url=lambda source: source.name)
    await upload_bytes(objects, Bucket.OUTPUTS, keys.otio, otio.encode())
