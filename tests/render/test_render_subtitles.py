"""Captions as files."""

from fractions import Fraction

import pytest

from render import to_srt, to_vtt
from schemas.edl import EDL, Caption, CaptionStyle
from tests.render.render_media import edit, imagined, video_clip

pytestmark = pytest.mark.unit

STYLE = CaptionStyle(burn_in=False, left=10, top=10, right=310, bottom=170, font_size=20)


def captioned(*captions: Caption, rate: Fraction = Fraction(30)) -> EDL:
    source = imagined()
    clips = [video_clip(source, 0, 200_000, 0, rate)]
    return edit([source], clips, rate=rate, captions=captions, caption_style=STYLE)


def test_srt_numbers_cues_and_gives_times_to_the_millisecond() -> None:
    edl = captioned(
        Caption(start=0, end=45, lines=("Hello.",)),
        Caption(start=47, end=120_000, lines=("Two", "lines & more")),
    )
    assert to_srt(edl) == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n00:00:01,567 --> 01:06:40,000\nTwo\nlines & more\n"
    )


def test_times_are_exact_at_ntsc_rates() -> None:
    edl = captioned(Caption(start=107_892, end=107_992, lines=("Late",)), rate=Fraction(30_000, 1001))
    assert "00:59:59,996 --> 01:00:03,333" in to_srt(edl)


def test_vtt_escapes_markup() -> None:
    edl = captioned(Caption(start=0, end=30, lines=("a < b & c > d",)))
    assert to_vtt(edl) == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na &lt; b &amp; c &gt; d\n"


def test_a_line_can_neither_end_its_cue_nor_start_another() -> None:
    edl = captioned(Caption(start=0, end=30, lines=("evil\n\n2\n00:00:00,000 --> 00:00:09,000\ninjected",)))
    assert to_srt(edl).count("-->") == 1
    assert to_srt(edl).count("\n\n") == 0
    assert to_vtt(edl).count("-->") == 1


def test_no_captions_give_empty_but_valid_files() -> None:
    source = imagined()
    edl = edit([source], [video_clip(source, 0, 10, 0, Fraction(30))])
    assert to_srt(edl) == ""
    assert to_vtt(edl) == "WEBVTT\n"
