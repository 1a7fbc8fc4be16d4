"""Files that ask for far more than they are worth are refused with a reason, before they cost anything."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from analysis.probe import probe
from schemas.errors import ErrorCode, MediaRefused
from schemas.media_limits import MAX_STREAMS

pytestmark = pytest.mark.media


def wave(path: Path, *, channels: int, sample_rate: int) -> Path:
    """A WAV file whose header claims this, with a little silence behind it."""
    block = channels * 2
    claims = struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * block & 0xFFFFFFFF, block, 16)
    silence = bytes(block * 4_000)
    body = b"WAVEfmt " + struct.pack("<I", len(claims)) + claims + b"data" + struct.pack("<I", len(silence)) + silence
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def picture(path: Path, codec: str, pixel_format: str, width: int, height: int) -> Path:
    """A few hundred kilobytes that decode to as much as the sides ask for."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=30, options={"preset": "ultrafast"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        frame = av.VideoFrame(width, height, pixel_format)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("channels", "sample_rate"),
    [(2, 1), (2, 0x7FFFFFFF), (64, 48_000), (600, 48_000), (20, 48_000)],
    ids=["one sample a second", "two billion a second", "64 channels", "600 channels", "no known layout"],
)
def test_sound_that_no_recording_has(tmp_path: Path, channels: int, sample_rate: int) -> None:
    with pytest.raises(MediaRefused) as refused:
        probe(wave(tmp_path / "absurd.wav", channels=channels, sample_rate=sample_rate))
    assert refused.value.code in {ErrorCode.MEDIA_UNREADABLE, ErrorCode.MEDIA_DAMAGED}


@pytest.mark.parametrize("channels", [1, 2, 6, 8, 24])
def test_sound_that_some_recording_has(tmp_path: Path, channels: int) -> None:
    assert probe(wave(tmp_path / "many.wav", channels=channels, sample_rate=96_000)).audio[0].channels == channels


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("huge.mp4", "libx264", "yuv420p"), ("huge.mov", "png", "gray")],
    ids=["said by the header", "said by the picture alone"],
)
def test_a_picture_beyond_any_screen(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    with pytest.raises(MediaRefused, match="larger than can be processed"):
        probe(picture(tmp_path / name, codec, pixel_format, 16_384, 4_608))


def test_of_a_thousand_streams_only_so_many_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "streams.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("pcm_s16le", rate=8_000, layout="mono") for _ in range(900)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8_000, 0
            output.mux(stream.encode(frame))
    assert len(probe(path).audio) <= MAX_STREAMS


def test_sound_without_end(tmp_path: Path) -> None:
    """Time stamps that run on for days are refused while they are read, not behind the last of them."""
    path = tmp_path / "endless.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8_000, layout="mono")
        for day in range(3):
            packet = av.Packet(bytes(160))
            packet.stream, packet.time_base = stream, Fraction(1, 8_000)
            packet.pts = packet.dts = day * 86_400 * 8_000
            output.mux(packet)
    with pytest.raises(MediaRefused) as refused:
        probe(path)
    assert refused.value.code is ErrorCode.MEDIA_TOO_LARGE
