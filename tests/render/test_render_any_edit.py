"""Whatever a valid edit asks of the picture can be rendered, frame for frame."""

import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.picture_track import render_picture
from schemas.edl import (
    EDL,
    Caption,
    CaptionLook,
    CaptionStyle,
    CropKey,
    Fit,
    Grade,
    Look,
    Motion,
    Place,
    SourceVideo,
    VideoClip,
)
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest
from tests.exploring import EXPLORED
from tests.render.golden_frames import synthetic
from tests.render.render_media import FAST, Media, Writer, describe, edit, lumas, numbered, video_clip, yuv_frame

pytestmark = pytest.mark.media

_RATE = Fraction(30)
_LENGTH = 8
_WORDS = ("Hello", "مرحبا", "שלום", "नमस्ते", "你好", "🎉", "a" * 30, "\0x", "\u202e rtl", "é")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> tuple[Media, Media]:
    """A plain source, and one of odd size and 4:4:4 in ten bits."""
    folder = tmp_path_factory.mktemp("any")
    path = folder / "odd.mkv"
    frames = ((n * 3000, yuv_frame(numbered(n, 321, 181), "yuv444p10le")) for n in range(30))
    Writer(path, codec="ffv1", codec_options={}, pixel_format="yuv444p10le").write(frames, (321, 181))
    return synthetic(folder), describe(path, "b")


def even(draw: st.DrawFn, low: int, high: int) -> int:
    return 2 * draw(st.integers((low + 1) // 2, high // 2))


@st.composite
def crops(draw: st.DrawFn, video: SourceVideo) -> tuple[CropKey, ...]:
    keys: list[CropKey] = []
    for frame in sorted(draw(st.sets(st.integers(0, _LENGTH - 1), max_size=3))):
        width = draw(st.integers(2, video.display_width))
        height = draw(st.integers(2, video.display_height))
        x = draw(st.integers(0, video.display_width - width))
        y = draw(st.integers(0, video.display_height - height))
        keys.append(CropKey(frame=frame, x=x, y=y, width=width, height=height))
    return tuple(keys)


grades = st.builds(
    Grade,
    exposure_millistops=st.integers(-2000, 2000),
    warmth=st.integers(-100, 100),
    tint=st.integers(-100, 100),
    contrast_percent=st.integers(50, 150),
    look=st.sampled_from([None, Look.CINEMA]),
)


@st.composite
def clips(draw: st.DrawFn, media: tuple[Media, Media], start: int, **more: object) -> VideoClip:
    shown = draw(st.sampled_from(media))
    assert shown.source.video is not None
    looks = {
        "crop": draw(crops(shown.source.video)),
        "motion": draw(st.sampled_from(Motion)),
        "fit": draw(st.sampled_from(Fit)),
        "grade": draw(st.none() | grades),
    }
    return video_clip(shown, start, _LENGTH, draw(st.integers(0, 8)), _RATE, **looks, **more)


@st.composite
def edits(draw: st.DrawFn, media: tuple[Media, Media]) -> EDL:
    width, height = even(draw, 16, 400), even(draw, 16, 400)
    inner = even(draw, 2, width), even(draw, 2, height)
    corner = even(draw, 0, width - inner[0]), even(draw, 0, height - inner[1])
    place = Place(x=corner[0], y=corner[1], width=inner[0], height=inner[1])
    base = [draw(clips(media, 0)), draw(clips(media, _LENGTH, dissolve_in=draw(st.integers(0, _LENGTH))))]
    fades = {"fade_in": draw(st.integers(0, 4)), "fade_out": draw(st.integers(0, 4))}
    overlay = draw(clips(media, _LENGTH // 2, id="over", place=draw(st.sampled_from([None, place])), **fades))
    left, top = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
    style = CaptionStyle(
        burn_in=True,
        look=draw(st.sampled_from(CaptionLook)),
        left=left,
        top=top,
        right=draw(st.integers(left + 1, width)),
        bottom=draw(st.integers(top + 1, height)),
        font_size=draw(st.integers(4, 80)),
    )
    line = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).map(" ".join)
    caption = Caption(start=2, end=14, lines=tuple(draw(st.lists(line, min_size=1, max_size=2))))
    return edit(media, base, overlays=[overlay], canvas=(width, height), captions=[caption], caption_style=style)


@settings(max_examples=20 * EXPLORED)
@given(data=st.data())
def test_any_valid_edit_is_rendered(media: tuple[Media, Media], data: st.DataObject) -> None:
    assert_rendered(data.draw(edits(media)), media)


def assert_rendered(edl: EDL, media: tuple[Media, Media]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = {one.source.id: one.path for one in media}
        request = RenderRequest(edl=edl, sources=paths, folder=Path(folder), encoder=FAST)
        track = render_picture(request, Path(folder) / "picture.mp4", ignore_progress)
        pictures = lumas(track.path)
    assert len(pictures) == edl.duration
    assert all(luma.shape == (edl.canvas.height, edl.canvas.width) for luma in pictures)


def test_a_moving_crop_of_odd_height_at_twice_its_size_is_rendered(media: tuple[Media, Media]) -> None:
    """Stored pictures are cut at even lines: here one line of what is shown has to be made up."""
    crop = tuple(CropKey(frame=frame, x=frame, y=0, width=8, height=173) for frame in (0, _LENGTH - 1))
    edl = edit(media, [video_clip(media[0], 0, _LENGTH, 0, _RATE, crop=crop)], canvas=(16, 346))
    assert_rendered(edl, media)
