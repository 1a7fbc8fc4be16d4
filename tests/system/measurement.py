"""A finished file measured from outside: decoded again with nothing of ours, as a mistrustful client would."""

import hashlib
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


@dataclass(frozen=True)
class Measured:
    """Counts come from decoding, not from headers. ``key_gaps`` are the seconds between key frames."""

    frames: int
    rate: Fraction
    uneven_frames: int
    first_frame_s: float
    width: int
    height: int
    pixel_format: str
    tags: tuple[int, int, int]
    key_gaps: tuple[float, ...]
    sample_rate: int
    samples: int
    first_sample_s: float
    lufs: float
    true_peak_dbtp: float
    boxes: tuple[str, ...]

    @property
    def picture_s(self) -> float:
        return float(self.frames / self.rate)

    @property
    def sound_s(self) -> float:
        return self.samples / self.sample_rate


def measure(path: Path) -> Measured:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = Fraction(stream.average_rate or 0)
        times: list[Fraction] = []
        keys: list[Fraction] = []
        for frame in container.decode(stream):
            time = Fraction(frame.pts or 0) * Fraction(stream.time_base or 1)
            times.append(time)
            if frame.key_frame:
                keys.append(time)
        context = stream.codec_context
        tags = (int(context.color_primaries), int(context.color_trc), int(context.colorspace))
        width, height, pixel_format = context.width, context.height, str(context.pix_fmt)
    samples, first_sample_s, sample_rate, lufs, peak = _sound(path)
    ends = [*keys[1:], times[-1] + 1 / rate]
    return Measured(
        frames=len(times),
        rate=rate,
        uneven_frames=sum(
            abs(time - times[0] - number / rate) > Fraction(1, 1000) for number, time in enumerate(times)
        ),
        first_frame_s=float(times[0]),
        width=width,
        height=height,
        pixel_format=pixel_format,
        tags=tags,
        key_gaps=tuple(float(end - key) for key, end in zip(keys, ends, strict=True)),
        sample_rate=sample_rate,
        samples=samples,
        first_sample_s=first_sample_s,
        lufs=lufs,
        true_peak_dbtp=peak,
        boxes=boxes_of(path),
    )


def _sound(path: Path) -> tuple[int, float, int, float, float]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        graph = av.filter.Graph()
        source = graph.add_abuffer(template=stream)
        meter = graph.add("ebur128", "peak=true:metadata=1:framelog=quiet")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        samples, first = 0, None
        metadata: dict[str, str] = {}
        for frame in container.decode(stream):
            first = float(frame.pts * stream.time_base) if first is None else first
            samples += frame.samples
            source.push(frame)
            metadata |= _drain(sink)
        source.push(None)
        metadata |= _drain(sink)
        lufs = float(metadata.get("lavfi.r128.I", "-inf"))
        peaks = [float(value) for name, value in metadata.items() if "true_peaks_ch" in name]
        rate = int(stream.rate)
    peak = 20 * float(np.log10(max([*peaks, 1e-9])))
    return samples, first or 0.0, rate, lufs, peak


def _drain(sink: av.filter.context.FilterContext) -> dict[str, str]:
    metadata: dict[str, str] = {}
    while True:
        try:
            metadata |= dict(sink.pull().metadata)
        except (av.BlockingIOError, av.EOFError):
            return metadata


def boxes_of(path: Path) -> tuple[str, ...]:
    """The file's top-level MP4 boxes in order."""
    found: list[str] = []
    size_of_file = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        while position + 8 <= size_of_file:
            file.seek(position)
            size, kind = struct.unpack(">I4s", file.read(8))
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0]
            found.append(kind.decode("latin-1"))
            position += size or size_of_file
    return tuple(found)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
