"""The delivery check: the finished file decoded again and measured against its edit and the delivery limits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import av
import av.error
from av import AudioFrame, VideoFrame
from av.container import InputContainer

from render.boxes import box_order, has_edit_list
from render.captions import layout
from render.encoder import DELIVERED_COLOUR, LONGEST_GOP_S
from render.labels import colour_of
from render.loudness import Loudness, LoudnessMeter
from render.master import AAC_FRAME, TARGET_LUFS, TRUE_PEAK_LIMIT_DBTP, quietest_levelled
from render.metrics import metrics
from render.pyav import AnyPacket, float_samples
from render.timeline import total_samples
from render.version import ENGINE_VERSION
from schemas.delivery import Correction, DeliveryCheck, DeliveryReport, PictureOrigin, StageTime
from schemas.edl import EDL, SAMPLE_RATE
from schemas.errors import DeliveryRejected, ErrorCode
from schemas.hardware import NO_DEVICES, RenderPath
from schemas.progress import ProgressCallback, ignore_progress

#: EDITING, "Sound". Peaks that leave no room for more are a reason to miss it by as much again, and no more.
_LOUDNESS_TOLERANCE = 0.5
_LOUDNESS_MOST = 1.0
#: Loudness of shorter or inaudible material is reported, not required: a single word has no programme loudness.
_SHORTEST_LEVELLED_S = 3
#: Characters a second (Netflix timed text guide); lines per caption.
_READING_SPEED = 20
_CAPTION_LINES = 2
_SYNC_LIMIT_S = Fraction(1, 1000)

#: The checks of what was decoded; every other one is of the edit's words.
MEASURED = frozenset(
    {
        *("duration", "constant frame rate", "broken pictures", "video codec", "picture size", "pixel format"),
        *("colour tags", "pixel aspect", "longest GOP", "open GOPs", "moov before mdat", "edit lists"),
        *("audio codec", "audio format", "audio length against picture", "gaps in the sound", "A/V start offset"),
        *("loudness", "true peak"),
    }
)


@dataclass
class _Measured:
    """What decoding the file counted and measured."""

    width: int = 0
    height: int = 0
    pixel_format: str = ""
    colours: set[tuple[int, int, int, int]] = field(default_factory=set)
    pixel_aspect: Fraction | None = None
    codec: str = ""
    audio_codec: str = ""
    sample_rate: int = 0
    channels: int = 0
    frames: int = 0
    samples: int = 0
    video_start: Fraction | None = None
    audio_start: Fraction | None = None
    uneven_frames: int = 0
    uneven_sound: int = 0
    broken_frames: int = 0
    longest_gop: int = 0
    open_gops: int = 0
    loudness: Loudness = field(default_factory=lambda: Loudness(None, None))


#: Is shown a decoded frame and its number.
FrameWatcher = Callable[[VideoFrame, int], None]


def _watch_nothing(_frame: VideoFrame, _number: int) -> None:
    """For checks that nobody looks over the shoulder of."""


def check_delivery(
    video: Path,
    edl: EDL,
    *,
    notes: tuple[str, ...] = (),
    corrections: tuple[Correction, ...] = (),
    devices: RenderPath = NO_DEVICES,
    picture: PictureOrigin | None = None,
    stages: tuple[StageTime, ...] = (),
    progress: ProgressCallback = ignore_progress,
    watch: FrameWatcher = _watch_nothing,
) -> DeliveryReport:
    """Decode a finished file from nothing but its bytes and hold it against its edit.

    Args:
        video: The finished MP4.
        edl: The edit it was made from.
        notes: Sentences for the creator to store with the report.
        corrections: What was put right before this check, to store with it too.
        devices: What the picture went through, as well.
        picture: How many pictures were copied and how many encoded, as well.
        stages: Times of the stages before this one.
        progress: Told the share of frames decoded.
        watch: Shown every decoded frame with its number.

    Returns:
        Every check with what was measured; ``report.passed`` says whether all hard ones passed.

    Raises:
        DeliveryRejected: The file holds no picture or cannot be decoded at all.
    """
    started = perf_counter()
    try:
        measured = _measure(video, edl, progress, watch)
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise DeliveryRejected(
            ErrorCode.DELIVERY_CHECK_FAILED, "The finished file could not be decoded again."
        ) from error
    if measured.frames == 0:
        raise DeliveryRejected(ErrorCode.DELIVERY_CHECK_FAILED, "The finished file holds no picture.")
    checks = (
        *_picture_checks(measured, edl),
        *_file_checks(video),
        *_sound_checks(measured, edl),
        *_caption_checks(edl),
    )
    stages = (*stages, StageTime(stage="check", seconds=perf_counter() - started))
    return DeliveryReport(
        engine=ENGINE_VERSION,
        frames=measured.frames,
        samples=measured.samples,
        checks=checks,
        metrics=metrics(edl, measured.loudness, stages),
        corrections=corrections,
        path=devices,
        picture=picture,
        notes=notes,
    )


def restated(report: DeliveryReport, edl: EDL) -> DeliveryReport:
    """What was measured on a video, told of another edit that has the same picture and sound (see ``video_key``).

    All that follows from the words of an edit is that edit's own: its captions, the numbers counted from it.
    """
    told = report.metrics
    loudness = Loudness(told.integrated_lufs, told.true_peak_dbtp)
    measured = tuple(check for check in report.checks if check.name in MEASURED)
    changes = {
        "checks": (*measured, *_caption_checks(edl)),
        "metrics": metrics(edl, loudness, told.stages),
        "reused": True,
    }
    return report.model_copy(update=changes)


def require_passed(checks: Iterable[DeliveryCheck]) -> None:
    """Raise ``DeliveryRejected`` naming the hard checks that did not pass."""
    missed = [check for check in checks if check.hard and not check.passed]
    if missed:
        parts = [f"{c.name} is {c.measured} {c.unit}".rstrip() + f" (limit: {c.limit})" for c in missed]
        raise DeliveryRejected(
            ErrorCode.DELIVERY_CHECK_FAILED, f"The video misses a delivery limit: {'; '.join(parts)}."
        )


def _measure(path: Path, edl: EDL, progress: ProgressCallback, watch: FrameWatcher) -> _Measured:
    measured = _Measured()
    with av.open(f"file:{path}", container_options={"protocol_whitelist": "file"}) as container:
        _describe(container, measured)
        meter = LoudnessMeter()
        gops = _GopCounter()
        for packet in container.demux():
            if packet.stream.type == "video":
                gops.count(packet)
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    watch(frame, measured.frames)
                    _count_picture(frame, edl.rate, measured)
                    progress(measured.frames / edl.duration)
                elif isinstance(frame, AudioFrame):
                    _count_sound(frame, measured, meter)
        measured.loudness = meter.result()
        measured.longest_gop, measured.open_gops = gops.result()
    return measured


def _describe(container: InputContainer, measured: _Measured) -> None:
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    # A decoder makes up for what it cannot read; here that is an error.
    stream.codec_context.options = {"err_detect": "explode"}
    context = stream.codec_context
    measured.codec = f"{context.name} {context.profile}"
    measured.width, measured.height = context.width, context.height
    measured.pixel_format = context.pix_fmt or "unknown"
    measured.colours.add(colour_of(context))
    measured.pixel_aspect = stream.sample_aspect_ratio
    for sound in container.streams.audio[:1]:
        measured.audio_codec = f"{sound.codec_context.name} {sound.codec_context.profile}"
        measured.sample_rate, measured.channels = sound.codec_context.sample_rate, sound.codec_context.channels


def _count_picture(frame: VideoFrame, rate: Fraction, measured: _Measured) -> None:
    at = _seconds(frame)
    if measured.video_start is None:
        measured.video_start = at
    measured.uneven_frames += at != measured.frames / rate
    measured.broken_frames += frame.is_corrupt
    measured.colours.add(colour_of(frame))
    measured.frames += 1


def _count_sound(frame: AudioFrame, measured: _Measured, meter: LoudnessMeter) -> None:
    at = _seconds(frame)
    if measured.audio_start is None:
        measured.audio_start = at
    elif at is None or at - measured.audio_start != Fraction(measured.samples, frame.sample_rate):
        measured.uneven_sound += 1
    measured.samples += frame.samples
    meter.push(float_samples(frame))


def _seconds(frame: VideoFrame | AudioFrame) -> Fraction | None:
    return None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base


class _GopCounter:
    """Lengths of GOPs in frames, and pictures that are shown before the keyframe they are decoded after."""

    def __init__(self) -> None:
        self._length = self._longest = self._open = 0
        self._keyframe_pts: int | None = None

    def count(self, packet: AnyPacket) -> None:
        if packet.pts is None:
            return
        if packet.is_keyframe:
            self._longest = max(self._longest, self._length)
            self._length = 0
            self._keyframe_pts = packet.pts
        self._length += 1
        self._open += self._keyframe_pts is None or packet.pts < self._keyframe_pts

    def result(self) -> tuple[int, int]:
        return max(self._longest, self._length), self._open


def _check(
    name: str, measured: object, limit: object, *, passed: bool, unit: str = "", hard: bool = True
) -> DeliveryCheck:
    return DeliveryCheck(name=name, measured=str(measured), limit=str(limit), unit=unit, passed=passed, hard=hard)


def _equal(name: str, measured: object, wanted: object, unit: str = "") -> DeliveryCheck:
    return _check(name, measured, wanted, passed=measured == wanted, unit=unit)


def _picture_checks(measured: _Measured, edl: EDL) -> Iterator[DeliveryCheck]:
    yield _equal("duration", measured.frames, edl.duration, "frames")
    yield _check(
        "constant frame rate", measured.uneven_frames, 0, passed=measured.uneven_frames == 0, unit="frames off"
    )
    yield _equal("broken pictures", measured.broken_frames, 0, "frames")
    yield _equal("video codec", measured.codec, "h264 High")
    yield _equal("picture size", f"{measured.width}x{measured.height}", f"{edl.canvas.width}x{edl.canvas.height}", "px")
    yield _equal("pixel format", measured.pixel_format, "yuv420p")
    others = measured.colours - {DELIVERED_COLOUR}
    yield _check("colour tags", min(others, default="bt709"), "bt709", passed=not others)
    square = measured.pixel_aspect in (None, 1)
    yield _check("pixel aspect", measured.pixel_aspect or 1, 1, passed=square)
    longest_s = float(measured.longest_gop / edl.rate)
    yield _check("longest GOP", f"{longest_s:.3f}", LONGEST_GOP_S, passed=longest_s <= LONGEST_GOP_S, unit="s")
    yield _equal("open GOPs", measured.open_gops, 0)


def _file_checks(video: Path) -> Iterator[DeliveryCheck]:
    order = [kind for kind in box_order(video) if kind in ("moov", "mdat")]
    yield _check("moov before mdat", " ".join(order), "moov mdat", passed=order[:1] == ["moov"])
    edited = has_edit_list(video)
    yield _check("edit lists", "present" if edited else "none", "none", passed=not edited)


def _sound_checks(measured: _Measured, edl: EDL) -> Iterator[DeliveryCheck]:
    yield _equal("audio codec", measured.audio_codec, "aac LC")
    yield _equal("audio format", f"{measured.sample_rate} Hz, {measured.channels} ch", f"{SAMPLE_RATE} Hz, 2 ch")
    surplus = measured.samples - total_samples(edl)
    yield _check(
        "audio length against picture",
        surplus,
        f"0 to {AAC_FRAME - 1}",
        passed=0 <= surplus < AAC_FRAME,
        unit="samples",
    )
    yield _equal("gaps in the sound", measured.uneven_sound, 0)
    yield _start_offset(measured)
    yield from _loudness_checks(measured.loudness, edl)


def _start_offset(measured: _Measured) -> DeliveryCheck:
    if measured.video_start is None or measured.audio_start is None:
        return _check("A/V start offset", "no sound or picture", "within 1", passed=False, unit="ms")
    offset = measured.audio_start - measured.video_start
    at_zero = measured.video_start == 0
    return _check(
        "A/V start offset",
        f"{float(offset * 1000):.3f}",
        "within 1",
        passed=at_zero and abs(offset) <= _SYNC_LIMIT_S,
        unit="ms",
    )


def _loudness_checks(loudness: Loudness, edl: EDL) -> Iterator[DeliveryCheck]:
    limit = f"{TARGET_LUFS:.0f} ±{_LOUDNESS_TOLERANCE}"
    integrated, peak = loudness.integrated_lufs, loudness.true_peak_dbtp
    if integrated is None:
        yield _check("loudness", "silent", limit, passed=True, unit="LUFS", hard=False)
    else:
        levelled = integrated >= quietest_levelled(edl) and edl.duration / edl.rate >= _SHORTEST_LEVELLED_S
        missed = abs(integrated - TARGET_LUFS)
        hard = levelled and missed > _LOUDNESS_MOST
        passed = missed <= _LOUDNESS_TOLERANCE
        yield _check("loudness", f"{integrated:.1f}", limit, passed=passed, unit="LUFS", hard=hard or passed)
    low_enough = peak is None or peak <= TRUE_PEAK_LIMIT_DBTP
    shown = "silent" if peak is None else f"{peak:.2f}"
    yield _check("true peak", shown, f"at most {TRUE_PEAK_LIMIT_DBTP:.0f}", passed=low_enough, unit="dBTP")


def _caption_checks(edl: EDL) -> Iterator[DeliveryCheck]:
    style = edl.caption_style
    if style is None or not edl.captions:
        return
    lines = max(len(caption.lines) for caption in edl.captions)
    yield _check("caption lines", lines, f"at most {_CAPTION_LINES}", passed=lines <= _CAPTION_LINES)
    fastest = max(_characters(c.lines) * edl.rate / (c.end - c.start) for c in edl.captions)
    yield _check(
        "caption reading speed",
        f"{float(fastest):.1f}",
        f"at most {_READING_SPEED}",
        passed=fastest <= _READING_SPEED,
        unit="characters/s",
        hard=False,
    )
    if style.burn_in:
        boxes = [layout(caption, style) for caption in edl.captions]
        outside = sum(
            b.x < style.left or b.y < style.top or b.x + b.width > style.right or b.y + b.height > style.bottom
            for b in boxes
        )
        yield _equal("captions outside the safe area", outside, 0)


def _characters(lines: Sequence[str]) -> int:
    return sum(len(line) for line in lines)
