"""Captions from SubRip and WebVTT text."""

from contextlib import suppress
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director import captions_from
from render import to_srt, to_vtt
from schemas.edl import Caption, CaptionStyle
from schemas.invalid_input import InvalidInput
from schemas.timebase import RATE_FAMILY
from tests.render.render_media import edit, imagined, video_clip

pytestmark = pytest.mark.unit

RATE = Fraction(30)
STYLE = CaptionStyle(burn_in=False, left=10, top=10, right=310, bottom=170, font_size=20)

#: Text without SubRip's markup, and without what both forms cannot hold in a line: its ends' spaces, arrows.
plain_lines = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs", "Cf"), exclude_characters="<>{}"), min_size=1
)


@st.composite
def captions_of_an_edit(draw: st.DrawFn) -> tuple[Caption, ...]:
    steps = draw(st.lists(st.integers(1, 14_000), min_size=2, max_size=12))
    frames = list(accumulate(steps[: len(steps) // 2 * 2]))
    return tuple(
        Caption(start=start, end=end, lines=tuple(draw(st.lists(plain_lines, min_size=1, max_size=2))))
        for start, end in zip(frames[::2], frames[1::2], strict=True)
    )


@given(captions_of_an_edit(), st.sampled_from(RATE_FAMILY))
def test_what_we_wrote_comes_back_on_the_same_frames(captions: tuple[Caption, ...], rate: Fraction) -> None:
    source = imagined()
    edl = edit([source], [video_clip(source, 0, 170_000, 0, rate)], rate=rate, captions=captions, caption_style=STYLE)
    assert captions_from(to_srt(edl), rate) == captions
    assert captions_from(to_vtt(edl), rate) == captions


def test_a_webvtt_file_with_all_it_may_have() -> None:
    text = (
        "\ufeffWEBVTT - made elsewhere\r\nKind: captions\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\n"
        "NOTE a comment\r\nof two lines\r\n\r\nintro\r\n00:01.000 --> 00:02.000 line:0 align:start\r\n"
        "<v Ada>Bread &amp; <b>butter</b>\r\n&lt;3\r\n\r\n\r\n01:00:00.000 --> 01:00:01.500\r\n- Later.\r\n"
    )
    assert captions_from(text, RATE) == (
        Caption(start=30, end=60, lines=("Bread & butter", "<3")),
        Caption(start=108_000, end=108_045, lines=("- Later.",)),
    )


def test_a_subrip_file_as_it_is_found() -> None:
    text = (
        "1\n0:00:01,000 --> 00:00:02.000  X1:40 X2:600\n<i>{\\an8}If a < b</i>\n \n\n"
        '00:00:02,500 --> 00:00:03,000\n<font color="red">so</font>\nbe it'
    )
    assert captions_from(text, RATE) == (
        Caption(start=30, end=60, lines=("If a < b",)),
        Caption(start=75, end=90, lines=("so", "be it")),
    )


@pytest.mark.parametrize(
    ("cue", "says"),
    [
        ("Just text", "no times"),
        ("1\n00:00:01 --> 00:00:02\nText", "no times"),
        ("1\n00:00:61,000 --> 00:01:02,000\nText", "no times"),
        ("1\n00:00:02,000 --> 00:00:01,000\nText", "shorter than a frame"),
        ("1\n00:00:01,000 --> 00:00:01,010\nText", "shorter than a frame"),
        ("1\n00:00:01,000 --> 00:00:02,000", "no lines"),
        ("1\n00:00:01,000 --> 00:00:02,000\n<i></i>", "no lines"),
        ("1\n00:00:01,000 --> 00:00:02,000\na\nb\nc", "3 lines"),
    ],
)
def test_what_cannot_be_read_is_named(cue: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        captions_from(f"1\n00:00:00,000 --> 00:00:00,900\nGood.\n\n{cue}\n", RATE)
    assert [problem.field for problem in refused.value.problems] == ["captions.1"]


@pytest.mark.parametrize("reference", [f"&#{'9' * 5000};", f"&#{'0' * 5000}65;"], ids=["large", "long"])
def test_a_character_that_is_an_endless_number_is_named_in_our_words(reference: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        captions_from(f"WEBVTT\n\n00:01.000 --> 00:02.000\nGood {reference}\n", RATE)
    assert str(refused.value) == "captions.0: a character is written as a number that is far too long"


def test_no_cues_are_no_captions() -> None:
    assert captions_from("", RATE) == captions_from("WEBVTT\n", RATE) == ()


@given(st.text(alphabet="0123456789:,.->WEBVTNO \n\r<b/>&;{\\an8}"))
def test_any_text_gives_captions_or_a_refusal(text: str) -> None:
    with suppress(InvalidInput):
        assert all(caption.lines for caption in captions_from(text, RATE))
