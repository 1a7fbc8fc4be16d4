"""Packets that no other picture is made from are told as such, and nothing else is, whatever they hold."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.demuxing import open_media, read_packets
from analysis.disposable import Codec, Framing, framing_of
from analysis.skimming import skim
from tests.analysis.analysis_media import MakeClip, scene

pytestmark = pytest.mark.media

AVC, ANNEX_B = Framing(Codec.H264, 4), Framing(Codec.H264, 0)
HVC = Framing(Codec.HEVC, 4)
#: First bytes of units: H.264 slices that no other picture is made from and that others are, and what lies beside them.
SPARE, NEEDED, DELIMITER, MESSAGE, PARAMETERS = b"\x01\x9e", b"\x41\x9a", b"\x09\xf0", b"\x06\x05", b"\x67\x64"


def measured(*units: bytes, size: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)


def separated(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([SPARE], True),
        ([DELIMITER, MESSAGE, SPARE, SPARE], True),
        ([NEEDED], False),
        ([SPARE, NEEDED], False),
        ([PARAMETERS, SPARE], False),
        ([DELIMITER, MESSAGE], False),
        ([b"\x05"], False),
        ([b"\x81\x9e"], False),
        ([], False),
    ],
    ids=["one", "slices", "needed", "half needed", "parameters", "no slice", "contradictory", "forbidden", "empty"],
)
def test_h264_is_told_by_its_slices(units: list[bytes], *, expected: bool) -> None:
    assert AVC.is_disposable(measured(*units)) is expected
    assert Framing(Codec.H264, 2).is_disposable(measured(*units, size=2)) is expected
    assert ANNEX_B.is_disposable(separated(*units)) is expected


@pytest.mark.parametrize("kind", range(64))
def test_hevc_is_told_by_the_kind_of_its_slices(kind: int) -> None:
    packet = measured(bytes([kind << 1, 1, 0xD0]))
    assert HVC.is_disposable(packet) is (kind in {0, 2, 4, 6, 8, 10, 12, 14})
    assert not HVC.is_disposable(measured(bytes([kind << 1, 9, 0xD0]))), "in a layer upon another it is not told"


@pytest.mark.parametrize(
    "packet",
    [
        measured(SPARE)[:-1],
        measured(SPARE) + b"\x00",
        measured(SPARE) + b"\x00\x00\x00\x00",
        measured(SPARE) + b"\xff\xff\xff\xff\x01",
        b"\x00\x00\x00\x00",
        separated(SPARE),
    ],
    ids=["cut off", "half a length", "an empty unit", "beyond the end", "nothing but a length", "start codes"],
)
def test_what_does_not_add_up_is_left_to_the_decoder(packet: bytes) -> None:
    assert not AVC.is_disposable(packet)


@pytest.mark.parametrize("packet", [b"\x01" + separated(SPARE), SPARE, separated(SPARE, b""), measured(SPARE)])
def test_so_is_what_no_start_code_begins(packet: bytes) -> None:
    assert not ANNEX_B.is_disposable(packet)


@given(packet=st.binary(max_size=40), size=st.integers(0, 4), codec=st.sampled_from(Codec))
def test_any_bytes_are_told_one_way_or_the_other(packet: bytes, size: int, codec: Codec) -> None:
    assert Framing(codec, size).is_disposable(packet) in {True, False}


@given(units=st.lists(st.sampled_from([SPARE, NEEDED, DELIMITER, PARAMETERS, b"\x01" * 300])), end=st.integers(0, 900))
def test_a_packet_that_is_cut_off_is_told_only_where_a_unit_ends(units: list[bytes], end: int) -> None:
    packet = measured(*units)[:end]
    borders = {len(measured(*units[:count])) for count in range(len(units) + 1)}
    assert not AVC.is_disposable(packet) or len(packet) in borders


@pytest.mark.parametrize(
    ("codec", "extradata", "expected"),
    [
        ("h264", bytes([1, 100, 0, 30, 0xFF]), Framing(Codec.H264, 4)),
        ("h264", bytes([1, 100, 0, 30, 0xFD]), Framing(Codec.H264, 2)),
        ("h264", bytes([1, 100]), Framing(Codec.H264, 0)),
        ("h264", bytes([0, 0, 0, 1, 0x67, 100]), Framing(Codec.H264, 0)),
        ("h264", None, Framing(Codec.H264, 0)),
        ("hevc", bytes([1, *[0] * 20, 0x0F]), Framing(Codec.HEVC, 4)),
        ("vp9", b"", None),
    ],
)
def test_how_packets_are_read_is_told_by_what_the_decoder_is_set_up_with(
    codec: str, extradata: bytes | None, expected: Framing | None
) -> None:
    assert framing_of(codec, extradata) == expected


MOVING = [np.roll(scene(1, height=90, width=160), step // 3, axis=1) for step in range(60)]
SLICED = {"preset": "medium", "x264-params": "bframes=3:b-adapt=0:b-pyramid=normal:slices=2:aud=1"}


@pytest.mark.parametrize(
    ("name", "codec", "encoder"),
    [
        ("clip.mp4", "libx264", SLICED),
        ("clip.ts", "libx264", SLICED),
        ("clip.mkv", "libx265", {"preset": "medium", "x265-params": "bframes=4:b-adapt=0:log-level=error"}),
        ("clip.ts", "libx265", {"preset": "medium", "x265-params": "bframes=4:b-adapt=0:log-level=error"}),
        ("clip.mov", "mpeg4", {"bf": "2"}),
    ],
)
def test_frames_come_out_as_if_the_decoder_left_them_out(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, name: str, codec: str, encoder: dict[str, str]
) -> None:
    path = make_clip(name, frames=MOVING, codec=codec, encoder=encoder)
    dropped = [skimmed(path, threads) for threads in (1, 4)]
    monkeypatch.setattr("analysis.skimming.framing_of", lambda *_: None)
    left_to_the_decoder = skimmed(path, threads=1)
    assert dropped == [left_to_the_decoder] * 2
    assert len(left_to_the_decoder) < 45


def skimmed(path: Path, threads: int) -> list[tuple[int | None, tuple[int, ...], bytes]]:
    with open_media(path) as container:
        stream = container.streams.video[0]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type, stream.codec_context.thread_count = "FRAME", threads
        return [(one.frame.pts, one.left_out, one.frame.to_ndarray().tobytes()) for one in skim(container, stream)]


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.ts", "libx264"), ("clip.mkv", "libx265")])
def test_they_are_the_packets_that_the_decoder_leaves_out(make_clip: MakeClip, name: str, codec: str) -> None:
    path = make_clip(name, frames=MOVING, codec=codec, encoder={"preset": "medium"})
    with open_media(path) as container:
        stream = container.streams.video[0]
        assert isinstance(stream, av.VideoStream)
        framing = framing_of(
            codec.replace("libx264", "h264").replace("libx265", "hevc"), stream.codec_context.extradata
        )
        assert framing is not None
        stream.codec_context.skip_frame = "NONREF"
        given, left_out, came = set(), set(), set()
        for packet in read_packets(container, stream):
            given.add(packet.pts)
            if framing.is_disposable(bytes(packet)):
                left_out.add(packet.pts)
            came |= {frame.pts for frame in stream.decode(packet if packet.size else None)}
    assert left_out
    assert left_out == given - came - {None}
