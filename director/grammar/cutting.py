"""A timeline as its viewer sees and hears it: shots, sounds and captions, whichever program it was made in."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from math import isfinite

import opentimelineio as otio

from director.interchange.timeline_items import Item, items_of, parsed
from schemas.edl import EDL, SAMPLE_RATE, AudioClip, AudioRole, Caption, Source
from schemas.invalid_input import InvalidInput
from schemas.timebase import nearest_family_rate
from schemas.timeline import Stretch, visible_stretches


@dataclass(frozen=True, slots=True)
class Shot:
    """Timeline frames ``[start, end)`` that show ``source`` from its second ``source_in`` on.

    ``size`` is the share of the picture's width that is shown, ``None`` where nothing tells. A ``cover`` lies over the
    base track.
    """

    source: str
    start: int
    end: int
    source_in: Fraction
    size: float | None
    cover: bool

    @property
    def frames(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Heard:
    """Sound of ``source`` on timeline frames ``[start, end)``; fades are ``None`` where nothing tells of them."""

    source: str
    start: int
    end: int
    source_in: Fraction
    fades_in: bool | None = None
    fades_out: bool | None = None


@dataclass(frozen=True, slots=True)
class Cutting:
    """All of a timeline, in frames at ``rate``; ``upright`` is ``None`` where nothing tells the canvas's shape."""

    rate: Fraction
    shots: tuple[Shot, ...]
    dialogue: tuple[Heard, ...]
    captions: tuple[Caption, ...] = ()
    upright: bool | None = None

    @property
    def cuts(self) -> Iterator[tuple[Shot, Shot]]:
        """Neighbouring shots, but for those that run on in their source."""
        return ((before, after) for before, after in pairwise(self.shots) if not self._runs_on(before, after))

    def _runs_on(self, before: Shot, after: Shot) -> bool:
        return (before.source, before.size) == (after.source, after.size) and abs(self.jump(before, after)) <= 1

    def jump(self, before: Shot, after: Shot) -> Fraction:
        """Frames of the source that a cut leaves out; negative where it goes back."""
        return (after.source_in - before.source_in) * self.rate - before.frames


def cutting_of(edl: EDL) -> Cutting:
    """The cutting of one of our edits."""
    sources = {source.id: source for source in edl.sources}
    spoken = [clip for track in edl.audio if track.role is AudioRole.DIALOGUE for clip in track.clips]
    return Cutting(
        rate=edl.rate,
        shots=tuple(_shot(seen, sources, edl.rate) for seen in visible_stretches(edl)),
        dialogue=tuple(_heard(clip, sources) for clip in sorted(spoken, key=lambda clip: clip.start)),
        captions=edl.captions,
        upright=edl.canvas.height > edl.canvas.width,
    )


def cutting_of_otio(text: str) -> Cutting:
    """The cutting of an OpenTimelineIO timeline of any program; its first track of sound is taken for the dialogue.

    Raises:
        InvalidInput: it is no timeline, has no picture, or lies on no whole frames.
    """
    timeline = parsed(text)
    pictures, sounds = timeline.video_tracks(), timeline.audio_tracks()[:1]
    rate = _rate(pictures)
    layers = [[_seen(item, rate, cover=at > 0) for item in items_of(track, rate)] for at, track in enumerate(pictures)]
    return Cutting(
        rate=rate,
        shots=_uppermost(layers, rate),
        dialogue=tuple(
            Heard(item.name, item.start, item.start + item.duration, item.first / rate)
            for track in sounds
            for item in items_of(track, rate)
        ),
    )


def _shot(seen: Stretch, sources: Mapping[str, Source], rate: Fraction) -> Shot:
    clip, source = seen.clip, sources[seen.clip.source]
    time_base, width = (source.video.time_base, source.video.display_width) if source.video else (Fraction(1), 1)
    return Shot(
        source=source.name,
        start=seen.first,
        end=seen.end,
        source_in=clip.source_in * time_base + (seen.first - clip.start) / rate,
        size=clip.crop[0].width / width if clip.crop else 1.0,
        cover=seen.overlay,
    )


def _heard(clip: AudioClip, sources: Mapping[str, Source]) -> Heard:
    return Heard(
        source=sources[clip.source].name,
        start=clip.start,
        end=clip.end,
        source_in=Fraction(clip.source_in, SAMPLE_RATE),
        fades_in=clip.fade_in > 0,
        fades_out=clip.fade_out > 0,
    )


def _rate(tracks: Sequence[otio.schema.Track]) -> Fraction:
    """Of the first clip there is; raises ``InvalidInput`` where there is none."""
    for clip in (clip for track in tracks for clip in track.find_clips()):
        rate = clip.trimmed_range().duration.rate
        if isfinite(rate) and rate > 0:
            return nearest_family_rate(Fraction(rate))
    raise InvalidInput.of("tracks", "have no clip of picture with a length")


def _seen(item: Item, rate: Fraction, *, cover: bool) -> Shot:
    return Shot(item.name, item.start, item.start + item.duration, item.first / rate, None, cover)


def _uppermost(layers: Sequence[Sequence[Shot]], rate: Fraction) -> tuple[Shot, ...]:
    """What is seen of tracks that lie over each other, the last one on top."""
    seen: list[Shot] = []
    for layer in layers:
        seen = sorted([*_left_of(seen, layer, rate), *layer], key=lambda shot: shot.start)
    return tuple(seen)


def _left_of(shots: Sequence[Shot], above: Sequence[Shot], rate: Fraction) -> Iterator[Shot]:
    """The parts of ``shots`` that nothing of ``above`` covers."""
    ends = [cover.end for cover in above]
    for shot in shots:
        position = shot.start
        for cover in islice(above, bisect_right(ends, shot.start), None):
            if cover.start >= shot.end:
                break
            if cover.start > position:
                yield _part(shot, position, cover.start, rate)
            position = cover.end
        if position < shot.end:
            yield _part(shot, position, shot.end, rate)


def _part(shot: Shot, start: int, end: int, rate: Fraction) -> Shot:
    return replace(shot, start=start, end=end, source_in=shot.source_in + (start - shot.start) / rate)
