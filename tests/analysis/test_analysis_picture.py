"""How pictures look and move, and where there is something to use."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.picture import LookAnalysis
from analysis.probe import probe
from analysis.watching import watch
from schemas.facts import CameraMove, Picture
from tests.analysis.analysis_media import MakeClip, scene

pytestmark = pytest.mark.media

WIDE = cv2.GaussianBlur(scene(1, height=300, width=800), (0, 0), 2)


def window(left: int, top: int = 60) -> NDArray[np.uint8]:
    return np.asarray(WIDE[top : top + 180, left : left + 320], np.uint8)


def picture_of(path: Path) -> Picture:
    (picture,) = watch(path, probe(path), [LookAnalysis()])
    assert isinstance(picture, Picture)
    return picture


@pytest.mark.parametrize(
    ("right", "down", "camera"),
    [
        (0, 0, CameraMove.STILL),
        (4, 0, CameraMove.RIGHT),
        (-4, 0, CameraMove.LEFT),
        (0, 2, CameraMove.DOWN),
        (0, -2, CameraMove.UP),
    ],
)
def test_the_camera_goes_where_it_goes(make_clip: MakeClip, right: int, down: int, camera: CameraMove) -> None:
    path = make_clip(frames=[window(200 + right * n, 60 + down * n) for n in range(30)])
    (shot,) = picture_of(path).shots
    assert shot.camera is camera
    assert shot.measures.move_x == pytest.approx(-right * 25 / 320, abs=0.03)
    assert shot.measures.move_y == pytest.approx(-down * 25 / 180, abs=0.03)
    assert shot.measures.shake < 0.003


def test_a_fast_pan_is_measured(make_clip: MakeClip) -> None:
    (shot,) = picture_of(make_clip(frames=[window(10 + 12 * n) for n in range(30)])).shots
    assert shot.camera is CameraMove.RIGHT
    assert shot.measures.move_x == pytest.approx(-12 * 25 / 320, abs=0.06)


def test_a_shaken_camera_is_not_for_use(make_clip: MakeClip) -> None:
    jolts = np.random.default_rng(1).integers(-9, 10, (50, 2))
    shaken = picture_of(make_clip("shaken.mp4", frames=[window(200 + x, 60 + y) for x, y in jolts]))
    steady = picture_of(make_clip("steady.mp4", frames=[window(200)] * 50))
    assert shaken.shots[0].measures.shake > 0.01
    assert (shaken.usable, steady.usable[0].duration_us) == ((), 2_000_000)


def test_what_is_black_or_blurred_is_not_for_use(make_clip: MakeClip) -> None:
    sharp = scene(2, height=180, width=320)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 6), np.uint8)
    path = make_clip(frames=[sharp] * 75 + [blurred] * 30 + [np.zeros_like(sharp)] * 30)
    (usable,) = picture_of(path).usable
    assert (usable.start_us, usable.end_us) == (0, pytest.approx(3_000_000, abs=500_000))


def test_light_and_colour_casts_are_told(make_clip: MakeClip) -> None:
    grey = np.full((180, 320, 3), 128, np.uint8)

    def measured(red: int, green: int, blue: int) -> tuple[float, float, float]:
        tinted = np.clip(grey + np.array([red, green, blue]), 0, 255).astype(np.uint8)
        (sample,) = picture_of(make_clip(f"{red}{green}{blue}.mp4", frames=[tinted] * 5)).samples
        return sample.exposure, sample.warmth, sample.tint

    exposure, warmth, tint = measured(0, 0, 0)
    assert (exposure, warmth, tint) == (
        pytest.approx(0.5, abs=0.02),
        pytest.approx(0, abs=0.01),
        pytest.approx(0, abs=0.01),
    )
    assert measured(60, 60, 60)[0] > exposure + 0.15
    assert measured(40, 0, -40)[1] > 0.05
    assert measured(-40, 0, 40)[1] < -0.05
    assert measured(0, -40, 0)[2] > 0.05
    assert measured(0, 40, 0)[2] < -0.05
