"""The facts of a project in the director's own form: what can be shown and heard, in frames of the edit's rate."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise

from director.speech import Sentence, Spoken, merged_spans, sentences_of, spoken_words
from director.style import ALIGNED_CORRELATION, MUSIC_VOICE_SHARE
from director.timeline import PictureClock
from schemas.edl import SAMPLE_RATE, Source, SourceAudio, SourceVideo
from schemas.errors import ErrorCode, OutputRefused
from schemas.facts import Alignment, AssetFacts, ChannelMix, FaceSample
from schemas.media import AssetKind
from schemas.timebase import RATE_FAMILY, nearest_family_rate, us_to_sample

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face at a source frame; ``prominence`` is the size and time of its whole track.

    ``silent_us`` is the time to when it last spoke or next will, and 0 while it does; ``None`` where it never does.
    """

    frame: int
    face: FaceSample
    prominence: float
    silent_us: int | None = None


@dataclass(frozen=True, slots=True)
class Footage:
    """An asset with a picture. ``shot_bounds`` are the frames where its shots start, and its end."""

    facts: AssetFacts
    source: Source
    clock: PictureClock
    shot_bounds: tuple[int, ...]
    faces: tuple[SeenFace, ...] = ()
    words: tuple[Spoken, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    silences: tuple[tuple[int, int], ...] = ()

    def silent_us(self, start_us: int, end_us: int) -> int:
        """How much of a time is measured silence."""
        first = max(0, bisect_right(self.silences, (start_us, 0)) - 1)
        total = 0
        for start, end in islice(self.silences, first, None):
            if start >= end_us:
                break
            total += max(0, min(end, end_us) - max(start, start_us))
        return total

    def words_within(self, start_us: int, end_us: int) -> int:
        """How many words are said in some part of a time."""
        return sum(word.start_us < end_us and word.end_us > start_us for word in self.words if word.text)

    def shot_at(self, frame: int) -> tuple[int, int]:
        index = bisect_right(self.shot_bounds, frame, hi=len(self.shot_bounds) - 1)
        return self.shot_bounds[index - 1], self.shot_bounds[index]

    @property
    def shots(self) -> Iterator[tuple[int, int]]:
        return pairwise(self.shot_bounds)

    @property
    def worded(self) -> bool:
        return any(word.text for word in self.words)

    @property
    def language(self) -> str | None:
        return self.facts.transcript.language if self.facts.transcript else None


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """An asset that is only heard."""

    facts: AssetFacts
    source: Source

    @property
    def is_aligned(self) -> bool:
        return any(alignment.correlation >= ALIGNED_CORRELATION for alignment in self.facts.alignments)

    def beside(self, footage: Footage) -> Alignment | None:
        """How it lies against footage that it is another recording of; ``None`` where it is of something else."""
        return _alignment_to(self.facts, footage.source.sha256)

    @property
    def is_music(self) -> bool:
        sound = self.facts.sound
        if self.is_aligned or sound is None or sound.integrated_lufs is None:
            return False
        voiced = sum(span.duration_us for span in sound.speech)
        return voiced <= MUSIC_VOICE_SHARE * self.facts.probe.duration_us


@dataclass(frozen=True, slots=True)
class Material:
    """All that an edit can be made of, in the order of the assets."""

    rate: Fraction
    a_roll: tuple[Footage, ...]
    b_roll: tuple[Footage, ...]
    screens: tuple[Footage, ...]
    sounds: tuple[SoundTrack, ...]


def gather(assets: Sequence[AssetFacts]) -> Material:
    """Sorts the assets by use and puts their times into frames of the main A-roll's rate.

    Raises:
        OutputRefused: no asset has a picture.
    """
    numbered = list(zip(_unique_ids(assets), assets, strict=True))
    pictures = [
        (ident, facts) for ident, facts in numbered if facts.kind is not AssetKind.AUDIO and _has_picture(facts)
    ]
    if not pictures:
        raise _nothing_to_show(assets)
    rate = _edit_rate([facts for _, facts in pictures])
    footage = [
        made
        for ident, facts in pictures
        if (made := _footage(ident, facts, rate, tuple(_quiet_nearby(facts, assets)))).clock.frames > 0
    ]
    if not footage:
        raise _nothing_to_show(assets)
    shown = {made.source.id for made in footage}
    return Material(
        rate=rate,
        a_roll=_of_kind(footage, AssetKind.A_ROLL),
        b_roll=_of_kind(footage, AssetKind.B_ROLL),
        screens=_of_kind(footage, AssetKind.SCREEN),
        sounds=tuple(
            SoundTrack(facts, source)
            for ident, facts in numbered
            if ident not in shown and (source := source_of(ident, facts)).audio is not None
        ),
    )


def _nothing_to_show(assets: Sequence[AssetFacts]) -> OutputRefused:
    if not assets:
        return OutputRefused(ErrorCode.NO_USABLE_ASSET, "There is no footage in this job. Add at least one video.")
    return OutputRefused(
        ErrorCode.NO_PICTURE, "None of the files has a picture to edit. Add at least one video recording."
    )


def _of_kind(footage: Sequence[Footage], kind: AssetKind) -> tuple[Footage, ...]:
    return tuple(made for made in footage if made.facts.kind is kind)


def _unique_ids(assets: Sequence[AssetFacts]) -> list[str]:
    """Asset ids where they can serve as source ids, else their place in the list."""
    taken: set[str] = set()
    ids = []
    for number, facts in enumerate(assets, start=1):
        usable = _IDENTIFIER.fullmatch(facts.asset_id) and facts.asset_id not in taken
        ident = facts.asset_id if usable else f"asset-{number}"
        while ident in taken:
            ident += "-again"
        taken.add(ident)
        ids.append(ident)
    return ids


def _has_picture(facts: AssetFacts) -> bool:
    video = facts.probe.video
    return video is not None and video.end_pts > video.start_pts


def _edit_rate(pictures: Sequence[AssetFacts]) -> Fraction:
    """The rate family of the longest A-roll; of the longest picture where there is no A-roll."""
    talking = [facts for facts in pictures if facts.kind is AssetKind.A_ROLL] or list(pictures)
    video = max(talking, key=lambda facts: facts.probe.duration_us).probe.video
    if video is None:
        return RATE_FAMILY[0]
    return nearest_family_rate(video.frame_rate)


def _alignment_to(recording: AssetFacts, sha256: str) -> Alignment | None:
    """How a recording lies against the one of this content, if they are of the same sound."""
    alike = [
        alignment
        for alignment in recording.alignments
        if alignment.reference_sha256 == sha256 and alignment.correlation >= ALIGNED_CORRELATION
    ]
    return max(alike, key=lambda alignment: alignment.correlation, default=None)


def _quiet_nearby(facts: AssetFacts, assets: Sequence[AssetFacts]) -> Iterator[tuple[int, int]]:
    """The silences of the separate recording that correlates best with footage, at the footage's times."""
    nearby = [
        (alignment, recording.sound)
        for recording in assets
        if recording.kind is AssetKind.AUDIO and (alignment := _alignment_to(recording, facts.sha256)) is not None
    ]
    if not nearby:
        return
    alignment, sound = max(nearby, key=lambda one: one[0].correlation)
    for start, end in merged_spans(sound.silences) if sound is not None else ():
        yield alignment.in_reference(start), alignment.in_reference(end)


def _footage(ident: str, facts: AssetFacts, rate: Fraction, quiet: Sequence[tuple[int, int]]) -> Footage:
    source = source_of(ident, facts)
    if source.video is None:
        raise OutputRefused(ErrorCode.NO_PICTURE, f"{facts.name} has no picture.")
    clock = PictureClock.of(source.video, source.origin, rate)
    bounds = _shot_bounds(facts, clock)
    faces = tuple(sorted(_seen_faces(facts, clock), key=lambda seen: (seen.frame, seen.face.left, seen.face.top)))
    if facts.kind is not AssetKind.A_ROLL or source.audio is None:
        return Footage(facts, source, clock, bounds, faces)
    words = spoken_words(facts.transcript, facts.sound, clock, bounds, quiet)
    silences = tuple(merged_spans(facts.sound.silences)) if facts.sound else ()
    return Footage(facts, source, clock, bounds, faces, words, sentences_of(words, clock), silences)


def source_of(ident: str, facts: AssetFacts) -> Source:
    """The asset as an edit names it, under the id it has there."""
    video, dialogue = facts.probe.video, facts.probe.dialogue
    samples = us_to_sample(dialogue.end_us, SAMPLE_RATE) if dialogue else 0
    return Source(
        id=ident,
        name=facts.name,
        kind=facts.kind,
        sha256=facts.sha256,
        origin=facts.probe.origin,
        video=None
        if video is None or not _has_picture(facts)
        else SourceVideo(
            stream_index=video.index,
            time_base=video.time_base,
            start_pts=video.start_pts,
            end_pts=video.end_pts,
            frame_rate=video.frame_rate,
            display_width=video.display_width,
            display_height=video.display_height,
        ),
        audio=None
        if dialogue is None or samples <= 0
        else SourceAudio(
            stream_index=dialogue.index,
            samples=samples,
            channel_mix=facts.sound.channel_mix if facts.sound else ChannelMix.ALL,
        ),
    )


def _shot_bounds(facts: AssetFacts, clock: PictureClock) -> tuple[int, ...]:
    found = facts.shots.shots if facts.shots else ()
    starts = {clock.nearest_frame(shot.start_us) for shot in found}
    return tuple(sorted({0, clock.frames, *(start for start in starts if 0 < start < clock.frames)}))


def _seen_faces(facts: AssetFacts, clock: PictureClock) -> Iterator[SeenFace]:
    for track in facts.faces.tracks if facts.faces else ():
        prominence = sum(face.width * face.height * face.score for face in track.samples)
        speaking = merged_spans(track.speaking)
        for face in track.samples:
            frame = clock.frame_at_or_before(face.at_us)
            if 0 <= frame < clock.frames and face.width > 0 and face.height > 0:
                yield SeenFace(frame, face, prominence, _silent_us(speaking, face.at_us))


def _silent_us(speaking: Sequence[tuple[int, int]], at_us: int) -> int | None:
    begun = bisect_right(speaking, at_us, key=lambda span: span[0])
    around = [at_us - end for _, end in speaking[max(0, begun - 1) : begun]]
    around += [start - at_us for start, _ in speaking[begun : begun + 1]]
    return max(0, min(around)) if around else None
