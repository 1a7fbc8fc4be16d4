"""Text becomes the right pictures in the right order, whatever its script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.bidi import base_level, levels, visual_order
from render.shaping import clusters, shaped

pytestmark = pytest.mark.unit


def as_seen(line: str) -> str:
    """The characters from left to right, brackets as they were typed."""
    found = levels(line, base_level(line))
    return "".join(line[at] for at in visual_order(found))


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        pytest.param("abc 12", "abc 12", id="left to right"),
        pytest.param("אבג דה", "הד גבא", id="right to left"),
        pytest.param("אבג abc דה", "הד abc גבא", id="latin inside hebrew"),
        pytest.param("abc אבג דה xyz", "abc הד גבא xyz", id="hebrew inside latin"),
        pytest.param("אבג 50% דה", "הד 50% גבא", id="a number keeps its order and its sign"),
        pytest.param("عدد 1,234.5", "1,234.5 ددع", id="a number with separators"),
        pytest.param("אב (abc) דה", "הד )abc( בא", id="brackets stay around what they hold"),
        pytest.param("abc!", "abc!", id="a closing sign, left to right"),
        pytest.param("אבג!", "!גבא", id="a closing sign, right to left"),
    ],
)
def test_characters_are_seen_in_the_order_their_script_is_read(line: str, seen: str) -> None:
    assert as_seen(line) == seen


@given(st.text(max_size=40))
def test_every_character_is_seen_once(line: str) -> None:
    assert sorted(as_seen(line)) == sorted(line)
    assert "".join(clusters(line)) == line


@given(st.text(max_size=40))
def test_any_line_has_a_finite_size_and_glyphs_of_its_own_characters(line: str) -> None:
    found = shaped(line, base_level(line))
    assert 0 <= found.width < 10 * len(line) + 1
    assert all(0 <= glyph.character < len(line) for glyph in found.glyphs)


@pytest.mark.parametrize(
    "line",
    [
        "Größe Привет Ελλάδα",
        "مرحبا بالعالم",
        "שלום עולם",
        "नमस्ते दुनिया",
        "你好世界",
        "日本語です",
        "한국어",
        "สวัสดี",
        "தமிழ்",
        "ქართული",
    ],
)
def test_every_script_has_its_pictures(line: str) -> None:
    assert all(glyph.index != 0 for glyph in shaped(line, base_level(line)).glyphs)


def test_letters_join_and_combine() -> None:
    alone = {shaped(letter, 1).glyphs[0].index for letter in "مرحبا"}
    joined = {glyph.index for glyph in shaped("مرحبا", 1).glyphs}
    assert joined - alone
    assert len(shaped("👩‍👩‍👧", 0).glyphs) == 1
    assert [len(list(clusters(text))) for text in ("👍🏽", "🇩🇪🇫🇷", "é", "1️⃣")] == [1, 2, 1, 1]


def test_each_run_has_the_font_it_needs() -> None:
    glyphs = shaped("Hi 你好 مرحبا 🎉", 0).glyphs
    assert len({id(glyph.typeface) for glyph in glyphs}) == 4
