"""What a recording's level and voice say together: how loud its room is, and what counts as silence in it."""

from dataclasses import dataclass

import numpy as np

from analysis.kept_sound import KeptSound, Voice
from analysis.listening import SPEECH_RATE, Waveform
from analysis.voice import VOICE_FRAME, VOICE_ON, VOICE_STRETCH, Levels, VoiceFinder, levels_dbfs, speaking_gain
from schemas.facts import Span
from schemas.progress import ProgressCallback, ignore_progress

#: Samples of a level frame: 10 ms.
LEVEL_FRAME = SPEECH_RATE // 100
#: Below this a frame is digital silence: half a step of 16 bits, seldom reached by any microphone.
DIGITAL_SILENCE_DBFS = -95.0
#: Silence lies within this part of the way from the noise floor up to speech, bounded in dB.
SILENCE_SHARE = 0.35
MIN_SILENCE_RISE_DB = 4.0
MAX_SILENCE_RISE_DB = 12.0
#: What is this far below the speech is not heard beside it, however quiet the room is.
INAUDIBLE_DB = 45.0
_FLOOR_PERCENTILE = 10
_FLOOR_PERCENTILE_OF_ALL = 2
_SPEECH_PERCENTILE = 60
#: Frames without voice that make a noise floor worth measuring on them alone.
_ENOUGH_FRAMES = 30


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


def voice_of(wave: Waveform, kept: KeptSound, progress: ProgressCallback = ignore_progress) -> Levels:
    """Voice probabilities of a recording, its level made right first; all zero for digital silence."""
    levels = levels_dbfs(wave, VOICE_FRAME)
    if not len(levels) or levels.max() < DIGITAL_SILENCE_DBFS:
        return np.zeros(len(levels), np.float32)
    finder = VoiceFinder(wave, speaking_gain(levels), progress)
    return kept.completed(Voice, len(levels), VOICE_STRETCH, finder.find)


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


def span_of(start: int, end: int, limit: int) -> Span:
    """A run of samples at ``SPEECH_RATE``, no longer than the recording, on the media clock."""
    return Span(start_us=_microseconds(min(start, limit)), end_us=_microseconds(min(end, limit)))


def _microseconds(sample: int) -> int:
    return sample * 1_000_000 // SPEECH_RATE
