"""The graphics processor: found out by using it, and given up as soon as it fails.

A driver that lists a device, or an FFmpeg that names an encoder, promises nothing: some data-centre GPUs decode but
have no encoder, and drivers and libraries need not fit. What has really encoded and decoded a few pictures is used.
"""

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import av.error
import numpy as np
from av.codec.hwaccel import HWAccel
from av.video.stream import VideoStream

from schemas.hardware import Hardware

DEVICE = "cuda"

#: NVENC's encoders, and for NVDEC each codec with an encoder of ours that makes something to decode.
_ENCODERS = ("h264_nvenc", "hevc_nvenc", "av1_nvenc")
_DECODED = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}
_OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12"},
}

#: Larger than the smallest picture that any of them takes.
_WIDTH, _HEIGHT = 320, 192
_FRAMES = 8

#: What a device that is missing, busy or broken makes PyAV raise.
_FAILURES = (av.error.FFmpegError, OSError, ValueError, RuntimeError, NotImplementedError, MemoryError)


class AcceleratorFailed(Exception):
    """The graphics processor failed at work that the CPU can do as well."""


def accelerator(*, fall_back: bool) -> HWAccel:
    """A decoder's access to the device; ``fall_back`` leaves streams that it cannot decode to the CPU."""
    return HWAccel(DEVICE, allow_software_fallback=fall_back)


def probe_hardware() -> Hardware:
    """Encode and decode a few pictures with everything there may be, and say what has worked."""
    return Hardware(
        encoders=tuple(name for name in _ENCODERS if _encodes(name)),
        decoders=tuple(codec for codec, maker in _DECODED.items() if _decodes(codec, maker)),
    )


def _encodes(encoder: str) -> bool:
    try:
        return bool(_encoded(encoder))
    except _FAILURES:
        return False


def _decodes(codec: str, maker: str) -> bool:
    try:
        sample = io.BytesIO(_encoded(maker))
        with av.open(sample, "r", hwaccel=accelerator(fall_back=False)) as container:
            stream = container.streams.video[0]
            decoded = any(container.decode(stream))
            context = stream.codec_context
            return decoded and context.is_hwaccel and context.codec.canonical_name == codec
    except _FAILURES:
        return False


def _encoded(encoder: str) -> bytes:
    """A short Matroska file."""
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as output:
        stream = output.add_stream(encoder, rate=30, options=_OPTIONS.get(encoder, {}))
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{encoder} is no encoder of pictures")
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for frame in _pictures():
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def _pictures() -> Iterator[av.VideoFrame]:
    for number in range(_FRAMES):
        luma = np.full((_HEIGHT * 3 // 2, _WIDTH), 128, np.uint8)
        luma[: _HEIGHT // 2, : 16 * (number + 1)] = 200
        frame = av.VideoFrame.from_ndarray(luma, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        yield frame
