"""Which pictures of an edit are in a source just as they are wanted, so that their packets can be copied.

Copied are groups of pictures of one H.264 source that is delivered as it is: its size, rate and colours are the edit's,
and nothing is drawn, graded, cropped, faded or laid over the frames that show it. A group that is cut off is copied as
far as its pictures need none that come later.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from av.video.stream import VideoStream

from render.avc import Configuration, UnsupportedStreamError, parse_sps
from render.encoder import DELIVERED_COLOUR, LONGEST_GOP_S
from render.gops import Gop, GopReader
from render.labels import colour_of
from render.orientation import UPRIGHT
from render.pictures import PictureReader
from render.timeline import find_source, source_tick
from schemas.edl import EDL, CropKey, Grade, SourceVideo, VideoClip
from schemas.rendering import RenderRequest
from schemas.timeline import visible_stretches

#: A file whose packets are copied is as large as its source; above this many bits for each pixel it is encoded anew
#: (12 Mbit/s at 1080p30, half as much again as YouTube asks for).
MOST_BITS_PER_PIXEL = 0.2
#: Copying less than this share of an edit is not worth the joins.
_LEAST_SHARE = 0.1
#: A group that is cut off sooner is not worth the keyframe that has to follow.
_SHORTEST_BEGINNING_S = Fraction(1, 3)


class NotCopiedError(Exception):
    """Why no packet is copied, as the end of a sentence."""


@dataclass(frozen=True)
class Copied:
    """Timeline frames ``[first, end)``: the first pictures of the source's group that begins at ``tick``."""

    first: int
    end: int
    tick: int


@dataclass(frozen=True)
class CopyPlan:
    """What is copied, in timeline order, from which source; all else is encoded.

    ``frames_ahead`` is how many frames before it is shown a copied picture may have to be decoded.
    """

    source: str
    configuration: Configuration
    copied: tuple[Copied, ...]
    frames_ahead: int

    @property
    def frames(self) -> int:
        return sum(each.end - each.first for each in self.copied)

    def others(self, duration: int) -> tuple[range, ...]:
        """The timeline frames that are encoded, in order."""
        edges = [0, *(edge for each in self.copied for edge in (each.first, each.end)), duration]
        gaps = (range(first, end) for first, end in zip(edges[::2], edges[1::2], strict=True))
        return tuple(gap for gap in gaps if gap)


def plan_copies(request: RenderRequest) -> CopyPlan:
    """Find what can be copied.

    Raises:
        NotCopiedError: Nothing, or too little.
        MediaRefused: A source cannot be read.
    """
    edl = request.edl
    if not request.copies_packets:
        raise NotCopiedError("a file with copied packets did not pass its check")
    lengths = untouched_frames(edl)
    if not lengths:
        raise NotCopiedError("every picture is changed")
    untouched, chosen = list(_untouched(edl)), lengths.most_common(1)[0][0]
    source = find_source(edl.sources, chosen)
    if source.video is None:
        raise NotCopiedError("the source has no picture")
    with GopReader(source, request.sources[chosen]) as reader:
        _require_plain(PictureReader(source, request.sources[chosen]))
        configuration = _delivered_as_it_is(reader, source.video, edl)
        found = [
            gop
            for clip, frames in untouched
            if clip.source == chosen
            for gop in _copied(reader, clip, source.video, edl, frames)
        ]
    copied, ahead = tuple(copied for copied, _ in found), max((ahead for _, ahead in found), default=0)
    plan = CopyPlan(chosen, configuration, copied, ahead)
    if plan.frames < _LEAST_SHARE * edl.duration:
        raise NotCopiedError("too few groups of pictures begin between the cuts")
    return plan


def untouched_frames(edl: EDL) -> Counter[str]:
    """How many frames of an edit show each source just as it is, by the source's id."""
    lengths: Counter[str] = Counter()
    for clip, frames in _untouched(edl):
        lengths[clip.source] += len(frames)
    return lengths


def _untouched(edl: EDL) -> Iterator[tuple[VideoClip, range]]:
    """Timeline frames that show a clip's source as it is."""
    for stretch in visible_stretches(edl):
        clip = stretch.clip
        if stretch.outgoing is not None or stretch.inset is not None or not _shown_whole(clip, edl):
            continue
        first = max(stretch.first, clip.start + clip.fade_in)
        end = min(stretch.end, clip.end - clip.fade_out)
        for frames in _without_captions(edl, range(first, max(first, end))):
            yield clip, frames


def _shown_whole(clip: VideoClip, edl: EDL) -> bool:
    video = find_source(edl.sources, clip.source).video
    if video is None or clip.place is not None or clip.grade not in (None, Grade()):
        return False
    same_size = (video.display_width, video.display_height) == (edl.canvas.width, edl.canvas.height)
    return same_size and all(_is_whole(key, video) for key in clip.crop)


def _is_whole(key: CropKey, video: SourceVideo) -> bool:
    return (key.x, key.y, key.width, key.height) == (0, 0, video.display_width, video.display_height)


def _without_captions(edl: EDL, frames: range) -> Iterator[range]:
    first = frames.start
    if edl.caption_style is not None and edl.caption_style.burn_in:
        for caption in edl.captions:
            if caption.end <= first or caption.start >= frames.stop:
                continue
            if caption.start > first:
                yield range(first, caption.start)
            first = caption.end
    if first < frames.stop:
        yield range(first, frames.stop)


def _require_plain(reader: PictureReader) -> None:
    turn, colour = reader.turn, reader.colour
    reader.close()
    if turn != UPRIGHT:
        raise NotCopiedError("the source is turned or mirrored")
    if colour != DELIVERED_COLOUR:
        raise NotCopiedError("the source's pictures are not labelled as BT.709")


def _delivered_as_it_is(reader: GopReader, video: SourceVideo, edl: EDL) -> Configuration:
    """What a decoder needs for the source, if its packets may be in a delivered file.

    Raises:
        NotCopiedError: They may not.
    """
    stream = reader.stream
    if "mp4" not in reader.formats:
        raise NotCopiedError("the source is no MP4 or MOV file")
    if stream.codec_context.name != "h264":
        raise NotCopiedError("the source is not H.264")
    _require_format(stream, video, edl)
    if stream.bit_rate is None or stream.bit_rate > MOST_BITS_PER_PIXEL * _pixels_a_second(video, edl.rate):
        raise NotCopiedError("the source has a higher bit rate than is delivered")
    try:
        configuration = reader.configuration()
        if not all(parse_sps(unit).progressive for unit in configuration.sps):
            raise NotCopiedError("the source may be interlaced")
    except UnsupportedStreamError as error:
        raise NotCopiedError(f"the source has {error}") from error
    return configuration


def _require_format(stream: VideoStream, video: SourceVideo, edl: EDL) -> None:
    context = stream.codec_context
    if (stream.width, stream.height) != (edl.canvas.width, edl.canvas.height) or context.pix_fmt != "yuv420p":
        raise NotCopiedError("the source is stored in another size or pixel format")
    if stream.sample_aspect_ratio not in (None, 1, Fraction(0)):
        raise NotCopiedError("the source has pixels that are not square")
    if video.frame_rate != edl.rate:
        raise NotCopiedError("the source has another frame rate")
    if colour_of(context) != DELIVERED_COLOUR:
        raise NotCopiedError("the source is not labelled as BT.709")


def _pixels_a_second(video: SourceVideo, rate: Fraction) -> float:
    return video.display_width * video.display_height * float(rate)


def _copied(
    reader: GopReader, clip: VideoClip, video: SourceVideo, edl: EDL, frames: range
) -> Iterator[tuple[Copied, int]]:
    """The groups, and their beginnings, within ``frames`` of the timeline; and how far their decoding runs ahead."""
    position, longest = frames.start, floor(LONGEST_GOP_S * edl.rate)
    groups = reader.gops(source_tick(clip, video, edl.rate, position - clip.start))
    for gop, following in _with_following(groups, video):
        while position < frames.stop and source_tick(clip, video, edl.rate, position - clip.start) < gop.times[0]:
            position += 1
        if position >= frames.stop:
            return
        shown = gop.beginning(min(frames.stop - position, longest))
        end = position + len(shown.times)
        ticks = [source_tick(clip, video, edl.rate, frame - clip.start) for frame in range(position, end)]
        bounds = (*gop.times[1:], following)
        fits = all(time <= tick < bound for time, tick, bound in zip(shown.times, ticks, bounds, strict=False))
        worthwhile = shown.times == gop.times or len(shown.times) >= _SHORTEST_BEGINNING_S * edl.rate
        if gop.whole and fits and worthwhile:
            yield Copied(position, end, gop.times[0]), _frames_ahead(shown)
            position = end


def _with_following(groups: Iterator[Gop], video: SourceVideo) -> Iterator[tuple[Gop, int]]:
    """Each group with the time at which what comes after it is first shown; those without times left out."""
    before: Gop | None = None
    for gop in groups:
        if not gop.times:
            continue
        if before is not None:
            yield before, gop.times[0]
        before = gop
    if before is not None:
        yield before, video.end_pts


def _frames_ahead(gop: Gop) -> int:
    """By how many frames decoding has to run ahead of showing for each picture to be there in time."""
    shown = {time: number for number, time in enumerate(gop.times)}
    return max(number - shown[packet.pts or 0] for number, packet in enumerate(gop.packets))
