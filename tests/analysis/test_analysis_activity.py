"""What happens on a screen."""

from pathlib import Path

import numpy as np
import pytest

from analysis.activity import ActivityAnalysis
from analysis.probe import probe
from analysis.watching import watch
from schemas.facts import Activity
from tests.analysis.analysis_media import MakeClip

pytestmark = pytest.mark.media

BLANK = np.full((360, 640, 3), 230, np.uint8)


def activity_of(path: Path) -> Activity:
    (activity,) = watch(path, probe(path), [ActivityAnalysis()])
    assert isinstance(activity, Activity)
    return activity


def test_a_part_that_changes_is_told_where_and_when(make_clip: MakeClip) -> None:
    window = BLANK.copy()
    window[180:300, 320:560] = 40
    activity = activity_of(make_clip(frames=[BLANK] * 20 + [window] * 20))
    (change,) = activity.changes
    assert change.start_us <= 800_000 < change.end_us
    region = change.region
    assert (region.left, region.top) == (pytest.approx(0.5, abs=0.02), pytest.approx(0.5, abs=0.02))
    assert (region.width, region.height) == (pytest.approx(0.375, abs=0.02), pytest.approx(0.333, abs=0.02))
    assert change.share == pytest.approx(0.125, abs=0.01)


def test_the_pointer_is_followed_while_it_moves(make_clip: MakeClip) -> None:
    def pointing(x: int) -> np.ndarray:
        frame = BLANK.copy()
        frame[200:216, x : x + 12] = 0
        return frame

    frames = [pointing(100)] * 5 + [pointing(100 + 16 * n) for n in range(20)] + [pointing(404)] * 5
    pointer = activity_of(make_clip(frames=frames)).pointer
    assert len(pointer) >= 8
    for sample in pointer:
        frame = round(sample.at_us * 25 / 1e6)
        assert sample.x == pytest.approx((106 + 16 * (frame - 5)) / 640, abs=0.02)
        assert sample.y == pytest.approx(208 / 360, abs=0.02)


def test_a_still_screen_tells_nothing(make_clip: MakeClip) -> None:
    activity = activity_of(make_clip(frames=[BLANK] * 30))
    assert (activity.changes, activity.pointer) == ((), ())
