"""Small whole files in many formats, made here, for mutations to start from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FRAMES = 10
WIDTH, HEIGHT = 64, 48

#: The largest labelled real file that is mutated; larger ones cost time and show nothing more.
LARGEST_REAL = 130_000


@dataclass(frozen=True)
class Kind:
    """A file of ``FRAMES`` pictures and as much sound, either of them optional."""

    name: str
    picture: str | None = None
    pixel_format: str = "yuv420p"
    sound: str | None = None
    sound_rate: int = 48_000
    layout: str = "stereo"
    size: tuple[int, int] = (WIDTH, HEIGHT)
    rate: int = 25
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    labelled: bool = False


#: What is delivered as it is: its packets are copied where an edit changes nothing.
X264_HIGH = {"preset": "veryfast", "profile": "high", "g": "3", "bf": "2", "crf": "45", "threads": "1"}
X264 = {"preset": "ultrafast", "g": "5", "bf": "2", "threads": "1"}

KINDS = (
    Kind("phone.mp4", "libx264", sound="aac", options=X264),
    Kind("stream.mp4", "libx264", sound="aac", options=X264, container={"movflags": "frag_keyframe+empty_moov"}),
    Kind("ready.mp4", "libx264", sound="aac", size=(128, 96), options=X264_HIGH, labelled=True),
    Kind("ready-too.mp4", "libx264", size=(128, 96), options=X264_HIGH, labelled=True),
    Kind("camera.mp4", "libx265", "yuv420p10le", options={"preset": "ultrafast", "x265-params": "log-level=none"}),
    Kind("web.webm", "libvpx-vp9", sound="libopus", options={"deadline": "realtime", "cpu-used": "8"}),
    Kind("old.webm", "libvpx", sound="libopus", options={"deadline": "realtime"}),
    Kind("new.mkv", "libsvtav1", sound="flac", size=(128, 64), options={"preset": "12", "svtav1-params": "lp=1"}),
    Kind("screen.mkv", "ffv1", "yuv444p", sound="pcm_s16le"),
    Kind("edit.mov", "prores_ks", "yuv422p10le", sound="pcm_s24be", layout="3.0", sound_rate=32_000),
    Kind("still.mov", "png", "rgb24"),
    Kind("tape.avi", "mpeg4", sound="libmp3lame"),
    Kind("cheap.avi", "mjpeg", "yuvj420p", sound="pcm_s16le", layout="mono", sound_rate=44_100),
    Kind("broadcast.ts", "mpeg2video", sound="mp2"),
    Kind("disc.mpg", "mpeg2video", sound="ac3"),
    Kind("flash.flv", "flv", sound="libmp3lame", sound_rate=44_100),
    Kind("windows.asf", "wmv2", sound="libmp3lame", sound_rate=44_100),
    Kind("broadcast.mxf", "mpeg2video", sound="pcm_s16le"),
    Kind("memo.m4a", sound="alac"),
    Kind("memo.mp3", sound="libmp3lame"),
    Kind("memo.wav", sound="pcm_s16le", sound_rate=96_000),
    Kind("memo.flac", sound="flac"),
    Kind("memo.ogg", sound="libopus"),
    Kind("memo.aac", sound="aac"),
    Kind("memo.aiff", sound="pcm_s16be"),
)


def corpus(folder: Path, real: Path | None) -> list[bytes]:
    """Every kind, and what there is of labelled real footage that is small enough, always in the same order."""
    contents = [write(folder / kind.name, kind).read_bytes() for kind in KINDS]
    if real is not None:
        found = sorted(path for path in real.rglob("*") if path.is_file())
        contents += [path.read_bytes() for path in found if 0 < path.stat().st_size <= LARGEST_REAL]
    return contents


def write(path: Path, kind: Kind) -> Path:
    with av.open(str(path), "w", container_options=kind.container) as output:
        picture = _picture(output, kind) if kind.picture else None
        sound = output.add_stream(kind.sound, rate=kind.sound_rate, layout=kind.layout) if kind.sound else None
        if picture is not None:
            for frame in _frames(kind):
                output.mux(picture.encode(frame))
            output.mux(picture.encode(None))
        if sound is not None:
            for chunk in _chunks(kind, sound):
                output.mux(sound.encode(chunk))
            output.mux(sound.encode(None))
    return path


def _picture(output: av.container.OutputContainer, kind: Kind) -> av.VideoStream:
    stream = output.add_stream(kind.picture, rate=kind.rate, options=kind.options)
    stream.width, stream.height = kind.size
    stream.pix_fmt = kind.pixel_format
    if kind.labelled:
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
    return stream


def _frames(kind: Kind) -> Iterator[av.VideoFrame]:
    width, height = kind.size
    rows, columns = np.mgrid[0:height, 0:width]
    for number in range(FRAMES):
        picture = np.stack([(rows * 5 + number * 9) % 256, (columns * 3) % 256, (rows + columns + number) % 256], 2)
        frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24").reformat(format=kind.pixel_format)
        frame.pts, frame.time_base = number, Fraction(1, kind.rate)
        yield frame


def _chunks(kind: Kind, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    context = stream.codec_context
    context.open(strict=False)
    size = context.frame_size or 1024
    at = np.arange(kind.sound_rate * FRAMES // kind.rate // size * size + size)
    wave = (0.3 * np.sin(2 * np.pi * 330 * at / kind.sound_rate)).astype(np.float32)
    resampler = av.AudioResampler(context.format, context.layout, kind.sound_rate)
    for begin in range(0, len(wave), size):
        frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + size], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = kind.sound_rate, begin, Fraction(1, kind.sound_rate)
        yield from resampler.resample(frame)
