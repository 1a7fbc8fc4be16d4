"""What of a machine's graphics processor was found to work, by using it."""

from collections.abc import Iterable
from typing import Self

from schemas.model import Model


class Hardware(Model):
    """FFmpeg's names: ``encoders`` that encoded, and codecs that ``decoders`` decoded; empty where there is no GPU."""

    encoders: tuple[str, ...] = ()
    decoders: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        return not self.encoders and not self.decoders

    def for_decoding(self) -> Self:
        """Without its encoders: what several machines encode in parts can be joined only if they encode alike."""
        return self.model_copy(update={"encoders": ()})


NO_HARDWARE = Hardware()


class RenderPath(Model):
    """What a picture went through: devices that decoded it ("cpu", "cuda"), and encoders by FFmpeg's names."""

    decoders: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()

    @classmethod
    def joined(cls, paths: Iterable["RenderPath"]) -> "RenderPath":
        """Everything that any of the parts went through."""
        found = tuple(paths)
        return cls(
            decoders=tuple(sorted({name for path in found for name in path.decoders})),
            encoders=tuple(sorted({name for path in found for name in path.encoders})),
        )


NO_DEVICES = RenderPath()
