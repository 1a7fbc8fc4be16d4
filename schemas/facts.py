"""What analysis measured in an asset. All times are microseconds on the media clock (see ``schemas.timebase``)."""

from base64 import b64decode, b64encode
from enum import StrEnum
from typing import Annotated, Self

from annotated_types import Ge, Le, Len
from pydantic import BeforeValidator, PlainSerializer, model_validator

from schemas.media import AssetKind, MediaProbe
from schemas.model import Model
from schemas.timebase import Microseconds

Unit = Annotated[float, Ge(0), Le(1)]
SignedUnit = Annotated[float, Ge(-1), Le(1)]
NotNegative = Annotated[float, Ge(0)]


def _bytes(value: object) -> object:
    return b64decode(value, validate=True) if isinstance(value, str) else value


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


#: A vector's direction: its numbers as whole ones from -127 to 127, a signed byte each; in JSON as base64.
Embedded = Annotated[
    bytes, Len(1, 4096), BeforeValidator(_bytes), PlainSerializer(_base64, return_type=str, when_used="json")
]


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
    """What was said. ``model`` is ``None`` where no recogniser could be had, and ``note`` then says why.

    ``fillers`` are sounds of hesitation (um, uh, äh) found by ear, in order; recognisers leave them out of the text.
    """

    model: str | None
    language: str | None = None
    language_probability: Unit = 0.0
    words: tuple[Word, ...] = ()
    fillers: tuple[Span, ...] = ()
    note: str | None = None


class TransitionKind(StrEnum):
    """How one picture becomes another over several frames; ``fade`` goes to or comes from black or white."""

    DISSOLVE = "dissolve"
    FADE = "fade"
    WIPE = "wipe"


class Transition(Span):
    """A gradual change: from the first frame that is no longer the old picture to the first that is only the new."""

    kind: TransitionKind


class Shots(Model):
    """Shots in order; each starts on the first frame of its picture. Together they cover the whole stream.

    Shots meet at hard cuts, in the middle of each range of ``gradual`` that leads from one picture to another, and
    where the picture begins to fade in again after black or white.
    """

    shots: tuple[Span, ...]
    gradual: tuple[Transition, ...] = ()


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
    """One face followed within one shot, samples in time order; ``speaking`` is when it is the one that speaks."""

    samples: tuple[FaceSample, ...]
    speaking: tuple[Span, ...] = ()


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
    stretch of quiet that is not digital silence. ``music`` is sound with a held pitch, sung or played;
    ``clipped_share`` the share of samples that were cut off at the recorder's ceiling.
    """

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    noise_floor_dbfs: float | None
    channel_mix: ChannelMix = ChannelMix.ALL
    speech: tuple[Span, ...] = ()
    silences: tuple[Span, ...] = ()
    room_tone: Span | None = None
    music: tuple[Span, ...] = ()
    clipped_share: Unit = 0.0


class PictureMeasures(Model):
    """How a picture looks and moves: at one time, or the medians of a stretch.

    Attributes:
        exposure: mean luma, 0 (black) to 1 (white) of the nominal range, gamma as recorded.
        shadows: the luma that 5 % of the picture lies below, in the same unit.
        highlights: the luma that 5 % of the picture lies above, in the same unit.
        warmth: mean colour cast from blue (-1) to amber (1), of the largest chroma there is; 0 is neutral.
        tint: mean colour cast from green (-1) to magenta (1), likewise.
        saturation: mean chroma, 0 to 1.
        sharpness: detail at the limit of the analysed picture, just over 0 (blurred) to 1; 0 where there are
            no edges to tell by. Compare within one asset.
        move_x: movement of the whole picture's content to the right (the camera's to the left), in widths a second.
        move_y: movement of the content downwards, in heights a second.
        motion: mean movement or change of the picture's parts, the camera's included, in widths a second.
        shake: root mean square by which the picture strays from its smooth path, in widths.
    """

    exposure: Unit
    shadows: Unit
    highlights: Unit
    warmth: SignedUnit
    tint: SignedUnit
    saturation: Unit
    sharpness: Unit
    move_x: float
    move_y: float
    motion: NotNegative
    shake: NotNegative


class PictureSample(PictureMeasures):
    """The measures of the ``Picture.step_us`` that begins at ``at_us``."""

    at_us: Microseconds


class CameraMove(StrEnum):
    """How the camera moves through a shot; ``moving`` has no one direction."""

    STILL = "still"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    MOVING = "moving"


class ShotPicture(Span):
    """A shot in one glance: medians over its samples, and where the camera goes."""

    measures: PictureMeasures
    camera: CameraMove


class Picture(Model):
    """How the picture looks and moves over time.

    ``samples`` come every ``step_us``; ``shots`` are those of ``Shots``. ``usable`` are the stretches fit for B-roll:
    within one shot, steady, sharp for this asset, neither black nor burnt out, and no shorter than a second.
    """

    step_us: Microseconds
    samples: tuple[PictureSample, ...]
    shots: tuple[ShotPicture, ...] = ()
    usable: tuple[Span, ...] = ()


class Region(Model):
    """A part of the picture, in fractions of the display size."""

    left: Unit
    top: Unit
    width: Unit
    height: Unit


class ChangedRegion(Span):
    """A part of a screen in which something changed; ``share`` of the screen's area changed within it."""

    region: Region
    share: Unit


class PointerSample(Model):
    """Where the pointer was, in fractions of the display size, while it moved."""

    at_us: Microseconds
    x: Unit
    y: Unit


class Activity(Model):
    """What happens on a screen recording: changed regions and the moving pointer, each in time order.

    Nothing is told while nothing changes: the last region and pointer still hold.
    """

    step_us: Microseconds
    changes: tuple[ChangedRegion, ...] = ()
    pointer: tuple[PointerSample, ...] = ()


class Alignment(Model):
    """Where a separate audio track lies against a camera's sound.

    Track time = reference time + ``offset_us`` + reference time * ``drift_ppm`` / 1e6. ``correlation`` is how alike
    their levels then are; a track that is another recording of the same sound is well above 0.5, one of another is 0.
    """

    reference_sha256: str
    offset_us: int
    drift_ppm: float
    correlation: Unit

    def in_reference(self, track_us: int) -> int:
        """The reference's time, in microseconds, of one of the track's."""
        return round((track_us - self.offset_us) / (1 + self.drift_ppm / 1_000_000))


class EmbeddingSpace(Model):
    """What made vectors, which are comparable with those of the same space alone.

    ``model`` names it with everything that its vectors depend on. A picture and a text that have nothing to do with
    each other have about the cosine ``unrelated``; from ``related`` on a picture is taken to show what the text says.
    """

    model: str
    unrelated: SignedUnit
    related: SignedUnit


class EmbeddedFrame(Model):
    """A frame by what it shows; until the next one, or the end of its shot, much the same is shown."""

    at_us: Microseconds
    vector: Embedded


class ImageEmbeddings(Model):
    """What is shown, as vectors of some frames in time order; ``space`` is ``None`` where no model could be had."""

    space: EmbeddingSpace | None
    frames: tuple[EmbeddedFrame, ...] = ()
    note: str | None = None


class EmbeddedPassage(Span):
    """What is said from one word's start to another's end, by what it is about."""

    vector: Embedded


class SpeechEmbeddings(Model):
    """What is said, as vectors of passages in time order: sentences, or as much of long ones as a model takes.

    ``space`` is ``None`` where no model could be had, or none that knows the language.
    """

    space: EmbeddingSpace | None
    passages: tuple[EmbeddedPassage, ...] = ()
    note: str | None = None


class AssetFacts(Model):
    """Everything known of one asset. A fact is ``None`` where it does not apply to the asset's kind or streams.

    ``alignments`` are those of a separate recording to the project's A-roll. ``tags`` and ``description`` are its
    creator's own words for what is to be seen or heard.
    """

    asset_id: str
    name: str
    kind: AssetKind
    sha256: str
    tags: tuple[str, ...] = ()
    description: str = ""
    probe: MediaProbe
    transcript: Transcript | None = None
    shots: Shots | None = None
    faces: Faces | None = None
    sound: Sound | None = None
    picture: Picture | None = None
    activity: Activity | None = None
    alignments: tuple[Alignment, ...] = ()
    image_embeddings: ImageEmbeddings | None = None
    speech_embeddings: SpeechEmbeddings | None = None
