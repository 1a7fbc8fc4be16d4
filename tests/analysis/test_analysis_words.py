"""Words put where they are heard."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.hearing import Hearing
from analysis.listening import SPEECH_RATE
from analysis.timed_words import TimedWord
from analysis.transcript import MAX_WINDOW_S, pack, without_loops
from analysis.words import LATENESS_REACH, lateness, refine

pytestmark = pytest.mark.unit

#: One whose lateness is not known.
MODEL = "enormous"


def hearing(*sounding: tuple[int, int], length: int = 400) -> Hearing:
    """Speech at -20 dBFS in the given frames over a room at -70."""
    levels = np.full(length, -70, np.float32)
    voice = np.zeros(length, np.float32)
    for start, end in sounding:
        levels[start:end], voice[start:end] = -20, 1
    return Hearing(levels, voice, -70.0, -58.0, 50.0)


def word(start: int, end: int, text: str = "word") -> TimedWord:
    return TimedWord(start, end, text, 0.9)


def test_a_word_never_reaches_into_silence() -> None:
    (found,) = refine([word(60, 180)], hearing((100, 150)), MODEL)
    assert (found.start, found.end) == (100, 150)


def test_a_word_placed_early_after_a_pause_goes_to_its_sound() -> None:
    first, second = refine([word(50, 107), word(107, 230)], hearing((50, 100), (200, 250)), MODEL)
    assert (first.start, first.end) == (50, 100)
    assert second.start == 200
    assert second.end <= 250


def test_a_word_where_nothing_is_heard_is_dropped() -> None:
    assert refine([word(100, 150)], hearing((300, 350)), MODEL) == []


def test_boundaries_move_to_the_dip_between_words() -> None:
    heard = hearing((100, 200))
    heard.levels[148:151] = -45
    before, after = refine([word(100, 154), word(154, 200)], heard, MODEL)
    assert before.end == after.start
    assert 148 <= after.start <= 151


@given(st.lists(st.tuples(st.integers(0, 380), st.integers(1, 60)), max_size=40))
def test_whatever_is_guessed_words_come_in_order_apart_and_audible(guesses: list[tuple[int, int]]) -> None:
    heard = hearing((20, 90), (120, 130), (160, 300))
    refined = refine([word(start, start + length) for start, length in guesses], heard, MODEL)
    position = 0
    for one in refined:
        assert position <= one.start < one.end <= 400
        assert (heard.levels[one.start : one.end] > -60).any()
        position = one.end


@given(st.lists(st.tuples(st.integers(0, 60 * SPEECH_RATE), st.integers(1, 70 * SPEECH_RATE)), max_size=12))
def test_windows_hold_all_speech_once_and_in_order(steps: list[tuple[int, int]]) -> None:
    runs, position = [], 0
    for gap, length in steps:
        runs.append((position + gap, position + gap + length))
        position += gap + length
    windows = pack(runs, position)
    pieces = [piece for window in windows for piece in window]
    assert all(window[-1].window_end <= MAX_WINDOW_S * SPEECH_RATE for window in windows)
    assert all(a.end <= b.start for a, b in pairwise(pieces))
    for start, end in runs:
        held = sum(max(0, min(end, piece.end) - max(start, piece.start)) for piece in pieces)
        assert held == end - start


def test_loops_are_cut_to_one_round() -> None:
    looping = [word(n, n + 1, text) for n, text in enumerate(["So,", *["thank", "you."] * 9, "Bye"])]
    assert [one.text for one in without_loops(looping)] == ["So,", "thank", "you.", "Bye"]


def test_saying_it_twice_is_no_loop() -> None:
    twice = [word(n, n + 1, text) for n, text in enumerate(["very", "very", "good"])]
    assert without_loops(twice) == twice


@pytest.mark.parametrize("late", [-LATENESS_REACH, -3, 0, 4, LATENESS_REACH])
def test_a_recogniser_that_is_late_throughout_is_found_out(late: int) -> None:
    edges = list(range(20, 400, 24))
    heard = hearing((0, 400))
    for edge in edges:
        heard.levels[edge - 2 : edge + 3] = -40
    words = [word(a + late, b + late) for a, b in pairwise(edges)]
    assert lateness(words, heard.levels, 0) == pytest.approx(late, abs=1)


def test_the_first_word_is_kept_when_all_are_moved() -> None:
    said = [word(0, 10, "Una"), word(10, 26, "vez"), word(26, 54, "finalizada")]
    assert [one.text for one in refine(said, hearing((6, 60)), "base")] == ["Una", "vez", "finalizada"]


def test_the_last_word_before_a_pause_is_kept_when_all_are_moved() -> None:
    said = [word(20, 50, "I"), word(50, 84, "need"), word(84, 90, "it.")]
    *_, need, it = refine(said, hearing((20, 89)), "base")
    assert (need.text, it.text) == ("need", "it.")
    assert need.end <= it.start < it.end == 89


def test_a_word_placed_far_off_finds_its_sound_by_how_long_it_is_written() -> None:
    heard = hearing((50, 150), (156, 170))
    written = [word(50, 120, "microphone"), word(120, 166, "the"), word(166, 170, "rattles")]
    refined = refine(written, heard, MODEL)
    assert refined[-1].start < 160
    assert refined[0].end - refined[0].start > 3 * (refined[1].end - refined[1].start)


def test_a_word_without_length_gets_some_of_the_sound_around_it() -> None:
    refined = refine([word(50, 80, "people"), word(80, 80, "move"), word(80, 110, "things")], hearing((50, 110)), MODEL)
    assert [one.text for one in refined] == ["people", "move", "things"]
    assert all(one.end - one.start >= 8 for one in refined)
