"""Burned-in captions: where they are and that they can be read."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.captions import CaptionBurner, layout, marked_word
from render.planes import planes
from render.shaping import undrawable
from schemas.edl import Caption, CaptionLook, CaptionStyle, CaptionWord
from tests.exploring import EXPLORED
from tests.render.render_media import Media, Writer, describe, edit, lumas, run, video_clip, yuv_frame

pytestmark = pytest.mark.media

STYLE = CaptionStyle(burn_in=True, left=31, top=33, right=289, bottom=150, font_size=24)


def test_captions_change_pixels_inside_the_safe_area_only_and_only_while_shown(
    counted: Media, rate: Fraction, tmp_path: Path
) -> None:
    clips = [video_clip(counted, 0, 40, 0, rate)]
    caption = Caption(start=10, end=25, lines=("Some words to read", "and some more"))
    plain = lumas(run(edit([counted], clips), [counted], tmp_path / "plain").video)
    edl = edit([counted], clips, captions=[caption], caption_style=STYLE)
    burned = lumas(run(edl, [counted], tmp_path / "burned").video)
    for number, (before, after) in enumerate(zip(plain, burned, strict=True)):
        changed = np.abs(before.astype(int) - after) > 60
        assert changed.any() == (10 <= number < 25), number
        outside = changed.copy()
        outside[STYLE.top : STYLE.bottom, STYLE.left : STYLE.right] = False
        assert not outside.any()
    text = burned[15][STYLE.top : STYLE.bottom, STYLE.left : STYLE.right]
    assert (text > 220).mean() > 0.02


@pytest.mark.parametrize("look", list(CaptionLook))
def test_every_look_can_be_read_on_white_and_on_black(look: CaptionLook, rate: Fraction, tmp_path: Path) -> None:
    picture = np.full((180, 320), 235, np.uint8)
    picture[:, :160] = 16
    path = tmp_path / "halves.mp4"
    Writer(path).write(((n * 3000, yuv_frame(picture)) for n in range(20)), (320, 180))
    media = describe(path)
    caption = Caption(start=0, end=15, lines=("Some words to read",))
    style = STYLE.model_copy(update={"look": look})
    edl = edit([media], [video_clip(media, 0, 15, 0, rate)], captions=[caption], caption_style=style)
    luma = lumas(run(edl, [media], tmp_path / "o").video)[2]
    assert (luma[110:150, 60:160] > 200).mean() > 0.08
    assert (luma[110:150, 160:260] < 60).mean() > 0.08


def said(*words: tuple[str, int, int], lines: tuple[str, ...]) -> Caption:
    timed = tuple(CaptionWord(text=text, start=start, end=end) for text, start, end in words)
    return Caption(start=0, end=40, lines=lines, words=timed)


def test_a_word_is_marked_from_when_it_is_said_until_the_next_one() -> None:
    caption = said(("Hi", 5, 10), ("there", 20, 30), lines=("Hi there",))
    marked = [marked_word(caption, CaptionLook.HIGHLIGHT, number) for number in (0, 5, 15, 20, 39)]
    assert marked == [None, 0, 0, 1, 1]
    assert marked_word(caption, CaptionLook.OUTLINED, 20) is None


@pytest.mark.parametrize(
    ("words", "rising"), [(("one", "two", "three"), True), (("שלום", "עולם", "גדול"), False)], ids=["left", "right"]
)
def test_the_mark_travels_in_reading_direction(
    words: tuple[str, ...], rising: bool, counted: Media, rate: Fraction, tmp_path: Path
) -> None:
    caption = said(*((word, 10 * n, 10 * n + 10) for n, word in enumerate(words)), lines=(" ".join(words),))
    style = STYLE.model_copy(update={"look": CaptionLook.HIGHLIGHT})
    clips = [video_clip(counted, 0, 40, 0, rate)]
    edl = edit([counted], clips, captions=[caption], caption_style=style)
    with av.open(str(run(edl, [counted], tmp_path / "o").video)) as container:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    centres = [amber[1].mean() for amber in (np.nonzero(p[..., 0] - p[..., 2] > 110) for p in pictures[5:35:10])]
    assert centres == sorted(centres, reverse=not rising)
    assert abs(centres[0] - centres[-1]) > 40


def test_a_caption_leaves_no_trace_on_a_picture_that_is_shown_again(counted: Media, tmp_path: Path) -> None:
    twice = Fraction(60)
    clips = [video_clip(counted, 0, 12, 0, twice)]
    captions = [Caption(start=start, end=start + 1, lines=("Hi",)) for start in (4, 8)]
    plain = lumas(run(edit([counted], clips, rate=twice), [counted], tmp_path / "plain").video)
    edl = edit([counted], clips, rate=twice, captions=captions, caption_style=STYLE)
    burned = lumas(run(edl, [counted], tmp_path / "burned").video)
    differing = [(np.abs(before.astype(int) - after) > 60).any() for before, after in zip(plain, burned, strict=True)]
    assert [number for number, differs in enumerate(differing) if differs] == [4, 8]


def test_characters_without_a_picture_are_told(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    assert undrawable(["Größe, Привет, 100 €", "“quoted” — naïve", "你好 مرحبا नमस्ते สวัสดี", "👩‍👩‍👧 🇩🇪 ❤️"]) == ""
    caption = Caption(start=0, end=9, lines=("Hi \ue123",))
    edl = edit([counted], [video_clip(counted, 0, 10, 0, rate)], captions=[caption], caption_style=STYLE)
    assert any("\ue123" in note for note in run(edl, [counted], tmp_path / "o").report.notes)


def test_an_area_without_room_for_a_pixel_is_left_alone() -> None:
    frame = yuv_frame(np.full((90, 160), 100, np.uint8))
    style = CaptionStyle(burn_in=True, left=21, top=20, right=22, bottom=60, font_size=24)
    CaptionBurner((Caption(start=0, end=9, lines=("Hi",)),), style).burn(frame, 3)
    assert (planes(frame)[0] == 100).all()


def test_a_caption_stands_on_the_row_it_is_given() -> None:
    style = CaptionStyle(burn_in=True, left=20, top=20, right=620, bottom=900, font_size=40)
    foot, above = (layout(Caption(start=0, end=1, lines=("Hi",), bottom=row), style) for row in (None, 300))
    assert foot.y + foot.height == 900
    assert above.y + above.height == 300
    assert (foot.x, foot.width, foot.height) == (above.x, above.width, above.height)


@settings(max_examples=60 * EXPLORED)
@given(
    lines=st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=2),
    corner=st.tuples(st.integers(0, 200), st.integers(0, 400)),
    size=st.tuples(st.integers(60, 900), st.integers(60, 700)),
    font_size=st.integers(10, 120),
)
def test_any_caption_fits_its_area(
    lines: list[str], corner: tuple[int, int], size: tuple[int, int], font_size: int
) -> None:
    (left, top), (width, height) = corner, size
    style = CaptionStyle(burn_in=True, left=left, top=top, right=left + width, bottom=top + height, font_size=font_size)
    box = layout(Caption(start=0, end=1, lines=tuple(lines)), style)
    assert style.left <= box.x
    assert box.x + box.width <= style.right
    assert style.top <= box.y
    assert box.y + box.height <= style.bottom
    assert all(value % 2 == 0 for value in (box.x, box.y, box.width, box.height))
