"""A frame's luma and chroma as arrays, and smaller ones made of them."""

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

# Every picture that is looked at in this room is too small to be worth dividing: on many processors, threads that wait
# for their share of the next one take several times as long as the work itself.
cv2.setNumThreads(1)

#: What most files hold: eight bits, chroma at half the size both ways, video levels.
_FORMAT = "yuv420p"
#: A picture with a shorter side is scaled up by the scaler, which does so for any shape.
_MIN_SIDE = 32
#: Up to this factor linear interpolation too makes each pixel of the smaller plane of all that it covers.
_LINEAR_UP_TO = 2.0

Plane = NDArray[np.uint8]
#: Luma (rows, columns), and both chromas.
Planes = list[Plane]
#: BGR (rows, columns, 3).
Picture = NDArray[np.uint8]


class PlaneReader:
    """Reads the planes of frames, keeping the scaler between them."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def read(self, frame: av.VideoFrame, width: int, height: int) -> Planes:
        """As they are stored where that is in eight bits and video levels, which costs nothing; else at this size."""
        if frame.format.name != _FORMAT or min(frame.width, frame.height) < _MIN_SIDE:
            frame = self._reformatter.reformat(
                frame, width=width, height=height, format=_FORMAT, interpolation=Interpolation.AREA, threads=1
            )
        return [
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
            for plane in frame.planes
        ]


def shrunk(plane: Plane, width: int, height: int) -> Plane:
    """A plane at a smaller size: halved as often as that goes, which is cheapest, then scaled for the rest."""
    while plane.shape[0] >= 2 * height and plane.shape[1] >= 2 * width:
        rows, columns = plane.shape[0] // 2, plane.shape[1] // 2
        even = plane[: 2 * rows, : 2 * columns]
        plane = np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    if plane.shape == (height, width):
        return plane
    rest = max(plane.shape[0] / height, plane.shape[1] / width)
    interpolation = cv2.INTER_AREA if rest > _LINEAR_UP_TO else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (width, height), interpolation=interpolation), np.uint8)


def coloured(planes: Planes, width: int, height: int) -> Picture:
    """A small picture in colour; both sides even."""
    sizes = ((width, height), (width // 2, height // 2), (width // 2, height // 2))
    packed = np.concatenate([shrunk(plane, *size).ravel() for plane, size in zip(planes, sizes, strict=True)])
    return np.asarray(cv2.cvtColor(packed.reshape(-1, width), cv2.COLOR_YUV2BGR_I420), np.uint8)
