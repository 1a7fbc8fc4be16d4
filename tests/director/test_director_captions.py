"""Captions: where they break, how long they stay, where they lie."""

from fractions import Fraction

import pytest

from director.captions import caption, caption_style
from director.placing import PlacedWord
from director.style import LANDSCAPE_CAPTIONS, PORTRAIT_CAPTIONS, CaptionLayout
from schemas.edl import Canvas, CaptionLook

pytestmark = pytest.mark.unit

RATE = Fraction(25)


def words(text: str, frames: int = 8, gap: int = 1) -> list[PlacedWord]:
    found, position = [], 0
    for token in text.split():
        ends = token.endswith((".", "?", "!"))
        found.append(PlacedWord(token, position, position + frames, ends, ends or token.endswith(",")))
        position += frames + gap
    return found


def lines(text: str, frames: int = 8) -> list[tuple[str, ...]]:
    said = words(text, frames)
    return [one.lines for one in caption(said, said[-1].end + 10, RATE, LANDSCAPE_CAPTIONS, "en").captions]


def test_lines_and_captions_end_with_sentences_where_they_can() -> None:
    text = "We begin with the light. Then the camera moves slowly. At last we look up into the open sky above us."
    assert lines(text)[0] == ("We begin with the light.", "Then the camera moves slowly.")


def test_a_long_sentence_breaks_at_its_commas() -> None:
    text = "When the light comes in from the north, and the walls of the room are white, you need no lamp at all."
    first, *_ = lines(text)
    assert " ".join(first).endswith(",")


@pytest.mark.parametrize(
    "text",
    [
        "It is of the first importance that the letter used should be fine in form.",
        "It's a speed train that connects different cities in China.",
        "We put the camera on a table and then we walked away from it.",
    ],
)
def test_no_word_or_two_of_a_sentence_are_left_over(text: str) -> None:
    for said in (words(text, 12), words(f"{text} {text}", 12)):
        shown = caption(said, said[-1].end + 20, RATE, PORTRAIT_CAPTIONS, "en").captions
        assert len(shown) > 1
        assert min(len(" ".join(one.lines)) for one in shown) >= 11


def test_nothing_is_left_out_at_a_normal_speed() -> None:
    text = "When the light comes in from the north, and the walls of the room are white, you need no lamp at all."
    assert " ".join(" ".join(one) for one in lines(text)) == text


def test_hurried_speech_is_quoted_whole_and_counted() -> None:
    text = "This is just really an extraordinarily complicated demonstration of unintelligibly hurried speaking."
    said = words(text, 6, 0)
    result = caption(said, said[-1].end, RATE, LANDSCAPE_CAPTIONS, "en")
    assert (result.shortened, result.hurried) == (0, 1)
    assert result.fastest > 20
    assert " ".join(line for one in result.captions for line in one.lines) == text


def test_more_than_two_lines_in_no_time_leave_words_out_and_say_so() -> None:
    said = words("An extraordinarily " * 12, 1, 0)
    result = caption(said, 30, RATE, PORTRAIT_CAPTIONS, "en")
    assert result.shortened > 0


def test_languages_without_spaces_are_joined_and_measured_by_width() -> None:
    said = words("漢字 仮名 交じり 文。", 10)
    assert caption(said, 60, RATE, PORTRAIT_CAPTIONS, "ja").captions[0].lines == ("漢字仮名交じり文。",)


@pytest.mark.parametrize(
    ("canvas", "layout", "area"),
    [
        (Canvas(width=1080, height=1920), PORTRAIT_CAPTIONS, (65, 269, 1015, 1248)),
        (Canvas(width=1920, height=1080), LANDSCAPE_CAPTIONS, (308, 54, 1612, 1026)),
    ],
)
def test_the_caption_area_is_the_safe_area(canvas: Canvas, layout: CaptionLayout, area: tuple[int, ...]) -> None:
    style = caption_style(canvas, layout, CaptionLook.BOXED, burn_in=False)
    assert (style.left, style.top, style.right, style.bottom) == area


def test_each_word_of_a_caption_is_told_with_the_time_it_is_said() -> None:
    words = [PlacedWord(text, 10 * at, 10 * at + 8, text.endswith("."), False) for at, text in enumerate(LINE.split())]
    for shown in caption(words, 400, RATE, LANDSCAPE_CAPTIONS, "en").captions:
        assert " ".join(shown.lines).split() == [word.text for word in shown.words]
        assert all(any((w.start, w.text) == (word.start, word.text) for w in words) for word in shown.words)


def test_a_sentence_after_a_cut_does_not_share_a_caption_with_the_one_before() -> None:
    said = ["Good", "morning,", "Steve.", "Good", "morning,", "Katie."]
    words = [
        PlacedWord(text, 12 * at, 12 * at + 10, text.endswith("."), False, at == 3) for at, text in enumerate(said)
    ]
    shown = caption(words, 90, RATE, PORTRAIT_CAPTIONS, "en").captions
    assert [" ".join(one.lines) for one in shown] == ["Good morning, Steve.", "Good morning, Katie."]
    together = caption([word._replace(after_cut=False) for word in words], 90, RATE, PORTRAIT_CAPTIONS, "en").captions
    assert len(together) == 1


def test_two_scenes_share_no_caption_where_the_last_word_is_taken_to_reach_into_the_next() -> None:
    spoken = said(("Good morning, Steve.", 10, 50), ("Good morning, Katie.", 50, 90))
    assert len(shown(spoken, 120)) == 1
    assert [text for text, _, _ in shown(spoken, 120, changes=(40,))] == [
        "Good morning, Steve.",
        "Good morning, Katie.",
    ]


def test_a_line_does_not_part_a_number_or_an_article_from_what_it_leads_to() -> None:
    shown = caption(
        words("Moving it from there to 20 centimeters makes a difference."), 200, RATE, PORTRAIT_CAPTIONS, "en"
    )
    lines = [line for one in shown.captions for line in one.lines]
    assert not any(line.endswith((" 20", " a", " to", " from")) for line in lines)


def test_a_name_is_not_parted_between_captions() -> None:
    text = "You are now inside the Remotion Studio where you edit a video."
    shown = caption(words(text), 200, RATE, PORTRAIT_CAPTIONS, "en").captions
    assert any("Remotion Studio" in " ".join(one.lines) for one in shown)


def said(*spoken: tuple[str, int, int]) -> list[PlacedWord]:
    """Sentences, each of whose words are spoken evenly from a frame to another."""
    found = []
    for text, start, end in spoken:
        tokens = text.split()
        for at, token in enumerate(tokens):
            first, last = (start + (end - start) * place // len(tokens) for place in (at, at + 1))
            found.append(PlacedWord(token, first, last, token.endswith("."), token.endswith((".", ","))))
    return found


def shown(
    words: list[PlacedWord], duration: int, *, changes: tuple[int, ...] = (), cuts: tuple[int, ...] = ()
) -> list[tuple[str, int, int]]:
    captions = caption(words, duration, RATE, PORTRAIT_CAPTIONS, "en", changes=changes, cuts=cuts).captions
    return [(" ".join(one.lines), one.start, one.end) for one in captions]


def test_a_caption_is_held_in_the_pause_after_it_until_it_can_be_read() -> None:
    hurried = said(("The camera never lies.", 10, 22), ("We look at it again today.", 45, 80))
    (_, start, end), _ = shown(hurried, 100)
    assert (start, end) == (10, 43)


def test_what_is_said_right_before_the_next_line_is_up_a_little_before_it_is_said() -> None:
    before, after = ("We look at it again today.", 0, 40), ("It sees whatever we do to you.", 78, 120)
    _, (text, start, end), _ = shown(said(before, ("The camera never lies.", 60, 76), after), 130)
    assert text == "The camera never lies."
    assert 47 <= start < 60
    assert end - start >= 22 / 20 * RATE


def test_text_is_gone_when_the_picture_changes_after_it() -> None:
    spoken = said(("The camera never lies to anybody.", 0, 42), ("We look at it again today.", 70, 110))
    assert shown(spoken, 120)[0][2] > 46
    assert shown(spoken, 120, changes=(46,))[0][2] == 44


def test_a_caption_begins_with_its_word_where_there_is_time_to_read_it() -> None:
    spoken = said(("The camera never lies to anybody.", 20, 70), ("We look at it again today.", 90, 140))
    assert [start for _, start, _ in shown(spoken, 150)] == [20, 90]


def test_a_short_gap_between_captions_is_closed() -> None:
    spoken = said(("The camera never lies to anybody.", 0, 60), ("We look at it again today.", 66, 120))
    assert shown(spoken, 130)[0][2] == 64


def test_what_is_said_too_fast_stays_up_while_the_next_speaker_begins() -> None:
    """The pictures change right before the first words and right after the last, which are too many for the time."""
    fast, slow = ("Somebody must have stolen the jewels.", 50, 82), ("We look at it again.", 84, 160)
    _, (_, start, end), (_, following, until) = shown(said(("Yes.", 0, 40), fast, slow), 180, changes=(50, 83))
    assert start == 50
    assert end - start >= len(fast[0]) / 20 * RATE
    assert following - slow[1] <= 3 / 4 * RATE
    assert until - following >= len(slow[0]) / 17 * RATE


LINE = "The light comes from the left, and it is soft enough to show the skin as it really is today."


TWO_SENTENCES = (("The camera never lies.", 10, 45), ("We look at it again today.", 58, 100))


def test_captions_change_with_the_cut_between_what_they_say() -> None:
    assert shown(said(*TWO_SENTENCES), 130, cuts=(50,)) == [
        ("The camera never lies.", 10, 48),
        ("We look at it again today.", 50, pytest.approx(105, abs=5)),
    ]


@pytest.mark.parametrize("cut", [40, 43])
def test_a_caption_whose_words_go_on_over_a_cut_stays_for_half_a_second_after_it(cut: int) -> None:
    (_, start, end), (_, following, _) = shown(said(*TWO_SENTENCES), 130, cuts=(cut,))
    assert (start, following) == (10, 58)
    assert end >= min(cut + 12, 56)


def test_a_cut_right_after_a_first_word_began_begins_its_caption() -> None:
    _, (_, start, _) = shown(said(*TWO_SENTENCES), 130, cuts=(62,))
    assert start == 62
    _, (_, start, _) = shown(said(*TWO_SENTENCES), 130, cuts=(70,))
    assert start == 58, "so late nobody would know whose words they are"


def test_a_caption_that_would_be_too_short_to_read_does_not_end_with_the_cut() -> None:
    hurried = said(("The camera never lies to us.", 30, 44), ("We look at it again today.", 80, 120))
    (_, start, end), _ = shown(hurried, 150, cuts=(46,))
    assert end - start >= 28 / 20 * RATE
