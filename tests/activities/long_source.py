"""A long recording made of a short one: its packets again and again, without encoding them again."""

from fractions import Fraction
from pathlib import Path

import av

PICTURES = 50
SIZE = (320, 180)


def looped(short: Path, path: Path, times: int) -> Path:
    """``short`` over and over in one MP4, its index at the end as cameras write it."""
    with av.open(str(short)) as source, av.open(str(path), "w") as output:
        packets = [packet for packet in source.demux() if packet.dts is not None]
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        length = Fraction(PICTURES, 25)
        stored = [(packet.stream.index, packet.pts, packet.dts, packet.time_base, bytes(packet)) for packet in packets]
        keys = [packet.is_keyframe for packet in packets]
        reached = dict.fromkeys(streams, -(1 << 60))
        for number in range(times):
            for (index, pts, dts, time_base, data), is_key in zip(stored, keys, strict=True):
                offset = round(number * length / time_base)
                if dts + offset <= reached[index]:
                    # What the short one has of sound behind its last picture.
                    continue
                reached[index] = dts + offset
                packet = av.Packet(data)
                packet.stream, packet.time_base = streams[index], time_base
                packet.pts, packet.dts, packet.is_keyframe = pts + offset, dts + offset, is_key
                output.mux(packet)
    return path
