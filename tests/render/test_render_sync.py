"""Flash and beep stay together through sixty cuts, whatever the footage's rate and however its pictures get there."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.render.render_media import (
    Media,
    Writer,
    audio_clip,
    describe,
    edit,
    lumas,
    run,
    samples,
    video_clip,
    yuv_frame,
)

pytestmark = pytest.mark.media

CUTS = 60
SECONDS = 12
TICKS = 90_000


def as_delivered(stream: av.VideoStream) -> None:
    context = stream.codec_context
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1


def constant(rate: Fraction) -> list[int]:
    return [round(n / rate * TICKS) for n in range(int(SECONDS * rate))]


def variable() -> list[int]:
    """From 20 to 60 pictures a second, without order."""
    steps = np.random.default_rng(7).integers(1500, 4500, SECONDS * 60)
    times = np.concatenate([[0], np.cumsum(steps)])
    return [int(time) for time in times if time < SECONDS * TICKS]


def flashes_and_beeps(path: Path, times: list[int], rate: Fraction, *, copyable: bool = False) -> Media:
    """In every second white from a third of it for 2/15 s, and a beep that begins with the first white picture."""
    dark, white = (yuv_frame(np.full((90, 160), value, np.uint8)) for value in (20, 230))
    lit = [TICKS // 3 <= time % TICKS < TICKS * 7 // 15 for time in times]
    wave = np.zeros(SECONDS * 48_000, np.float32)
    turned_on = [time for time, before, now in zip(times[1:], lit, lit[1:], strict=False) if now and not before]
    for time in turned_on:
        begin = round(time * 48_000 / TICKS)
        wave[begin : begin + 4800] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4800) / 48_000)
    options = {"preset": "veryfast", "profile": "high", "g": "6"}
    frames = ((time, white if on else dark) for time, on in zip(times, lit, strict=True))
    writer = Writer(path, codec_options=options, configure=as_delivered if copyable else None)
    writer.write(frames, (160, 90), sound=np.stack([wave, wave]), sound_codec="aac")
    return describe(path, rate=rate)


def offsets_ms(video: Path, rate: Fraction) -> list[float]:
    """For each flash, how much later its beep begins, in milliseconds."""
    brightness = [luma.mean() for luma in lumas(video)]
    flashes = [n + 1 for n, (before, now) in enumerate(pairwise(brightness)) if before <= 125 < now]
    loud = np.flatnonzero(np.abs(samples(video)[0]) > 0.05)
    beeps = loud[np.r_[True, np.diff(loud) > 4800]]
    assert len(beeps) == len(flashes)
    return [beep / 48 - float(flash / rate * 1000) for beep, flash in zip(beeps, flashes, strict=True)]


def cut_sixty_times(media: Media, rate: Fraction, folder: Path) -> tuple[Path, int]:
    """Pieces of about half a second, each with one whole flash; the file, and how many frames were copied into it."""
    chosen = np.random.default_rng(5)
    video, sound, position = [], [], 0
    for _ in range(CUTS + 1):
        first = int((int(chosen.integers(0, SECONDS - 1)) + Fraction(int(chosen.integers(2, 20)), 100)) * rate)
        length = int(Fraction(int(chosen.integers(48, 62)), 100) * rate)
        video.append(video_clip(media, position, length, first, rate))
        sound.append(audio_clip(media, position, length, first, rate, fade_in=96, fade_out=96))
        position += length
    result = run(edit([media], video, sound, canvas=(160, 90), rate=rate), [media], folder / "o")
    assert result.report.picture is not None
    return result.video, result.report.picture.copied_frames


RATES = [Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(30), Fraction(60)]


@pytest.mark.parametrize("rate", RATES, ids=["23.976", "25", "29.97", "30", "60"])
def test_footage_of_constant_rate(rate: Fraction, tmp_path: Path) -> None:
    media = flashes_and_beeps(tmp_path / "flash.mp4", constant(rate), rate)
    video, copied = cut_sixty_times(media, rate, tmp_path)
    found = offsets_ms(video, rate)
    assert copied == 0
    assert len(found) == CUTS + 1
    assert np.abs(found).max() <= float(1000 / rate)
    assert abs(found[-1] - found[0]) < 2


def test_footage_of_variable_rate(tmp_path: Path) -> None:
    media = flashes_and_beeps(tmp_path / "flash.mp4", variable(), Fraction(30))
    video, _ = cut_sixty_times(media, Fraction(30), tmp_path)
    found = offsets_ms(video, Fraction(30))
    assert len(found) == CUTS + 1
    assert np.abs(found).max() <= 1000 / 30


def test_pictures_that_are_copied(tmp_path: Path) -> None:
    rate = Fraction(30_000, 1001)
    media = flashes_and_beeps(tmp_path / "flash.mp4", constant(rate), rate, copyable=True)
    video, copied = cut_sixty_times(media, rate, tmp_path)
    found = offsets_ms(video, rate)
    assert copied > 300
    assert len(found) == CUTS + 1
    assert np.abs(found).max() <= float(1000 / rate)
    assert abs(found[-1] - found[0]) < 2
