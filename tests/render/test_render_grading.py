"""What a grade does to colours, and that the tables do what the formulas say."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.data import astronaut

from render.grading import Colour, Grading, chroma_codes, graded, luma_curve
from render.planes import planes
from schemas.edl import Grade, Look
from tests.render.render_media import Writer, describe, edit, lumas, run, video_clip, yuv_frame

pytestmark = pytest.mark.media

CINEMA = Grade(look=Look.CINEMA)
GRADES = st.builds(
    Grade,
    exposure_millistops=st.integers(-2000, 2000),
    warmth=st.integers(-100, 100),
    tint=st.integers(-100, 100),
    look=st.sampled_from([None, Look.CINEMA]),
    look_percent=st.integers(0, 100),
)


def portrait() -> VideoFrame:
    """A face (NASA, public domain) as limited-range BT.709."""
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(astronaut()), format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
    frame.colorspace = frame.color_range = 1
    return frame


def of_face(frame: VideoFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hue in degrees and saturation of the skin of the portrait's face."""
    blue, red = (plane[40:85, 92:130].astype(float) - 128 for plane in planes(frame)[1:])
    return np.degrees(np.arctan2(red, blue)), np.hypot(blue, red)


def test_skin_stays_skin_in_the_cinema_look(tmp_path: Path) -> None:
    before = portrait()
    after = Grading(portrait(), CINEMA, tmp_path).apply(portrait())
    hue, saturation = of_face(before)
    looked_hue, looked_saturation = of_face(after)
    skin = saturation > 10
    assert skin.mean() > 0.5
    assert abs(np.median(looked_hue[skin] - hue[skin])) < 3
    assert np.percentile(np.abs(looked_hue[skin] - hue[skin]), 95) < 6
    assert 0.85 < np.median(looked_saturation[skin] / saturation[skin]) < 1.05


def test_the_cinema_look_deepens_shadows_and_parts_cool_from_warm() -> None:
    grey = np.array([0.25, 0.75])
    looked = graded(Colour(grey, np.zeros(2), np.zeros(2)), CINEMA)
    assert looked.luma[0] < 0.25
    assert looked.luma[1] > 0.75
    assert looked.blue[0] > 0 > looked.red[0]
    assert looked.blue[1] < 0 < looked.red[1]


@given(GRADES)
def test_black_white_and_order_of_greys_survive_any_grade(grade: Grade) -> None:
    curve = luma_curve(grade).astype(int)
    assert (np.diff(curve) >= 0).all()
    assert curve[16] == 16
    assert curve[235] <= 235
    if grade.exposure_millistops >= 0:
        assert curve[235] >= 234
    assert curve[100:200].max() < 235


@given(GRADES, st.integers(16, 235))
def test_balancing_keeps_the_brightness_of_grey(grade: Grade, code: int) -> None:
    plain = grade.model_copy(update={"warmth": 0, "tint": 0})
    assert luma_curve(grade)[code] == luma_curve(plain)[code]


@pytest.mark.parametrize(
    ("grade", "test"),
    [
        pytest.param(Grade(warmth=50), lambda blue, red: blue < 126 and red > 130, id="warmer"),
        pytest.param(Grade(warmth=-50), lambda blue, red: blue > 130 and red < 126, id="cooler"),
        pytest.param(Grade(tint=40), lambda blue, red: blue > 129 and red > 129, id="magenta"),
        pytest.param(Grade(tint=-40), lambda blue, red: blue < 127 and red < 127, id="green"),
        pytest.param(Grade(exposure_millistops=900), lambda blue, red: blue == red == 128, id="grey stays grey"),
    ],
)
def test_a_cast_goes_the_way_it_is_named(grade: Grade, test: Callable[[float, float], bool]) -> None:
    ((blue, red),) = chroma_codes(np.array([126.0]), np.array([128.0]), np.array([128.0]), grade)
    assert test(blue, red)


def test_a_stop_more_doubles_the_light_of_a_dark_grey() -> None:
    light = ((luma_curve(Grade(exposure_millistops=1000))[60] - 16) / (60 - 16)) ** 2.4
    assert light == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    "grade", [CINEMA, Grade(exposure_millistops=-700, warmth=30, tint=-15, saturation_percent=120), Grade(warmth=-100)]
)
def test_pixels_follow_the_formulas(grade: Grade, tmp_path: Path) -> None:
    before = portrait()
    luma, blue, red = (plane.copy() for plane in planes(before))
    after = Grading(before, grade, tmp_path).apply(before)
    assert (planes(after)[0] == luma_curve(grade)[luma]).all()
    small = luma.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    wanted = chroma_codes(small.ravel(), blue.ravel().astype(float), red.ravel().astype(float), grade)
    shown = np.stack([planes(after)[1].ravel(), planes(after)[2].ravel()], axis=1)
    assert np.abs(shown - wanted).max() < 4
    assert np.abs(shown - wanted).mean() < 0.6


def test_each_clip_has_its_grade_and_a_moving_one_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "grey.mp4"
    Writer(path).write(((n * 3000, yuv_frame(np.full((180, 320), 90, np.uint8))) for n in range(30)), (320, 180))
    media, rate = describe(path), Fraction(30)
    keys = [
        {"frame": 0, "x": 0, "y": 0, "width": 320, "height": 180},
        {"frame": 9, "x": 40, "y": 20, "width": 240, "height": 135},
    ]
    brighter = Grade(exposure_millistops=1000)
    clips = [
        video_clip(media, 0, 10, 0, rate),
        video_clip(media, 10, 10, 0, rate, grade=brighter),
        video_clip(media, 20, 10, 0, rate, grade=brighter, crop=keys),
    ]
    shown = [int(luma.mean()) for luma in lumas(run(edit([media], clips), [media], tmp_path / "o").video)]
    bright = int(luma_curve(brighter)[90])
    assert shown[5] == pytest.approx(90, abs=1)
    assert shown[15] == pytest.approx(bright, abs=1)
    assert shown[21:29] == pytest.approx([bright] * 8, abs=1)
    assert not list((tmp_path / "o").glob("*.cube"))
