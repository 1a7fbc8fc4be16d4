"""What directing costs: processor time of planning ten hours of talk, and how that grows with the talk's length.

And of ten hours said so fast that few captions have time to be read, which takes the longest search for their breaks.
"""

from dataclasses import dataclass
from fractions import Fraction
from random import Random
from statistics import median
from time import process_time

from benchmarks.frame import Figures
from benchmarks.timing import median_ratio
from director import PlanOptions, plan
from schemas.edl import Variant
from schemas.facts import AssetFacts, Shots, Sound, Span, Transcript, Word
from schemas.media import AssetKind, AudioStream, MediaProbe, VideoStream

NAME = "director"

_HOURS, _FEWER_HOURS = 10, 5
_ROUNDS = 2
_WORDS = ("you", "never", "this", "camera", "seven", "light", "why", "the", "lens", "can", "hold", "what", "we", "need")
_TICKS = 90_000


@dataclass(frozen=True)
class _Speech:
    """The least and the most that a word, the gap after it and the pause after a sentence last, in milliseconds."""

    word: tuple[int, int]
    gap: tuple[int, int]
    pause: tuple[int, int]


_USUAL = _Speech(word=(120, 450), gap=(0, 120), pause=(200, 1500))
#: About 230 words a minute, pauses included.
_FAST = _Speech(word=(80, 300), gap=(0, 60), pause=(100, 900))


def run() -> Figures:
    long, short, fast = _talk(_HOURS, _USUAL), _talk(_FEWER_HOURS, _USUAL), _talk(_HOURS, _FAST)
    figures: Figures = {}
    for variant in Variant:
        costs = [(_cost_s(long, variant), _cost_s(short, variant)) for _ in range(_ROUNDS)]
        figures[f"{variant}.cpu_s_for_10_hours"] = median(ten for ten, _ in costs)
        figures[f"{variant}.10_hours_vs_5"] = median_ratio(costs)
        figures[f"{variant}.cpu_s_for_10_fast_hours"] = median(_cost_s(fast, variant) for _ in range(_ROUNDS))
    return figures


def _cost_s(talk: AssetFacts, variant: Variant) -> float:
    started = process_time()
    plan([talk], variant, PlanOptions())
    return process_time() - started


def _talk(hours: int, speech: _Speech) -> AssetFacts:
    """Sentences of 4 to 18 words with pauses, in one shot."""
    length_us = hours * 3_600_000_000
    words = tuple(_words(length_us - 10_000_000, speech))
    return AssetFacts(
        asset_id="talk",
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        sha256="a" * 64,
        probe=_probe(length_us),
        transcript=Transcript(model="none", language="en", language_probability=1.0, words=words),
        shots=Shots(shots=(Span(start_us=0, end_us=length_us),)),
        sound=Sound(integrated_lufs=-20.0, true_peak_dbtp=-3.0, noise_floor_dbfs=-60.0, speech=words),
    )


def _words(until_us: int, speech: _Speech) -> list[Word]:
    rng, at_us = Random(1), 1_000_000
    words: list[Word] = []
    while at_us < until_us:
        count = rng.randint(4, 18)
        for place in range(count):
            text = rng.choice(_WORDS)
            text = text.capitalize() if place == 0 else text
            end_us = at_us + 1000 * rng.randint(*speech.word)
            full_stop = "." if place == count - 1 else ""
            words.append(Word(start_us=at_us, end_us=end_us, text=text + full_stop, probability=0.9))
            at_us = end_us + 1000 * rng.randint(*speech.gap)
        at_us += 1000 * rng.randint(*speech.pause)
    return words


def _probe(length_us: int) -> MediaProbe:
    video = VideoStream(
        index=0,
        codec="h264",
        coded_width=1920,
        coded_height=1080,
        display_width=1920,
        display_height=1080,
        time_base=Fraction(1, _TICKS),
        start_pts=0,
        end_pts=length_us * _TICKS // 1_000_000,
        frame_rate=Fraction(30),
        measured_rate=Fraction(30),
        variable_frame_rate=False,
        frame_count=length_us * 30 // 1_000_000,
        pixel_format="yuv420p",
    )
    audio = AudioStream(
        index=1, codec="aac", sample_rate=48_000, channels=2, layout="stereo", start_us=0, end_us=length_us
    )
    return MediaProbe(
        container="mp4",
        size_bytes=1,
        origin=Fraction(0),
        duration_us=length_us,
        video=video,
        audio=(audio,),
        dialogue_stream=0,
    )
