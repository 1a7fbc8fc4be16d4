"""How much of a sound was cut off at the recorder's ceiling."""

from typing import Any

import av
import numpy as np

#: Samples this near to full scale, next to each other, are a flat top; a single one may be a peak that just fitted.
CEILING = 0.985


class ClippingMeter:
    """Fed with a stream's frames as they are decoded, before anything changes them."""

    def __init__(self) -> None:
        self._samples = 0
        self._clipped = 0

    def add(self, frame: av.AudioFrame) -> None:
        samples = frame.to_ndarray()
        self._samples += samples.size
        middle, full = _range_of(samples.dtype)
        high = (samples >= middle + CEILING * full) | (samples <= middle - CEILING * full)
        if high.any():
            channels = 1 if frame.format.is_planar else frame.layout.nb_channels
            self._clipped += int((high[:, channels:] & high[:, :-channels]).sum())

    @property
    def share(self) -> float:
        return self._clipped / max(1, self._samples)


def _range_of(kind: np.dtype[Any]) -> tuple[float, float]:
    """Silence and full scale of a sample format."""
    match kind.kind:
        case "u":
            return 128.0, 127.0
        case "i":
            return 0.0, float(2 ** (8 * kind.itemsize - 1) - 1)
        case _:
            return 0.0, 1.0
