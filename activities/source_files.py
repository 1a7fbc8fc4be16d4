"""How a render gets at the bytes of its sources: from a local copy, over a download, or range by range.

A download is worth it where most of the file will be read anyway, where the file is small, and where there is a copy
already; of a long file of which an edit shows little, only the index and the needed stretches are read.
"""

from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from socket import socket

from activities.patience import patiently
from activities.ranges import RangedObject
from activities.serving import Made, served_while
from schemas.edl import EDL, SAMPLE_RATE, Source
from schemas.jobs import Asset
from schemas.rendering import SourceFile
from stores import Bucket, ObjectStore

#: Downloaded whole in a moment, and then there for other outputs too.
SMALL_BYTES = 64 << 20

#: Of a source's length: read range by range, more than this is slower than one download.
MOST_SHARE = Fraction(1, 4)

#: Read before and behind every stretch, in seconds: from the keyframe before it on, and what decoders hold back.
MARGIN_S = Fraction(5)


@dataclass(frozen=True)
class SourceFiles:
    """Where a child reads each source, and the objects that are read for it."""

    files: dict[str, SourceFile]
    served: tuple[RangedObject, ...]

    @property
    def hands(self) -> list[socket]:
        """What the child is to be handed, to ask over."""
        return [served.theirs for served in self.served]

    async def serve_while(self, work: Awaitable[Made]) -> Made:
        """``work``'s result, while the ranges that it asks for are read.

        Raises:
            CinemaError: A range could not be read: whatever became of the work without it does not count.
        """
        return await served_while(work, [served.serve() for served in self.served])


@asynccontextmanager
async def source_files(
    objects: ObjectStore, edl: EDL, sources: Iterable[tuple[Source, Asset]], frames: range
) -> AsyncIterator[SourceFiles]:
    """Where each of ``sources``, with the asset that it is, is read for timeline ``frames`` of ``edl``."""
    files: dict[str, SourceFile] = {}
    served: list[RangedObject] = []
    try:
        for source, asset in sources:
            if await _is_read_in_ranges(objects, edl, source, asset, frames):
                opener = partial(objects.open, Bucket.ASSETS, asset.object_key)
                served.append(RangedObject(opener, asset.size_bytes))
                files[source.id] = served[-1].file()
            else:
                downloading = partial(objects.local_path, Bucket.ASSETS, asset.object_key)
                files[source.id] = await patiently(downloading)
        yield SourceFiles(files, tuple(served))
    finally:
        for each in served:
            await each.close()


async def _is_read_in_ranges(objects: ObjectStore, edl: EDL, source: Source, asset: Asset, frames: range) -> bool:
    if asset.size_bytes <= SMALL_BYTES or read_share(edl, source, frames) > MOST_SHARE:
        return False
    return await patiently(partial(objects.local_copy, Bucket.ASSETS, asset.object_key)) is None


def read_share(edl: EDL, source: Source, frames: range) -> Fraction:
    """The share of a source's length that is read for timeline ``frames``, margins included, at most 1."""
    length = _length_s(source)
    spans = sorted((max(Fraction(0), begin - MARGIN_S), end + MARGIN_S) for begin, end in _spans(edl, source, frames))
    read, reached = Fraction(0), Fraction(0)
    for begin, end in spans:
        read += max(Fraction(0), end - max(begin, reached))
        reached = max(reached, end)
    return min(Fraction(1), read / length) if length else Fraction(1)


def _length_s(source: Source) -> Fraction:
    video, audio = source.video, source.audio
    picture = Fraction(0) if video is None else (video.end_pts - video.start_pts) * video.time_base
    return max(picture, Fraction(audio.samples, SAMPLE_RATE) if audio is not None else Fraction(0))


def _spans(edl: EDL, source: Source, frames: range) -> list[tuple[Fraction, Fraction]]:
    """Stretches of the source in seconds from its beginning, as far as their clips lie in ``frames``."""
    spans = [
        (clip.start, clip.end, Fraction(clip.source_in, SAMPLE_RATE))
        for track in edl.audio
        for clip in track.clips
        if clip.source == source.id
    ]
    if source.video is not None:
        for clip in (*edl.video, *edl.overlays):
            if clip.source == source.id:
                begin = (clip.source_in - source.video.start_pts) * source.video.time_base
                spans.append((clip.start, clip.end, begin))
    inside = ((max(start, frames.start), min(end, frames.stop), start, at) for start, end, at in spans)
    return [(at + (b - start) / edl.rate, at + (e - start) / edl.rate) for b, e, start, at in inside if b < e]
