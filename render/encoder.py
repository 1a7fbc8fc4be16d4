"""H.264 in MP4: frames are taken from a queue and encoded in a thread of their own while the next are made."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from math import floor
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import perf_counter
from typing import Self

import av
import av.error
from av import VideoFrame
from av.container import OutputContainer
from av.video.stream import VideoStream

from render.failures import reporting_output
from render.hardware import AcceleratorFailed
from render.pyav import AnyPacket
from schemas.edl import Canvas
from schemas.rendering import EncoderSettings

#: EDITING, "Delivery" (YouTube upload settings): closed GOPs of at most 2 s, 2 B-frames.
LONGEST_GOP_S = 2
_B_FRAMES = 2

#: ITU-T H.273 code of BT.709 for primaries, transfer and matrix, and FFmpeg's of limited range; and all of them.
BT709 = 1
LIMITED_RANGE = 1
DELIVERED_COLOUR = (BT709, BT709, BT709, LIMITED_RANGE)

#: Frames made ahead of the encoder, which looks ahead over many more of its own: enough to even out the two threads.
_QUEUE_FRAMES = 2
_WAIT_S = 0.2

#: moov goes first; negative composition offsets let a stream with B-frames start at time 0 with no edit list.
DELIVERY_OPTIONS = {"movflags": "+faststart+negative_cts_offsets", "use_editlist": "0"}
#: What is only read again here needs no index in front.
TRACK_OPTIONS = {"movflags": "+negative_cts_offsets", "use_editlist": "0"}

#: H.264 is what is delivered, so it is the one encoder of a GPU that is of use.
SOFTWARE, ACCELERATED = "libx264", "h264_nvenc"


class PictureWriter:
    """Writes a silent MP4: give it every frame in order, then leave the ``with`` block."""

    def __init__(
        self,
        path: Path,
        canvas: Canvas,
        rate: Fraction,
        settings: EncoderSettings,
        *,
        encoder: str = SOFTWARE,
        parameter_set: int = 0,
    ) -> None:
        """``parameter_set`` numbers x264's parameter sets, for pictures that join others with theirs."""
        self._encoder = encoder
        self._output: OutputContainer = av.open(f"file:{path}", "w", format="mp4", container_options=TRACK_OPTIONS)
        self._video = _video_stream(self._output, canvas, rate, settings, encoder, parameter_set=parameter_set)
        self._queue: Queue[VideoFrame | None] = Queue(_QUEUE_FRAMES)
        self._failed = Event()
        self._failure: Exception | None = None
        self.encode_seconds = 0.0
        self._thread = Thread(target=self._run, name="encoder")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self._finish()
        else:
            self._abandon()

    def _finish(self) -> None:
        try:
            self._hand_over(None)
            self._thread.join()
            self._raise_failure()
        except Exception:
            self._abandon()
            raise
        self._output.close()

    def _abandon(self) -> None:
        """Stop without finishing the file: what went wrong before is what the caller needs to know."""
        self._failed.set()
        self._thread.join()
        with suppress(av.error.FFmpegError, OSError):
            self._output.close()

    def write(self, frame: VideoFrame) -> None:
        """Hand over the next frame; waits while the encoder is behind.

        Raises:
            TransientError: The encoder or the disk failed on an earlier frame.
        """
        self._hand_over(frame)

    def _hand_over(self, frame: VideoFrame | None) -> None:
        while not self._failed.is_set():
            try:
                self._queue.put(frame, timeout=_WAIT_S)
            except Full:
                continue
            return
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            with reporting_output():
                for frame in self._frames():
                    self._encode(frame)
        except Exception as error:  # noqa: BLE001 -- it is raised again on the thread that waits for this one
            self._failure = error
            self._failed.set()

    def _frames(self) -> Iterator[VideoFrame | None]:
        """Frames until the end of the edit (a ``None``, given on to flush) or until the other thread gave up."""
        while not self._failed.is_set():
            try:
                frame = self._queue.get(timeout=_WAIT_S)
            except Empty:
                continue
            yield frame
            if frame is None:
                return

    def _encoded(self, frame: VideoFrame | None) -> list[AnyPacket]:
        try:
            return self._video.encode(frame)
        except (av.error.FFmpegError, MemoryError) as error:
            if self._encoder == ACCELERATED:
                raise AcceleratorFailed("the graphics processor failed to encode") from error
            raise

    def _encode(self, frame: VideoFrame | None) -> None:
        started = perf_counter()
        self._output.mux(self._encoded(frame))
        self.encode_seconds += perf_counter() - started


def _own_options(settings: EncoderSettings, encoder: str, parameter_set: int) -> dict[str, str]:
    """What each encoder calls its quality, its speed and closed GOPs."""
    if encoder == ACCELERATED:
        return {"preset": "p4", "rc": "vbr", "cq": str(settings.crf), "strict_gop": "1", "forced-idr": "1"}
    return {
        "preset": settings.preset,
        "crf": str(settings.crf),
        "forced-idr": "1",
        "x264-params": f"open-gop=0:force-cfr=1:8x8dct=1:sps-id={parameter_set}",
    }


def _video_stream(
    output: OutputContainer,
    canvas: Canvas,
    rate: Fraction,
    settings: EncoderSettings,
    encoder: str,
    *,
    parameter_set: int,
) -> VideoStream:
    options = {
        **_own_options(settings, encoder, parameter_set),
        "profile": "high",
        "bf": str(_B_FRAMES),
        "g": str(floor(LONGEST_GOP_S * rate)),
    }
    stream = output.add_stream(encoder, rate=rate, options=options)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{encoder} is no encoder of pictures")
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = canvas.width, canvas.height, "yuv420p"
    context.sample_aspect_ratio = Fraction(1)
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED_RANGE
    context.time_base = stream.time_base = 1 / rate
    context.thread_count = settings.threads
    # Frame threads finish sooner than slice threads on the same cores, and slices cost compression.
    context.thread_type = "FRAME"
    return stream
