"""Turned and mirrored pictures come out as they should be seen."""

import numpy as np
import pytest

from analysis.orientation import Orientation, orientation_of_matrix
from analysis.probe import probe
from tests.analysis.analysis_media import MakeClip, scene

pytestmark = pytest.mark.unit

ONE = 65536


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((ONE, 0, 0, 0, ONE), Orientation()),
        ((0, ONE, 0, -ONE, 0), Orientation(90)),
        ((-ONE, 0, 0, 0, -ONE), Orientation(180)),
        ((0, -ONE, 0, ONE, 0), Orientation(270)),
        ((-ONE, 0, 0, 0, ONE), Orientation(0, mirrored=True)),
        ((0, ONE, 0, ONE, 0), Orientation(90, mirrored=True)),
        ((64000, 9000, 0, -9000, 64000), Orientation()),
    ],
)
def test_reads_a_display_matrix(matrix: tuple[int, ...], expected: Orientation) -> None:
    assert orientation_of_matrix((*matrix, 0, 0, 0, 1 << 30)) == expected


def test_turns_clockwise_and_then_mirrors() -> None:
    picture = np.array([[1, 2], [3, 4]], np.uint8)
    assert Orientation(90).apply(picture).tolist() == [[3, 1], [4, 2]]
    assert Orientation(90, mirrored=True).apply(picture).tolist() == [[1, 3], [2, 4]]


@pytest.mark.media
@pytest.mark.parametrize(("degrees", "clockwise"), [(90.0, 270), (-90.0, 90), (180.0, 180)])
def test_a_turned_file_is_probed_upright(make_clip: MakeClip, degrees: float, clockwise: int) -> None:
    video = probe(make_clip("turned.mov", frames=[scene(1)] * 5, turn=degrees)).video
    assert video is not None
    assert video.rotation == clockwise
    assert not video.mirrored
    sides = (160, 90) if clockwise == 180 else (90, 160)
    assert (video.display_width, video.display_height) == sides
