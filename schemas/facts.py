"""What analysis measured in an asset. All times are microseconds on the media clock (see ``schemas.timebase``)."""

from enum import StrEnum
from typing import Annotated, Self

from annotated_types import Ge, Le
from pydantic import model_validator

from schemas.media import AssetKind, MediaProbe
from schemas.model import Model
from schemas.timebase import Microseconds

Unit = Annotated[float, Ge(0), Le(1)]


class Span(Model):
    """Half-open interval ``[start_us, end_us)``."""

    start_us: Microseconds
    end_us: Microseconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_us < self.start_us:
            raise ValueError(f"span ends at {self.end_us} us, before its start at {self.start_us} us")
        return self

    @property
    def duration_us(self) -> int:
        return self.end_us - self.start_us


class Word(Span):
    """A spoken word as written (punctuation attached), with the recogniser's probability."""

    text: str
    probability: Unit


class Transcript(Model):
    """What was said. ``model`` is ``None`` where no recogniser could be had, and ``note`` then says why."""

    model: str | None
    language: str | None = None
    language_probability: Unit = 0.0
    words: tuple[Word, ...] = ()
    note: str | None = None


class Shots(Model):
    """Shots in order; each starts on the first frame of its picture. Together they cover the whole stream."""

    shots: tuple[Span, ...]


class FaceSample(Model):
    """One face at one time; the box is in fractions of the display size, ``eyes_y`` the height of the eyes' line."""

    at_us: Microseconds
    left: Unit
    top: Unit
    width: Unit
    height: Unit
    eyes_y: Unit
    score: Unit


class FaceTrack(Model):
    """One face followed within one shot, samples in time order."""

    samples: tuple[FaceSample, ...]


class Faces(Model):
    """Face tracks at the sampling step ``step_us``. ``detector`` is ``None`` where none could be had (see ``note``)."""

    detector: str | None
    step_us: Microseconds
    tracks: tuple[FaceTrack, ...] = ()
    note: str | None = None


class ChannelMix(StrEnum):
    """How a sound stream's channels become the dialogue: all of them, one of them, or the first minus the second."""

    ALL = "all"
    LEFT = "left"
    RIGHT = "right"
    DIFFERENCE = "difference"


class Sound(Model):
    """Loudness, speech and silence of the dialogue stream.

    ``integrated_lufs`` (ITU-R BS.1770-4) and the levels are ``None`` for digital silence. ``speech`` is voice activity;
    ``silences`` are stretches of at least 100 ms near the noise floor with no voice. ``room_tone`` is the longest
    stretch of quiet that is not digital silence.
    """

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    noise_floor_dbfs: float | None
    channel_mix: ChannelMix = ChannelMix.ALL
    speech: tuple[Span, ...] = ()
    silences: tuple[Span, ...] = ()
    room_tone: Span | None = None


class Alignment(Model):
    """Where a separate audio track lies against a camera's sound.

    Track time = reference time + ``offset_us`` + reference time * ``drift_ppm`` / 1e6. ``correlation`` is the peak of
    the normalised cross-correlation; a track that is another recording of the same sound is well above 0.5.
    """

    reference_sha256: str
    offset_us: int
    drift_ppm: float
    correlation: Unit


class AssetFacts(Model):
    """Everything known of one asset. A fact is ``None`` where it does not apply to the asset's kind or streams."""

    asset_id: str
    name: str
    kind: AssetKind
    sha256: str
    probe: MediaProbe
    transcript: Transcript | None = None
    shots: Shots | None = None
    faces: Faces | None = None
    sound: Sound | None = None
    alignment: Alignment | None = None
