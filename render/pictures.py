"""A source's pictures by time: seek, decode only what is needed, deinterlace, and hold what cannot be decoded."""

import os
from collections import deque
from collections.abc import Iterator

import av.error
from av import VideoFrame
from av.container import InputContainer
from av.filter import Graph
from av.video.stream import VideoStream

from render.chain import frame_source, signature
from render.failures import MEDIA_ERRORS
from render.hardware import DEVICE, AcceleratorFailed
from render.labels import Labels, colour_of
from render.opening import open_source, stream_at
from render.orientation import UPRIGHT, Turn, turn_of
from render.reading import Damage, decoded
from schemas.edl import Source, SourceVideo
from schemas.errors import ErrorCode, MediaRefused
from schemas.hardware import NO_HARDWARE, Hardware
from schemas.rendering import SourceFile

#: A jump up to this many seconds ahead is decoded through; a longer one seeks when a keyframe lies in between.
_NEAR_S = 0.5
#: Beyond this many seconds a seek is worth trying even where the file has no index of keyframes.
_FAR_S = 10
#: How much earlier, in seconds, to try again when a seek landed behind its target (inexact indexes, leading pictures).
_RETRIES_S = (0, 1, 5, 30)
#: A source that ends this many seconds before the moment asked for is reported as ending early.
_EARLY_END_S = 0.5
#: Damaged pictures are replaced by the last good one for at most this many seconds.
_HELD_DAMAGE_S = 1
#: Pixels of a frame that one of a decoder's threads makes sooner than the encoder, beside it, is done with the last;
#: on few processors more threads only cost: a fifth of what decoding takes, and the pictures that each holds.
_EASY_PIXELS = 1920 * 1088
_FEW_PROCESSORS = 2
#: Of larger frames and on more processors, as many threads as keep the encoder busy.
_MOST_THREADS = 4

#: How pictures come back from the device: of 4:2:0 and 4:2:2, the colours of a row by turns, as no decoder of the CPU's
#: makes them. Pictures of 4:4:4 look alike from both, and are taken for the CPU's.
_FROM_DEVICE = frozenset({"nv12", "p010le", "p012le", "p016le", "nv16", "p210le", "p212le", "p216le"})


class PictureReader:
    """The pictures of one source in any order, cheapest when asked for in time order."""

    def __init__(self, source: Source, file: SourceFile, hardware: Hardware = NO_HARDWARE) -> None:
        if source.video is None:
            raise MediaRefused(ErrorCode.NO_PICTURE, f"“{source.name}” has no picture.")
        self._name = source.name
        self._file = file
        self._hardware = hardware
        self._video: SourceVideo = source.video
        self._ticks_per_s = 1 / source.video.time_base
        self._frames: Iterator[VideoFrame] = iter(())
        self._current: VideoFrame | None = None
        self._next: VideoFrame | None = None
        self._at_start = True
        self._damage = Damage()
        self._from_device = False
        self.ended_early = False
        self._open()

    @property
    def device(self) -> str:
        """What decodes: a stream that the device cannot decode is left to the CPU, unsaid, and then looks like it."""
        return DEVICE if self._is_accelerated and self._from_device else "cpu"

    @property
    def damaged(self) -> bool:
        return self._damage.count > 0

    def close(self) -> None:
        """Give everything back now: a generator left waiting would keep reader and decoder alive in a cycle."""
        self._current = self._next = None
        self._frames = iter(())
        self._container.close()

    def frame_at(self, tick: int) -> VideoFrame:
        """The last picture at or before ``tick`` of the stream's time base; the first or last one outside the stream.

        Raises:
            MediaRefused: Nothing at all could be decoded.
        """
        if self._must_seek(tick):
            self._seek(tick)
        while self._next is not None and (self._current is None or _time(self._next) <= tick):
            self._at_start = self._at_start and self._current is None
            self._current, self._next = self._next, next(self._frames, None)
        if self._current is None:
            raise MediaRefused(ErrorCode.MEDIA_DAMAGED, f"No picture of “{self._name}” could be decoded.")
        if self._next is None and tick - self._until > _EARLY_END_S * self._ticks_per_s:
            self.ended_early = True
        return self._current

    def shows_still(self, tick: int) -> bool:
        """Whether the picture given last is the one at ``tick`` too, a later time."""
        return self._next is None or tick < _time(self._next)

    def _open(self) -> None:
        self._container: InputContainer = self._opened()
        stream = stream_at(self._container, self._video.stream_index)
        if not isinstance(stream, VideoStream):
            raise MediaRefused(ErrorCode.NO_PICTURE, f"“{self._name}” has no picture where one was found before.")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = _threads(stream.width * stream.height, os.cpu_count() or 1)
        self._is_accelerated = is_accelerated(stream)
        self._stream = stream
        self._labels = Labels.of(stream)
        self._at_start = True
        self._start()
        self.turn: Turn = UPRIGHT if self._next is None else turn_of(self._next)
        self.colour = None if self._next is None else colour_of(self._next)

    def _opened(self) -> InputContainer:
        try:
            return open_source(self._file, self._name, self._hardware)
        except MediaRefused as error:
            # A device without memory left refuses every file; whether this one is to blame, the CPU will show.
            if self._hardware.decoders:
                raise AcceleratorFailed(f"“{self._name}” could not be opened for the graphics processor") from error
            raise

    def _start(self) -> None:
        self._current = None
        self._until = self._video.start_pts  # when pictures end, by what the file says of how long each is shown
        self._frames = self._ordered(deinterlaced(self._decoded()))
        self._next = next(self._frames, None)

    def _must_seek(self, tick: int) -> bool:
        reached = self._current or self._next
        if reached is None:
            return False
        if tick < _time(reached):
            return not self._at_start
        ahead = tick - _time(reached)
        if ahead <= _NEAR_S * self._ticks_per_s or self._next is None:
            return False
        return ahead > _FAR_S * self._ticks_per_s or self._keyframe_between(_time(reached), tick)

    def _keyframe_between(self, reached: int, tick: int) -> bool:
        entries = self._stream.index_entries
        position = entries.search_timestamp(tick, backward=True)
        return position >= 0 and entries[position].timestamp > reached

    def _seek(self, tick: int) -> None:
        for earlier_s in _RETRIES_S:
            if self._seek_once(int(tick - earlier_s * self._ticks_per_s), tick):
                return
        self._container.close()
        self._open()

    def _seek_once(self, target: int, tick: int) -> bool:
        if target < self._video.start_pts:
            return False
        try:
            self._container.seek(target, stream=self._stream, backward=True)
        except MEDIA_ERRORS:
            return False
        self._at_start = False
        self._start()
        return self._next is not None and _time(self._next) <= tick

    def _decoded(self) -> Iterator[VideoFrame]:
        for frame in decoded(self._container, self._stream, self._damage):
            self._give_up_accelerator()
            if isinstance(frame, VideoFrame):
                self._from_device = self._from_device or frame.format.name in _FROM_DEVICE
                self._labels.put_on(frame)
                yield frame
        self._give_up_accelerator()

    def _give_up_accelerator(self) -> None:
        """Whether the device or the file is to blame, the CPU will show."""
        if self._is_accelerated and self._damage.count:
            raise AcceleratorFailed(f"“{self._name}” could not be decoded on the graphics processor")

    def _ordered(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """Frames with rising times; a damaged one is left out while a good one shortly before it can be held."""
        good: int | None = None
        last: int | None = None
        for frame in frames:
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (last is not None and pts <= last):
                continue
            if frame.is_corrupt and good is not None and pts - good <= _HELD_DAMAGE_S * self._ticks_per_s:
                continue
            frame.pts = last = pts
            self._until = max(self._until, pts + (frame.duration or 0))
            good = pts if not frame.is_corrupt else good
            yield frame


def deinterlaced(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Frames as they are until the first interlaced one; from there on through the deinterlacer.

    Frames of another size, format or colour, as broadcasts change to between programmes, begin anew.
    """
    deinterlacer: _Deinterlacer | None = None
    for frame in frames:
        if deinterlacer is not None and signature(frame) != deinterlacer.taken:
            yield from deinterlacer.flush()
            deinterlacer = None
        if deinterlacer is None and frame.interlaced_frame:
            deinterlacer = _Deinterlacer(frame)
        if deinterlacer is None:
            yield frame
        else:
            yield from deinterlacer.push(frame)
    if deinterlacer is not None:
        yield from deinterlacer.flush()


def _threads(pixels: int, processors: int) -> int:
    """How many threads decode frames of so many pixels beside an encoder."""
    if pixels <= _EASY_PIXELS and processors <= _FEW_PROCESSORS:
        return 1
    return min(processors, _MOST_THREADS)


class _Deinterlacer:
    """bwdif over consecutive frames: one picture out for each one in, with the time it came with."""

    def __init__(self, template: VideoFrame) -> None:
        self.taken = signature(template)
        self._graph = Graph()
        source = frame_source(self._graph, template)
        filters = [self._graph.add("bwdif", mode="send_frame", deint="interlaced"), self._graph.add("buffersink")]
        self._graph.link_nodes(source, *filters).configure()
        self._source, self._sink = source, filters[-1]
        self._times: deque[int | None] = deque()

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        self._times.append(frame.pts if frame.pts is not None else frame.dts)
        self._source.push(frame)
        yield from self._pulled()

    def flush(self) -> Iterator[VideoFrame]:
        self._source.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[VideoFrame]:
        while self._times:
            try:
                frame = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, VideoFrame):
                frame.pts = self._times.popleft()
                yield frame


def is_accelerated(stream: VideoStream) -> bool:
    """Whether the device decodes it, and not the CPU."""
    return stream.codec_context.is_hwaccel


def _time(frame: VideoFrame) -> int:
    if frame.pts is None:
        raise TypeError("a frame without a time got past the check for one")
    return frame.pts
