"""A still that represents a finished video."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray
from PIL import Image

_WIDTH = 640
_QUALITY = 88
#: Where to look, as shares of the duration: away from fades at the ends.
_CANDIDATES = (Fraction(1, 10), Fraction(1, 4), Fraction(2, 5), Fraction(11, 20), Fraction(3, 4))
#: Mean luma outside this range (of 255) is too dark or too bright to tell anything.
_DARKEST, _BRIGHTEST = 40, 215


def write_thumbnail(video: Path, target: Path) -> Path:
    """Write the sharpest well-exposed frame of a few across ``video`` as a JPEG, 640 pixels wide at most."""
    frame = max(_candidates(video), key=_appeal)
    width = min(_WIDTH, frame.width)
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    small = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA")
    buffer = BytesIO()
    Image.fromarray(small.to_ndarray()).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    target.write_bytes(buffer.getvalue())
    return target


def _candidates(video: Path) -> list[VideoFrame]:
    """The keyframe at or before each candidate time; at least the first frame."""
    frames: dict[int | None, VideoFrame] = {}
    with av.open(f"file:{video}") as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        for share in _CANDIDATES:
            container.seek(int(share * (stream.duration or 0)), stream=stream, backward=True)
            frame = next(container.decode(stream), None)
            if frame is not None:
                frames[frame.pts] = frame
    return list(frames.values())


def _appeal(frame: VideoFrame) -> float:
    """Sharpness (spread of the Laplacian of the luma), a tenth of it where the exposure is off."""
    height = max(2, round(frame.height * 320 / frame.width))
    grey = frame.reformat(width=320, height=height, format="gray", interpolation="AREA").to_ndarray()
    luma: NDArray[np.float32] = grey.astype(np.float32)
    laplacian = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    exposed = _DARKEST <= float(luma.mean()) <= _BRIGHTEST
    return float(laplacian.std()) * (1.0 if exposed else 0.1)
