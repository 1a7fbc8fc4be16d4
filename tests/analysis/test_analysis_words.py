"""Words put where they are heard."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.listening import SPEECH_RATE
from analysis.sound import Hearing
from analysis.transcript import MAX_WINDOW_S, pack, without_loops
from analysis.words import USUAL_LATENESS, TimedWord, refine

pytestmark = pytest.mark.unit


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
    (found,) = refine([word(60 + USUAL_LATENESS, 180 + USUAL_LATENESS)], hearing((100, 150)))
    assert (found.start, found.end) == (100, 150)


def test_a_word_placed_early_after_a_pause_goes_to_its_sound() -> None:
    first, second = refine([word(50, 107), word(107, 230)], hearing((50, 100), (200, 250)))
    assert (first.start, first.end) == (50, 100)
    assert second.start == 200
    assert second.end <= 250


def test_a_word_where_nothing_is_heard_is_dropped() -> None:
    assert refine([word(100, 150)], hearing((300, 350))) == []


def test_boundaries_move_to_the_dip_between_words() -> None:
    heard = hearing((100, 200))
    heard.levels[148:151] = -45
    before, after = refine([word(100, 155 + USUAL_LATENESS), word(155 + USUAL_LATENESS, 200)], heard)
    assert before.end == after.start
    assert 148 <= after.start <= 151


@given(st.lists(st.tuples(st.integers(0, 380), st.integers(1, 60)), max_size=40))
def test_whatever_is_guessed_words_come_in_order_apart_and_audible(guesses: list[tuple[int, int]]) -> None:
    heard = hearing((20, 90), (120, 130), (160, 300))
    refined = refine([word(start, start + length) for start, length in guesses], heard)
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
