"""Names for what PyAV hands out, where its own annotations say less than is true."""

from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
from av import AudioFrame
from numpy.typing import NDArray

# Generic to the type checker only: ``av.Packet`` takes no parameter at run time.
if TYPE_CHECKING:
    AnyPacket: TypeAlias = av.Packet[av.stream.Stream]
else:
    AnyPacket = av.Packet


def float_samples(frame: AudioFrame) -> NDArray[np.float32]:
    """The samples of an ``fltp`` frame, shape (channels, samples)."""
    samples = frame.to_ndarray()
    if samples.dtype != np.float32:
        raise TypeError(f"expected float samples, got {samples.dtype}")
    return samples.astype(np.float32, copy=False)
