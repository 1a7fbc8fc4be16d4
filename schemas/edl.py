"""The edit decision list: what is shown and heard, from where, and why.

Time on the timeline is an integer frame at ``EDL.rate``. Picture in and out points are ticks of the source stream's
time base (as stored in the file); sound in points are samples at ``EDL.sample_rate`` counted from the source's
media-clock zero. Gains are millibels (1/100 dB), crops are display pixels: no float anywhere, so the JSON is stable
byte for byte.

Which source frame a timeline frame shows: for clip-relative frame ``n`` it is the last source frame whose tick is at or
before ``source_in * time_base + (n + 1/2) / rate`` seconds. Sampling at the middle of the frame makes a constant-rate
source map one to one whatever its ticks round to, and turns a variable-rate source into a constant one without drift.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Final, Literal, Self, TypeVar

from annotated_types import Ge, Gt, Le, Len, MultipleOf
from pydantic import StringConstraints, model_validator

from schemas.facts import ChannelMix
from schemas.media import AssetKind, Pixels
from schemas.model import Model
from schemas.timebase import Frames, Microseconds, Pts, Rate, Rational, Samples, TimeBase, frame_to_sample

SCHEMA_VERSION: Literal["cinema.edl/1"] = "cinema.edl/1"
SAMPLE_RATE: Literal[48000] = 48_000

FrameCount = Annotated[int, Gt(0)]
Millibels = Annotated[int, Ge(-10_000), Le(4_000)]
EvenOffset = Annotated[int, Ge(0), MultipleOf(2)]
EvenLength = Annotated[int, Gt(0), MultipleOf(2)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]


class Variant(StrEnum):
    CINEMATIC_FULL = "cinematic_full"
    SHORT_HIGHLIGHT = "short_highlight"
    HOOK_CUT = "hook_cut"
    VERTICAL_REEL = "vertical_reel"


class SourceVideo(Model):
    """What an edit needs to know of a source's picture stream; ``[start_pts, end_pts)`` is all there is of it."""

    stream_index: Annotated[int, Ge(0)]
    time_base: TimeBase
    start_pts: Pts
    end_pts: Pts
    frame_rate: Rate
    display_width: Pixels
    display_height: Pixels


class SourceAudio(Model):
    """What an edit needs to know of a source's sound stream; ``samples`` counts from the media clock's zero."""

    stream_index: Annotated[int, Ge(0)]
    samples: Annotated[int, Gt(0)]
    channel_mix: ChannelMix = ChannelMix.ALL


class Source(Model):
    """An asset this edit uses, identified by its content."""

    id: Identifier
    name: str
    kind: AssetKind
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    origin: Rational
    video: SourceVideo | None = None
    audio: SourceAudio | None = None


class CropKey(Model):
    """The part of the source that fills the clip's area at clip-relative ``frame``, in display pixels.

    Between keys the crop moves as the clip's ``motion`` says; before the first and after the last it stands still.
    """

    frame: Frames
    x: Annotated[int, Ge(0)]
    y: Annotated[int, Ge(0)]
    width: Pixels
    height: Pixels


class Motion(StrEnum):
    """How a crop gets from key to key: at one speed, or starting and arriving at rest."""

    LINEAR = "linear"
    SMOOTH = "smooth"


class Place(Model):
    """The part of the canvas that an overlay is shown in, in canvas pixels; all even, as 4:2:0 chroma has to be."""

    x: EvenOffset
    y: EvenOffset
    width: EvenLength
    height: EvenLength


class Fit(StrEnum):
    """How the cropped picture meets the canvas: filling it exactly, or whole over a blurred copy of itself."""

    FILL = "fill"
    BLURRED = "blurred"


class Look(StrEnum):
    """A named look: what it does to colours is the renderer's."""

    CINEMA = "cinema"


class Grade(Model):
    """What is done to a clip's colours, in this order.

    First what makes shots match, as gains of linear light: ``exposure_millistops`` brightens (1000 doubles it). Without
    changing how bright grey is, ``warmth`` takes blue to amber in hundredths of a stop of red against blue, and
    ``tint`` takes green to magenta in hundredths of a stop that green loses against both. Then contrast around mid grey
    and saturation around neutral, in percent, and brightness in video code values. Last the ``look``, of which
    ``look_percent`` is mixed in.
    """

    exposure_millistops: Annotated[int, Ge(-2000), Le(2000)] = 0
    warmth: Annotated[int, Ge(-100), Le(100)] = 0
    tint: Annotated[int, Ge(-100), Le(100)] = 0
    contrast_percent: Annotated[int, Ge(50), Le(150)] = 100
    saturation_percent: Annotated[int, Ge(0), Le(200)] = 100
    brightness: Annotated[int, Ge(-64), Le(64)] = 0
    look: Look | None = None
    look_percent: Annotated[int, Ge(0), Le(100)] = 100


class VideoClip(Model):
    """A stretch of picture. ``[source_in, source_out)`` lasts as long as the clip, to within a source tick.

    ``crop`` is empty for the whole picture. ``fade_in``/``fade_out`` are frames inside the clip, from and to black or,
    for an overlay with a place, what lies under it.
    ``dissolve_in`` mixes this clip's first frames with the base clip before it, which goes on beyond its out point out
    of its handles. ``place`` is the part of the canvas an overlay is shown in, ``None`` for all of it. ``reason`` names
    the decision that put the clip here.
    """

    id: Identifier
    source: Identifier
    start: Frames
    duration: FrameCount
    source_in: Pts
    source_out: Pts
    crop: tuple[CropKey, ...] = ()
    motion: Motion = Motion.LINEAR
    fit: Fit = Fit.FILL
    place: Place | None = None
    grade: Grade | None = None
    dissolve_in: Frames = 0
    fade_in: Frames = 0
    fade_out: Frames = 0
    reason: Identifier

    @property
    def end(self) -> int:
        return self.start + self.duration


class GainKey(Model):
    """Gain at clip-relative ``frame``; linear in decibels between keys (ducking)."""

    frame: Frames
    gain: Millibels


class AudioClip(Model):
    """A stretch of sound.

    A ``fade_in`` of n samples is taken from the n samples *before* the clip, out of handles before ``source_in``, so
    that at a join it runs against the previous clip's ``fade_out``, which lies in that clip's last n samples: together
    an equal-power crossfade. Where there is no timeline before the clip, the fade lies inside it.
    """

    id: Identifier
    source: Identifier
    start: Frames
    duration: FrameCount
    source_in: Samples
    gain: tuple[GainKey, ...] = ()
    fade_in: Samples = 0
    fade_out: Samples = 0
    reason: Identifier

    @property
    def end(self) -> int:
        return self.start + self.duration


class AudioRole(StrEnum):
    DIALOGUE = "dialogue"
    MUSIC = "music"
    ROOM_TONE = "room_tone"


#: Decibels by which steady noise is lowered: clearly less of it, and no gurgling where it is removed.
NOISE_REDUCTION_DB: Final = 8


class AudioTrack(Model):
    """Sound clips of one kind.

    ``noise_reduction`` takes steady noise down by ``NOISE_REDUCTION_DB`` under the whole track.
    """

    role: AudioRole
    noise_reduction: bool = False
    clips: tuple[AudioClip, ...]


class CaptionWord(Model):
    """A word of a caption and when it is said, in timeline frames ``[start, end)``."""

    text: Annotated[str, StringConstraints(min_length=1, pattern=r"^\S+$")]
    start: Frames
    end: Frames


class Caption(Model):
    """Text on screen for ``[start, end)``.

    ``words`` are what the lines are made of, in reading order, with the times each is said and so can be marked; empty
    where the times are not known. ``bottom`` is the canvas row that its text stands on, where that is not the last one
    of the caption area.
    """

    start: Frames
    end: Frames
    lines: Annotated[tuple[str, ...], Len(1, 2)]
    words: tuple[CaptionWord, ...] = ()
    bottom: Pixels | None = None


class CaptionLook(StrEnum):
    """How burned-in text stands out: on a dark box, by a dark outline, or outlined with the word being said marked."""

    BOXED = "boxed"
    OUTLINED = "outlined"
    HIGHLIGHT = "highlight"


class CaptionStyle(Model):
    """Whether captions are drawn into the picture, how, and the part of the canvas they may use, in canvas pixels."""

    burn_in: bool
    look: CaptionLook = CaptionLook.BOXED
    left: Annotated[int, Ge(0)]
    top: Annotated[int, Ge(0)]
    right: Pixels
    bottom: Pixels
    font_size: Pixels


class Evidence(Model):
    """A fact a decision rests on: what was measured, where in which source, and the value, for a person to check."""

    fact: str
    value: str
    source: Identifier | None = None
    start_us: Microseconds | None = None
    end_us: Microseconds | None = None


class CostShare(Model):
    """What a named part of the table of costs adds to the worth of an edit, in thousandths; costs are negative."""

    part: Identifier
    thousandths: int


class Decision(Model):
    """One thing the director did, in a sentence, where it shows on the timeline (if it does), and on what evidence.

    ``shares`` are what it adds to the worth of the edit and what it costs.
    """

    id: Identifier
    kind: Identifier
    sentence: str
    start: Frames | None = None
    end: Frames | None = None
    evidence: tuple[Evidence, ...] = ()
    shares: tuple[CostShare, ...] = ()


class Canvas(Model):
    width: Annotated[int, Gt(0), Le(7680)]
    height: Annotated[int, Gt(0), Le(7680)]

    @model_validator(mode="after")
    def _even(self) -> Self:
        if self.width % 2 or self.height % 2:
            raise ValueError(f"canvas {self.width}x{self.height} has an odd side; 4:2:0 video needs even ones")
        return self


Identified = TypeVar("Identified", Source, Decision, VideoClip | AudioClip)


class EDL(Model):
    """A complete edit of one output: gapless base track, overlays that cover it, sound, captions, and all reasons.

    ``longest_pause_us`` is the longest silence its pace leaves in the speech; ``None`` where none was promised.

    Validation rejects what no renderer could honour: gaps and overlaps, times outside a source or the timeline, unknown
    sources and reasons, crops outside the picture, places outside the canvas, dissolves without handles, words that
    are not the caption's.
    """

    schema_version: Literal["cinema.edl/1"] = SCHEMA_VERSION
    director_version: str
    variant: Variant
    title: str
    rate: Rate
    sample_rate: Literal[48000] = SAMPLE_RATE
    canvas: Canvas
    duration: FrameCount
    longest_pause_us: Microseconds | None = None
    sources: tuple[Source, ...]
    video: tuple[VideoClip, ...]
    overlays: tuple[VideoClip, ...] = ()
    audio: tuple[AudioTrack, ...] = ()
    captions: tuple[Caption, ...] = ()
    caption_style: CaptionStyle | None = None
    decisions: tuple[Decision, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        sources = _by_unique_id("source", self.sources)
        reasons = _by_unique_id("decision", self.decisions)
        clips: list[VideoClip | AudioClip] = [*self.video, *self.overlays, *(c for t in self.audio for c in t.clips)]
        _by_unique_id("clip", clips)
        for clip in clips:
            if clip.reason not in reasons:
                raise ValueError(f"clip {clip.id} names decision {clip.reason}, which does not exist")
        self._check_coverage()
        for video_clip in (*self.video, *self.overlays):
            _check_picture(video_clip, sources, self.rate)
        self._check_dissolves(sources)
        self._check_places()
        for track in self.audio:
            _check_order(f"{track.role} track", track.clips, self.duration)
            for audio_clip in track.clips:
                _check_sound(audio_clip, sources, self.rate)
        self._check_captions()
        return self

    def _check_coverage(self) -> None:
        position = 0
        for clip in self.video:
            if clip.start != position:
                raise ValueError(f"clip {clip.id} starts at frame {clip.start}; the base track has reached {position}")
            position = clip.end
        if position != self.duration:
            raise ValueError(f"the base track ends at frame {position}, the edit at {self.duration}")
        _check_order("overlay track", self.overlays, self.duration)

    def _check_dissolves(self, sources: dict[str, Source]) -> None:
        for clip in (*self.video[:1], *self.overlays):
            if clip.dissolve_in:
                raise ValueError(f"clip {clip.id} has no base clip before it to dissolve from")
        for before, after in pairwise(self.video):
            if after.dissolve_in:
                _check_dissolve(before, after, sources, self.rate)

    def _check_places(self) -> None:
        for clip in self.video:
            if clip.place is not None:
                raise ValueError(f"clip {clip.id} is on the base track, which fills the canvas, and has a place")
        for clip in self.overlays:
            place = clip.place
            if place is not None and (
                place.x + place.width > self.canvas.width or place.y + place.height > self.canvas.height
            ):
                raise ValueError(f"clip {clip.id}: its place leaves the canvas")

    def _check_captions(self) -> None:
        for caption in self.captions:
            if not caption.start < caption.end <= self.duration:
                raise ValueError(f"caption at {caption.start}..{caption.end} is empty or outside the edit")
            if caption.words:
                _check_words(caption)
        for before, after in pairwise(self.captions):
            if after.start < before.end:
                raise ValueError(f"captions overlap at frame {after.start}")
        if self.caption_style is not None:
            self._check_caption_area(self.caption_style)
        elif self.captions:
            raise ValueError("captions need a caption style")

    def _check_caption_area(self, style: CaptionStyle) -> None:
        if not (style.left < style.right <= self.canvas.width and style.top < style.bottom <= self.canvas.height):
            raise ValueError("the caption area lies outside the canvas")
        if any(not style.top < (caption.bottom or style.bottom) <= style.bottom for caption in self.captions):
            raise ValueError("a caption stands outside the caption area")


def _by_unique_id(what: str, items: Iterable[Identified]) -> dict[str, Identified]:
    found: dict[str, Identified] = {}
    for item in items:
        if item.id in found:
            raise ValueError(f"{what} id {item.id} is used twice")
        found[item.id] = item
    return found


def _check_order(what: str, clips: Sequence[VideoClip | AudioClip], duration: int) -> None:
    for before, after in pairwise(clips):
        if after.start < before.end:
            raise ValueError(f"{what}: clip {after.id} starts at {after.start}, before {before.id} ends")
    if clips and clips[-1].end > duration:
        raise ValueError(f"{what}: clip {clips[-1].id} ends after the edit")


def _source(clip: VideoClip | AudioClip, sources: dict[str, Source]) -> Source:
    if clip.source not in sources:
        raise ValueError(f"clip {clip.id} names source {clip.source}, which does not exist")
    return sources[clip.source]


def _check_picture(clip: VideoClip, sources: dict[str, Source], rate: Fraction) -> None:
    video = _source(clip, sources).video
    if video is None:
        raise ValueError(f"clip {clip.id} wants the picture of {clip.source}, which has none")
    if not video.start_pts <= clip.source_in < clip.source_out <= video.end_pts:
        raise ValueError(f"clip {clip.id}: {clip.source_in}..{clip.source_out} is outside its source")
    drift = abs((clip.source_out - clip.source_in) * video.time_base - clip.duration / rate)
    if drift > video.time_base + 1 / (2 * rate):
        raise ValueError(f"clip {clip.id}: source range and timeline differ by {float(drift):.6f} s")
    if clip.fade_in + clip.fade_out > clip.duration:
        raise ValueError(f"clip {clip.id}: its fades are longer than it is")
    for key in clip.crop:
        if key.x + key.width > video.display_width or key.y + key.height > video.display_height:
            raise ValueError(f"clip {clip.id}: crop at frame {key.frame} leaves the picture")
    _check_keys(clip, [key.frame for key in clip.crop])


def _check_dissolve(before: VideoClip, after: VideoClip, sources: dict[str, Source], rate: Fraction) -> None:
    """Both clips are as long as the dissolve, the earlier one's source goes on for it, and neither fades there."""
    frames = after.dissolve_in
    if frames > min(before.duration, after.duration):
        raise ValueError(f"clip {after.id}: its dissolve is longer than it or the clip before it")
    if after.fade_in or before.fade_out:
        raise ValueError(f"clip {after.id}: a dissolve and a fade meet")
    video = _source(before, sources).video
    if video is None:
        raise ValueError(f"clip {before.id} wants the picture of {before.source}, which has none")
    handles = (video.end_pts - before.source_out) * video.time_base
    if handles + video.time_base + 1 / (2 * rate) < frames / rate:
        raise ValueError(f"clip {after.id}: the source of {before.id} ends before the dissolve does")


def _check_words(caption: Caption) -> None:
    words = caption.words
    if not _spells(caption.lines, [word.text for word in words]):
        raise ValueError(f"the words of the caption at {caption.start} are not those of its lines")
    if any(not caption.start <= word.start < word.end <= caption.end for word in words):
        raise ValueError(f"a word of the caption at {caption.start} is empty or outside the caption's time")
    if any(after.start < before.end for before, after in pairwise(words)):
        raise ValueError(f"words of the caption at {caption.start} overlap")


def _spells(lines: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words, one after another, are the lines; scripts that do without spaces have none between words."""
    rest = " ".join(lines).lstrip()
    for word in words:
        if not rest.startswith(word):
            return False
        rest = rest[len(word) :].lstrip()
    return not rest


def _check_sound(clip: AudioClip, sources: dict[str, Source], rate: Fraction) -> None:
    audio = _source(clip, sources).audio
    if audio is None:
        raise ValueError(f"clip {clip.id} wants the sound of {clip.source}, which has none")
    length = frame_to_sample(clip.end, rate, SAMPLE_RATE) - frame_to_sample(clip.start, rate, SAMPLE_RATE)
    if clip.source_in + length > audio.samples + frame_to_sample(1, rate, SAMPLE_RATE):
        raise ValueError(f"clip {clip.id} runs past the end of its source's sound")
    if max(clip.fade_in, clip.fade_out) > length:
        raise ValueError(f"clip {clip.id}: a fade is longer than it is")
    _check_keys(clip, [key.frame for key in clip.gain])


def _check_keys(clip: VideoClip | AudioClip, frames: Sequence[int]) -> None:
    if any(after <= before for before, after in pairwise(frames)) or (frames and frames[-1] >= clip.duration):
        raise ValueError(f"clip {clip.id}: keyframes are unordered or outside the clip")
