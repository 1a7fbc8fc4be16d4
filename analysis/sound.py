"""Loudness, speech, silence and room tone of an asset's dialogue."""

import numpy as np
from numpy.typing import NDArray

from analysis.hearing import DIGITAL_SILENCE_DBFS, LEVEL_FRAME, Hearing, span_of
from analysis.music import find_music
from analysis.recording import Recording
from analysis.voice import VOICE_ON, runs_of, speech_runs
from schemas.facts import Sound, Span
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Shortest silence told (schemas: "at least 100 ms").
MIN_SILENCE_FRAMES = 10
#: A click this short inside a silence does not end it, as long as it is no voice.
MAX_CLICK_FRAMES = 2
#: How far, in level frames, speech is grown over the sound next to it.
SPEECH_REACH = 40
#: Cut from both ends of a room-tone stretch: breath and reverberation.
_ROOM_TONE_MARGIN = 5


class SoundParameters(Model):
    """Nothing to choose."""


def measure_sound(recording: Recording, progress: ProgressCallback = ignore_progress) -> Sound:
    """Measure a file's dialogue; a file without sound has none of it."""
    wave, probabilities, hearing = recording.wave, recording.voice(progress), recording.hearing
    silences = silent_runs(hearing)
    progress(1.0)
    return Sound(
        integrated_lufs=recording.levels.integrated_lufs,
        true_peak_dbtp=recording.levels.true_peak_dbtp,
        noise_floor_dbfs=hearing.floor,
        channel_mix=recording.mix,
        speech=tuple(span_of(start, end, len(wave)) for start, end in _speech(hearing, speech_runs(probabilities))),
        silences=tuple(span_of(a * LEVEL_FRAME, b * LEVEL_FRAME, len(wave)) for a, b in silences),
        room_tone=_room_tone(hearing, silences, len(wave)),
        music=find_music(wave, recording.kept),
        clipped_share=round(recording.levels.clipped_share, 6),
    )


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
