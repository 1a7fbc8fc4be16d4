"""The planes of an 8-bit yuv420p frame as NumPy arrays over FFmpeg's own memory."""

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


def planes(frame: VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Luma and the two chroma planes, rows by columns; writing to them writes to the frame."""
    luma, blue, red = (
        np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    )
    return luma, blue, red
