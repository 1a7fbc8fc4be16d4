"""Writes a clip: H.264 in BT.709 and, where there is sound, AAC, interleaved as they are made."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from demo.voice import Samples

Picture = npt.NDArray[np.uint8]

SAMPLE_RATE = 48_000
KEYFRAME_EVERY_S = 2
#: Fast rather than small, and the same bytes every time: those depend on the thread count, and with x264's macroblock
#: tree the same pictures have been seen to give different bytes within one process.
X264 = {
    "preset": "veryfast",
    "crf": "26",
    "threads": "2",
    "x264-params": "mbtree=0:subme=0:b-adapt=0:weightp=0:rc-lookahead=5",
}
AUDIO_BITRATE = 128_000


@dataclass(frozen=True)
class PictureFormat:
    """Size in pixels (both even) and frames a second."""

    width: int
    height: int
    rate: int


def write_clip(path: Path, picture: PictureFormat, frames: Iterable[Picture], sound: Samples | None = None) -> None:
    """Encode planar 4:2:0 pictures, shaped ``(height * 3 / 2, width)``, and mono sound of the same length."""
    with av.open(str(path), "w", format=path.suffix[1:], options={"movflags": "+faststart"}) as container:
        video = _video_stream(container, picture)
        audio = None if sound is None else container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        if audio is not None:
            audio.bit_rate = AUDIO_BITRATE
        step = SAMPLE_RATE // picture.rate
        for index, planes in enumerate(frames):
            container.mux(video.encode(_video_frame(planes, index, picture.rate)))
            if audio is not None and sound is not None:
                _encode_sound(container, audio, index * step, sound[index * step : (index + 1) * step])
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))


def write_wave(path: Path, sound: Samples) -> None:
    """Write mono 16-bit PCM."""
    with av.open(str(path), "w", format="wav") as container:
        audio = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        _encode_sound(container, audio, 0, sound)
        container.mux(audio.encode(None))


def shrunk(planes: Picture, full: PictureFormat, small: PictureFormat) -> Picture:
    """A planar 4:2:0 picture, each plane averaged down."""
    if full == small:
        return planes
    luma = _resized(planes[: full.height], small.width, small.height)
    chroma = planes[full.height :].reshape(2, full.height // 2, full.width // 2)
    halves = [_resized(plane, small.width // 2, small.height // 2) for plane in chroma]
    return np.concatenate([plane.reshape(-1, small.width) for plane in (luma, *halves)])


def planes_of(rgb: Picture) -> Picture:
    """An RGB picture as planar 4:2:0 in BT.709, limited range."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    converted = frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )
    return np.asarray(converted.to_ndarray(), np.uint8)


def _video_stream(container: OutputContainer, picture: PictureFormat) -> VideoStream:
    stream = container.add_stream("libx264", rate=picture.rate, options=X264)
    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
    context = stream.codec_context
    context.gop_size = KEYFRAME_EVERY_S * picture.rate
    context.thread_type = "FRAME"
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.color_range = ColorRange.MPEG
    return stream


def _video_frame(planes: Picture, index: int, rate: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = index, Fraction(1, rate)
    return frame


def _encode_sound(container: OutputContainer, stream: AudioStream, start: int, samples: Samples) -> None:
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
    container.mux(stream.encode(frame))


def _resized(plane: Picture, width: int, height: int) -> Picture:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
