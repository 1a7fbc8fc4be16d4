"""Long recordings made of short ones: their packets again and again, nothing encoded anew."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av


@dataclass(frozen=True)
class _Stored:
    """A packet as it can be written many times."""

    stream: int
    pts: int
    dts: int
    time_base: Fraction
    is_keyframe: bool
    data: bytes


def looped(short: Path, path: Path, length: Fraction, times: int) -> Path:
    """``short``, of which ``length`` seconds count, over and over in one MP4 with its index at the end."""
    with av.open(str(short)) as source, av.open(str(path), "w") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        packets = [_stored(packet) for packet in source.demux() if packet.pts is not None and packet.dts is not None]
        reached = dict.fromkeys(streams, -(1 << 60))
        for number in range(times):
            for stored in packets:
                offset = round(number * length / stored.time_base)
                # What sound there is behind the last picture would lie in the next round's way.
                if stored.dts + offset > reached[stored.stream]:
                    reached[stored.stream] = stored.dts + offset
                    output.mux(_placed(stored, offset, streams[stored.stream]))
    return path


def _stored(packet: "av.Packet[av.stream.Stream]") -> _Stored:
    if packet.pts is None or packet.dts is None:
        raise TypeError("a packet without a time got past the check for one")
    return _Stored(
        packet.stream.index, packet.pts, packet.dts, packet.time_base, bool(packet.is_keyframe), bytes(packet)
    )


def _placed(stored: _Stored, offset: int, stream: av.stream.Stream) -> "av.Packet[av.stream.Stream]":
    packet: av.Packet[av.stream.Stream] = av.Packet(stored.data)
    packet.stream, packet.time_base = stream, stored.time_base
    packet.pts, packet.dts, packet.is_keyframe = stored.pts + offset, stored.dts + offset, stored.is_keyframe
    return packet
