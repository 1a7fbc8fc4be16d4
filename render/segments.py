"""Where a long edit is taken apart into segments: pure arithmetic on the edit, no media.

A seam is chosen by what begins there (which moment of which source), never by how much came before. So an insertion or
a removal moves the seams near it and no others, and every segment further away shows exactly what it showed before.

Of all places where a seam may lie, those are taken that rank highest among their neighbours within the shortest length
of a segment; ranks are hashes, so they are spread evenly and are the same wherever a moment lands on the timeline
(content-defined chunking by local maxima: Bjørner, Blass and Gurevich, "Content-dependent chunking for differential
compression", 2010). A stretch that stays too long is divided at its own highest place.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from math import ceil, floor

from schemas.edl import EDL, Source, VideoClip
from schemas.rendering import WORTH_SPLITTING, SegmentLengths

#: Of one output, however long it is: its workflow's history grows with each, and each costs a child process.
MOST_SEGMENTS = 100

#: Inside a shot with no cut for longer than a quarter of a segment, moments of its source stand in for cuts.
_MARKS_PER_LENGTH = 4


@dataclass(frozen=True)
class Segment:
    """Timeline frames ``[first, end)``."""

    first: int
    end: int

    @property
    def frames(self) -> int:
        return self.end - self.first


@dataclass(frozen=True)
class _Place:
    """Where a seam may lie: a cut is better than the middle of a shot, and of equals the hash decides."""

    frame: int
    at_cut: bool
    digest: bytes

    @property
    def rank(self) -> tuple[bool, bytes, int]:
        return self.at_cut, self.digest, -self.frame


def segments_of(edl: EDL, lengths: SegmentLengths) -> tuple[Segment, ...]:
    """The segments of an edit in order, without gaps; one where it is too short to be worth taking apart.

    None begins inside a dissolve or a fade. Each is at least half of ``lengths.usual_s`` long, and at most one and a
    half times as long wherever the edit has a place for a seam. Very long outputs have longer segments, so that there
    are never many more than ``MOST_SEGMENTS``.
    """
    usual = _usual_frames(edl, lengths)
    seams = [] if usual is None else _seams(edl, usual)
    return tuple(Segment(first, end) for first, end in pairwise([0, *seams, edl.duration]))


def _usual_frames(edl: EDL, lengths: SegmentLengths) -> Fraction | None:
    """Frames of a usual segment, doubled until there are few enough; ``None`` where there is to be only one."""
    usual = lengths.usual_s * edl.rate
    if not usual or edl.duration <= WORTH_SPLITTING * usual:
        return None
    while edl.duration > MOST_SEGMENTS * usual:
        usual *= 2
    return usual


def _seams(edl: EDL, usual: Fraction) -> list[int]:
    least, most = ceil(usual / 2), floor(usual * 3 / 2)
    places = [place for place in _places(edl, usual) if least <= place.frame <= edl.duration - least]
    frames = [place.frame for place in places]
    highest = [
        place.frame
        for number, place in enumerate(places)
        if place == max(_within(places, frames, number, least), key=lambda other: other.rank)
    ]
    bounds = [0, *highest, edl.duration]
    return sorted({*highest, *_divided(bounds, places, least, most)})


def _within(places: Sequence[_Place], frames: Sequence[int], number: int, least: int) -> Sequence[_Place]:
    """The places nearer to this one than ``least`` frames, itself among them."""
    frame = frames[number]
    return places[bisect_right(frames, frame - least) : bisect_right(frames, frame + least - 1)]


def _divided(bounds: Sequence[int], places: Sequence[_Place], least: int, most: int) -> Iterator[int]:
    """Further seams in what lies between two bounds and is longer than ``most``."""
    for first, end in pairwise(bounds):
        inside = [place for place in places if first + least <= place.frame <= end - least]
        if end - first > most and inside:
            seam = max(inside, key=lambda place: place.rank).frame
            yield seam
            yield from _divided([first, seam, end], inside, least, most)


def _places(edl: EDL, usual: Fraction) -> list[_Place]:
    """Every frame where a seam may lie, in order."""
    sources = {source.id: source for source in edl.sources}
    borders = {frame for clip in (*edl.video, *edl.overlays) for frame in (clip.start, clip.end)}
    cuts = sorted({0, edl.duration, *borders})
    places: list[_Place] = []
    for first, end in pairwise(cuts):
        clip = _on_top(edl, first)
        source = sources[clip.source]
        places.append(_Place(first, at_cut=True, digest=_digest(source, str(_moment(clip, source, first, edl.rate)))))
        places += _marks(clip, source, (first, end), edl.rate, usual / edl.rate / _MARKS_PER_LENGTH)
    blended = [(first, end) for first, end in _blended([*edl.video, *edl.overlays]) if end - first > 1]
    return [place for place in places if not any(first < place.frame < end for first, end in blended)]


def _on_top(edl: EDL, frame: int) -> VideoClip:
    """The overlay that begins or goes on here, or the clip of the base track."""
    for clips in (edl.overlays, edl.video):
        number = bisect_right(clips, frame, key=lambda clip: clip.start) - 1
        if number >= 0 and frame < clips[number].end:
            return clips[number]
    raise AssertionError("the base track has no gaps")


def _moment(clip: VideoClip, source: Source, frame: int, rate: Fraction) -> Fraction:
    """The source's time in seconds that a timeline frame shows, as its stream counts."""
    time_base = Fraction(1) if source.video is None else source.video.time_base
    return clip.source_in * time_base + (frame - clip.start) / rate


def _marks(
    clip: VideoClip, source: Source, frames: tuple[int, int], rate: Fraction, every_s: Fraction
) -> Iterator[_Place]:
    """Places inside a shot: where its source passes a multiple of ``every_s`` seconds."""
    first, end = frames
    begin, stop = _moment(clip, source, first, rate), _moment(clip, source, end, rate)
    for number in range(floor(begin / every_s) + 1, ceil(stop / every_s)):
        frame = first + ceil((number * every_s - begin) * rate)
        if first < frame < end:
            yield _Place(frame, at_cut=False, digest=_digest(source, f"mark {number}"))


def _digest(source: Source, moment: str) -> bytes:
    return sha256(f"{source.sha256} {moment}".encode()).digest()


def _blended(clips: Iterable[VideoClip]) -> Iterator[tuple[int, int]]:
    """First and last border of what fades or dissolves; a seam on a border is a cut like any other.

    At the beginning of a dissolve the clip before is still seen, so that border lies a frame earlier.
    """
    for clip in clips:
        if clip.dissolve_in:
            yield clip.start - 1, clip.start + clip.dissolve_in
        yield clip.start, clip.start + clip.fade_in
        yield clip.end - clip.fade_out, clip.end


def sources_shown(edl: EDL, segment: Segment) -> tuple[Source, ...]:
    """The sources whose pictures a segment is composed of."""
    shown: set[str] = set()
    for clips in (edl.video, edl.overlays):
        for number, clip in enumerate(clips):
            if clip.start < segment.end and clip.end > segment.first:
                shown.add(clip.source)
                if segment.first - clip.start < clip.dissolve_in:
                    shown.add(clips[number - 1].source)
    return tuple(source for source in edl.sources if source.id in shown)


def sources_heard(edl: EDL) -> tuple[Source, ...]:
    """The sources that an edit's sound is mixed of."""
    heard = {clip.source for track in edl.audio for clip in track.clips}
    return tuple(source for source in edl.sources if source.id in heard)
