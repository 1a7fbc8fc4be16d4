"""Still pictures as JPEG files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_jpeg(picture: NDArray[np.uint8], target: Path, quality: int) -> None:
    """Write ``picture``, shape (rows, columns, 3) in the order blue, green, red."""
    written, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    if not written:
        raise MemoryError("a picture could not be written as JPEG")
    target.write_bytes(content.tobytes())
