"""Small pictures of a video: each where its time says, of any length, rate and shape."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from render.storyboard import StoryboardMaker, storyboard_vtt
from schemas.storyboard import StoryboardGrid

pytestmark = pytest.mark.unit

RATES = st.sampled_from([Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30), Fraction(60000, 1001)])


def grey(level: int, width: int, height: int) -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((height, width, 3), level, np.uint8), format="rgb24")


@pytest.mark.parametrize(
    ("width", "height", "tile"), [(320, 180, (160, 90)), (180, 320, (90, 160)), (96, 96, (160, 160))]
)
def test_each_picture_is_of_its_time(tmp_path: Path, width: int, height: int, tile: tuple[int, int]) -> None:
    seconds, rate = 12, 5
    maker = StoryboardMaker(seconds * rate, Fraction(rate))
    for number in range(seconds * rate):
        maker.offer(grey(20 * (number // rate), width, height), number)
    grid = maker.write(tmp_path / "board.jpg")
    assert (grid.width, grid.height) == tile
    assert (grid.count, grid.columns, grid.step_ms, grid.duration_ms) == (12, 10, 1000, 12_000)
    image = Image.open(tmp_path / "board.jpg")
    assert image.size == (10 * grid.width, 2 * grid.height)
    for at in range(grid.count):
        middle = (at % 10 * grid.width + grid.width // 2, at // 10 * grid.height + grid.height // 2)
        level = image.convert("L").getpixel(middle)
        assert isinstance(level, int)
        assert abs(level - 20 * at) <= 4


@given(frames=st.integers(1, 500_000), rate=RATES)
def test_any_length_is_covered_by_a_hundred_pictures_at_most(frames: int, rate: Fraction) -> None:
    maker = StoryboardMaker(frames, rate)
    wanted = sorted(maker._places)
    assert len(set(maker._places.values())) == maker._count <= 100
    assert 0 <= wanted[0] <= wanted[-1] < frames


def test_cues_follow_each_other_to_the_end() -> None:
    grid = StoryboardGrid(count=3, columns=3, width=160, height=90, step_ms=40_000, duration_ms=100_001)
    cues = storyboard_vtt(grid, "talk.storyboard.jpg").split("\n\n")
    assert cues[0] == "WEBVTT"
    assert cues[1] == "00:00:00.000 --> 00:00:40.000\ntalk.storyboard.jpg#xywh=0,0,160,90"
    assert cues[3].startswith("00:01:20.000 --> 00:01:40.001\n")
