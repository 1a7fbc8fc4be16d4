"""How much of a sound was cut off at the recorder's ceiling."""

from typing import Any

import av
import numpy as np

#: Samples this near to full scale, next to each other, are a flat top; a single one may be a peak that just fitted.
CEILING = 0.985


def clipped_samples(frame: av.AudioFrame) -> int:
    """How many samples of a frame, of all channels, are part of a flat top; the frame is as it was decoded."""
    samples = frame.to_ndarray()
    middle, full = _range_of(samples.dtype)
    high = (samples >= middle + CEILING * full) | (samples <= middle - CEILING * full)
    if not high.any():
        return 0
    channels = 1 if frame.format.is_planar else frame.layout.nb_channels
    return int((high[:, channels:] & high[:, :-channels]).sum())


def _range_of(kind: np.dtype[Any]) -> tuple[float, float]:
    """Silence and full scale of a sample format."""
    match kind.kind:
        case "u":
            return 128.0, 127.0
        case "i":
            return 0.0, float(2 ** (8 * kind.itemsize - 1) - 1)
        case _:
            return 0.0, 1.0
