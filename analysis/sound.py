"""Loudness, speech, silence and room tone of an asset's dialogue, in one pass over its sound."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.channels import find_mix
from analysis.listening import SPEECH_RATE, Waveform, record_dialogue
from analysis.loudness import LoudnessMeter
from analysis.progressing import in_steps, stage
from analysis.voice import (
    VOICE_FRAME,
    VOICE_ON,
    Levels,
    levels_dbfs,
    runs_of,
    speaking_gain,
    speech_runs,
    voice_probabilities,
)
from schemas.facts import Sound, Span
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Samples of a level frame: 10 ms.
LEVEL_FRAME = SPEECH_RATE // 100
#: Shortest silence told (schemas: "at least 100 ms").
MIN_SILENCE_FRAMES = 10
#: A click this short inside a silence does not end it, as long as it is no voice.
MAX_CLICK_FRAMES = 2
#: Below this a frame is digital silence: half a step of 16 bits, seldom reached by any microphone.
DIGITAL_SILENCE_DBFS = -95.0
#: Silence lies within this part of the way from the noise floor up to speech, bounded in dB.
SILENCE_SHARE = 0.35
MIN_SILENCE_RISE_DB = 4.0
MAX_SILENCE_RISE_DB = 12.0
#: What is this far below the speech is not heard beside it, however quiet the room is.
INAUDIBLE_DB = 45.0
#: How far, in level frames, speech is grown over the sound next to it.
SPEECH_REACH = 40
_FLOOR_PERCENTILE = 10
_FLOOR_PERCENTILE_OF_ALL = 2
_SPEECH_PERCENTILE = 60
#: Frames without voice that make a noise floor worth measuring on them alone.
_ENOUGH_FRAMES = 30
#: Cut from both ends of a room-tone stretch: breath and reverberation.
_ROOM_TONE_MARGIN = 5


class SoundParameters(Model):
    """Nothing to choose."""


@dataclass(frozen=True)
class Hearing:
    """A recording's levels (dBFS) and voice in frames of 10 ms, and what was made of them.

    ``range_db`` is how far speech stands above the noise floor.
    """

    levels: Levels
    voice: Levels
    floor: float | None
    silence_below: float
    range_db: float = 0.0


def measure_sound(path: Path, probe: MediaProbe, progress: ProgressCallback = ignore_progress) -> Sound:
    """Measure the dialogue stream of a probed file; a file without sound has none of it.

    Raises:
        MediaRefused: when most of the sound is damaged.
    """
    progress = in_steps(progress)
    mix, meter = find_mix(path, probe), LoudnessMeter()
    wave = record_dialogue(path, probe, mix, tap=meter.add, progress=stage(progress, 0, 0.5))
    probabilities = voice_of(wave, stage(progress, 0.5, 1))
    hearing = hear(wave, probabilities)
    silences = silent_runs(hearing)
    progress(1.0)
    return Sound(
        integrated_lufs=meter.integrated_lufs,
        true_peak_dbtp=meter.true_peak_dbtp,
        noise_floor_dbfs=hearing.floor,
        channel_mix=mix,
        speech=tuple(span_of(start, end, len(wave)) for start, end in _speech(hearing, speech_runs(probabilities))),
        silences=tuple(span_of(a * LEVEL_FRAME, b * LEVEL_FRAME, len(wave)) for a, b in silences),
        room_tone=_room_tone(hearing, silences, len(wave)),
    )


def voice_of(wave: Waveform, progress: ProgressCallback = ignore_progress) -> Levels:
    """Voice probabilities of a recording, its level made right first; all zero for digital silence."""
    levels = levels_dbfs(wave, VOICE_FRAME)
    if not len(levels) or levels.max() < DIGITAL_SILENCE_DBFS:
        return np.zeros(len(levels), np.float32)
    return voice_probabilities(wave, speaking_gain(levels), progress)


def hear(wave: Waveform, probabilities: Levels) -> Hearing:
    """Levels, voice, noise floor and the level under which this recording counts as silent."""
    levels = levels_dbfs(wave, LEVEL_FRAME)
    centres = (np.arange(len(levels)) * LEVEL_FRAME + LEVEL_FRAME // 2) // VOICE_FRAME
    voice = probabilities[np.minimum(centres, len(probabilities) - 1)] if len(probabilities) else levels
    floor = _noise_floor(levels, voice)
    if floor is None:
        return Hearing(levels, voice, None, DIGITAL_SILENCE_DBFS)
    spoken = levels[voice > VOICE_ON]
    range_db = float(np.percentile(spoken, _SPEECH_PERCENTILE)) - floor if len(spoken) else 0.0
    rise = float(np.clip(range_db * SILENCE_SHARE, MIN_SILENCE_RISE_DB, MAX_SILENCE_RISE_DB))
    return Hearing(levels, voice, floor, floor + max(rise, range_db - INAUDIBLE_DB), range_db)


def _noise_floor(levels: Levels, voice: Levels) -> float | None:
    audible = levels > DIGITAL_SILENCE_DBFS
    if not audible.any():
        return None
    quiet = levels[audible & (voice < VOICE_ON)]
    if len(quiet) >= _ENOUGH_FRAMES:
        return float(np.percentile(quiet, _FLOOR_PERCENTILE))
    return float(np.percentile(levels[audible], _FLOOR_PERCENTILE_OF_ALL))


def silent_runs(hearing: Hearing) -> list[tuple[int, int]]:
    """Runs of 10 ms frames near the noise floor and without voice, long enough to tell."""
    unvoiced = hearing.voice < VOICE_ON
    quiet = (hearing.levels < hearing.silence_below) & unvoiced
    for start, end in runs_of(~quiet & unvoiced):
        if end - start <= MAX_CLICK_FRAMES:
            quiet[start:end] = True
    return [(start, end) for start, end in runs_of(quiet) if end - start >= MIN_SILENCE_FRAMES]


def _speech(hearing: Hearing, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs of voice in samples, grown over the sound next to them: the model misses soft first and last consonants."""
    loud = hearing.levels >= hearing.silence_below
    grown: list[tuple[int, int]] = []
    for position, (start, end) in enumerate(runs):
        first, last = start // LEVEL_FRAME, -(-end // LEVEL_FRAME)
        following = runs[position + 1][0] // LEVEL_FRAME if position + 1 < len(runs) else len(loud)
        preceding = grown[-1][1] // LEVEL_FRAME if grown else 0
        before = loud[max(preceding, first - SPEECH_REACH) : first][::-1]
        after = loud[last : min(following, last + SPEECH_REACH)]
        begin = min(start, (first - _holds(before)) * LEVEL_FRAME)
        grown.append((begin, max(end, (last + _holds(after)) * LEVEL_FRAME)))
    return grown


def _holds(mask: NDArray[np.bool_]) -> int:
    """For how many frames from its beginning a mask holds."""
    return len(mask) if mask.all() else int(np.argmin(mask))


def _room_tone(hearing: Hearing, silences: list[tuple[int, int]], samples: int) -> Span | None:
    mask = np.zeros(len(hearing.levels), np.bool_)
    for start, end in silences:
        mask[start:end] = True
    mask &= hearing.levels > DIGITAL_SILENCE_DBFS
    start, end = max(runs_of(mask), key=lambda run: run[1] - run[0], default=(0, 0))
    start, end = start + _ROOM_TONE_MARGIN, end - _ROOM_TONE_MARGIN
    return span_of(start * LEVEL_FRAME, end * LEVEL_FRAME, samples) if start < end else None


def span_of(start: int, end: int, limit: int) -> Span:
    """A run of samples at ``SPEECH_RATE``, no longer than the recording, on the media clock."""
    return Span(start_us=_microseconds(min(start, limit)), end_us=_microseconds(min(end, limit)))


def _microseconds(sample: int) -> int:
    return sample * 1_000_000 // SPEECH_RATE
