"""Burned-in captions: where they are and that they can be read."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.captions import layout, undrawable
from schemas.edl import Caption, CaptionStyle
from tests.render.render_media import Media, edit, lumas, run, video_clip

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


def test_characters_without_a_picture_are_told(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    assert undrawable([Caption(start=0, end=1, lines=("Größe, Привет, 100 €", "“quoted” — naïve"))]) == ""
    caption = Caption(start=0, end=9, lines=("Hi 你好",))
    edl = edit([counted], [video_clip(counted, 0, 10, 0, rate)], captions=[caption], caption_style=STYLE)
    assert any("你 好" in note for note in run(edl, [counted], tmp_path / "o").report.notes)


@settings(max_examples=60, deadline=None)
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
