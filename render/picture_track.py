"""An edit's pictures, or some consecutive ones of them, composed and encoded into a file of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from time import perf_counter

from av import VideoFrame
from av.video.frame import PictureType

from render.captions import CaptionBurner
from render.chain import FrameCopier
from render.encoder import ACCELERATED, SOFTWARE, PictureWriter
from render.hardware import AcceleratorFailed
from render.layers import Layer, Layers
from render.readers import Readers
from render.timeline import find_source
from schemas.delivery import StageTime
from schemas.edl import EDL, VideoClip
from schemas.hardware import NO_DEVICES, NO_HARDWARE, RenderPath
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest
from schemas.timeline import Stretch, visible_stretches

#: What the creator is told.
GAVE_OUT = "The graphics processor gave out while this was rendered; the CPU did it instead, which took longer."


@dataclass(frozen=True)
class PictureTrack:
    """A silent MP4 of timeline frames ``[first, first + frames)`` that starts with a keyframe at time 0.

    Tracks of one edit that were encoded alike can be joined packet by packet.
    """

    path: Path
    first: int
    frames: int
    stages: tuple[StageTime, ...] = ()
    notes: tuple[str, ...] = ()
    devices: RenderPath = NO_DEVICES


def render_picture(
    request: RenderRequest, path: Path, progress: ProgressCallback, part: range | None = None
) -> PictureTrack:
    """Compose and encode timeline frames into ``path``.

    Args:
        request: The edit, its sources and the encoder's settings.
        path: The MP4 to write.
        progress: Told the share of frames composed; what it raises ends the rendering.
        part: The timeline frames wanted; all where left out.

    Raises:
        MediaRefused: A source cannot be read or holds nothing that decodes.
        TransientError: The disk is full, or the encoder failed.
    """
    wanted = range(request.edl.duration) if part is None else part
    return encode_pictures(request, path, progress, (wanted,))


def encode_pictures(
    request: RenderRequest, path: Path, progress: ProgressCallback, parts: Sequence[range], parameter_set: int = 0
) -> PictureTrack:
    """Compose and encode parts of the timeline one after another, each timed as it lies and opened by a keyframe.

    Args:
        request: The edit, its sources and the encoder's settings.
        path: The MP4 to write; its time 0 is the first part's first frame.
        progress: Told the share of frames composed; what it raises ends the rendering.
        parts: Timeline frames in rising order.
        parameter_set: The number of x264's parameter sets.
    """
    try:
        return _encoded(request, path, progress, parts, parameter_set)
    except AcceleratorFailed:
        on_cpu = request.model_copy(update={"hardware": NO_HARDWARE})
        track = _encoded(on_cpu, path, progress, parts, parameter_set)
        return replace(track, notes=(GAVE_OUT, *track.notes))


def _encoded(
    request: RenderRequest, path: Path, progress: ProgressCallback, parts: Sequence[range], parameter_set: int
) -> PictureTrack:
    edl = request.edl
    first, count = parts[0].start, sum(map(len, parts))
    readers = Readers(edl, request.sources, request.hardware)
    encoder = ACCELERATED if ACCELERATED in request.hardware.encoders else SOFTWARE
    frames = _Timed(_frames(request, parts, readers))
    try:
        with PictureWriter(
            path, edl.canvas, edl.rate, request.encoder, encoder=encoder, parameter_set=parameter_set
        ) as writer:
            for done in range(1, count + 1):
                writer.write(next(frames))
                progress(done / count)
    finally:
        readers.close()
        for table in request.folder.glob("colour-*.cube"):
            table.unlink()
    stages = (
        StageTime(stage="decode and filter", seconds=frames.seconds),
        StageTime(stage="encode", seconds=writer.encode_seconds),
    )
    devices = RenderPath(decoders=readers.devices, encoders=(encoder,))
    return PictureTrack(path, first, count, stages, tuple(readers.notes()), devices)


class _Timed:
    """Frames as they are made, and the seconds that making them took."""

    def __init__(self, frames: Iterator[VideoFrame]) -> None:
        self._frames = frames
        self.seconds = 0.0

    def __next__(self) -> VideoFrame:
        started = perf_counter()
        try:
            return next(self._frames)
        finally:
            self.seconds += perf_counter() - started


def _frames(request: RenderRequest, parts: Sequence[range], readers: Readers) -> Iterator[VideoFrame]:
    """The finished pictures of the parts, timed from the first one's start."""
    finish = _Finish(request.edl, parts)
    for stretch in chain.from_iterable(_stretches_within(request.edl, part) for part in parts):
        layers = _layers(stretch, request, readers)
        for number in range(stretch.first, stretch.end):
            yield finish.finished(layers.picture(number), number)


class _Finish:
    """The last touch on every picture: its time, its caption, and whether it has to be a keyframe.

    A picture that nobody else holds is written to as it is; nothing here or above keeps one longer than it must, for a
    copy of every picture would cost as much as filtering it.
    """

    def __init__(self, edl: EDL, parts: Sequence[range]) -> None:
        style = edl.caption_style
        self._burner = CaptionBurner(edl.captions, style) if style is not None and style.burn_in else None
        self._copier = FrameCopier()
        self._first = parts[0].start
        self._opening = {part.start for part in parts}
        self._time_base = 1 / edl.rate

    def finished(self, picture: VideoFrame, number: int) -> VideoFrame:
        frame = self._copier.copy(picture, number - self._first, self._time_base)
        del picture
        if self._burner is not None:
            self._burner.burn(frame, number)
        if number in self._opening:
            frame.pict_type = PictureType.I
        return frame


def _stretches_within(edl: EDL, wanted: range) -> Iterator[Stretch]:
    for stretch in visible_stretches(edl):
        first, end = max(stretch.first, wanted.start), min(stretch.end, wanted.stop)
        if first < end:
            yield replace(stretch, first=first, end=end)


def _layers(stretch: Stretch, request: RenderRequest, readers: Readers) -> Layers:
    base = _layer(stretch.clip, request, readers)
    outgoing = None if stretch.outgoing is None else _layer(stretch.outgoing, request, readers)
    inset = None if stretch.inset is None else _layer(stretch.inset, request, readers)
    return Layers(stretch, request.edl.canvas, base, outgoing, inset)


def _layer(clip: VideoClip, request: RenderRequest, readers: Readers) -> Layer:
    source = find_source(request.edl.sources, clip.source)
    return Layer.of(clip, source, request.edl, readers.reader(clip), request.folder)
