"""Sources that many tests cut from, written once."""

from fractions import Fraction

import numpy as np
import pytest

from tests.render.render_media import Media, Writer, describe, numbered, yuv_frame

COUNTED_FRAMES = 300


@pytest.fixture(scope="session")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Media:
    """Ten seconds at 30 frames a second whose frame n shows n, with a sound that says where each sample lies."""
    path = tmp_path_factory.mktemp("counted") / "counted.mp4"
    frames = ((n * 3000, yuv_frame(numbered(n))) for n in range(COUNTED_FRAMES))
    Writer(path, options={"movflags": "+faststart"}).write(frames, (320, 180), sound=tone(10), sound_codec="aac")
    return describe(path)


def tone(seconds: float, frequency: float = 440, level: float = 0.25) -> np.ndarray:
    """A sine on both channels."""
    at = np.arange(round(seconds * 48_000)) / 48_000
    wave = (level * np.sin(2 * np.pi * frequency * at)).astype(np.float32)
    return np.stack([wave, wave])


@pytest.fixture
def rate() -> Fraction:
    return Fraction(30)
