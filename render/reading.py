"""Decoding a stream to its end, whatever part of it is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass

import av.error
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from render.failures import MEDIA_ERRORS
from render.pyav import AnyPacket
from schemas.reordering import ShownTimes, keeps_decoding_times

#: Reading goes on after a demuxer error this many times; one that makes no headway must not be asked for ever.
_MOST_READ_ERRORS = 16


@dataclass
class Damage:
    """How many packets could not be read or decoded."""

    count: int = 0


def decoded(
    container: InputContainer, stream: VideoStream | AudioStream, damage: Damage
) -> Iterator[VideoFrame | AudioFrame]:
    """Every frame of ``stream`` that decodes, from where the container stands."""
    times = ShownTimes() if keeps_decoding_times(container.format.name, stream.codec_context.name) else None
    for packet in _packets(container, stream, damage):
        if times is not None and packet is not None and packet.dts is not None:
            packet.pts = packet.dts
            times.decoding(packet.dts)
        try:
            for frame in stream.decode(packet):
                if times is not None and isinstance(frame, VideoFrame) and frame.pts is not None:
                    frame.pts = times.shown(frame.pts, is_keyframe=frame.key_frame)
                yield frame
        except av.error.EOFError:
            return
        except MEDIA_ERRORS:
            damage.count += 1


def _packets(
    container: InputContainer, stream: VideoStream | AudioStream, damage: Damage
) -> Iterator[AnyPacket | None]:
    """The packets that can be read, and at the end what empties the decoder."""
    for _ in range(_MOST_READ_ERRORS):
        try:
            yield from container.demux(stream)
        except MEDIA_ERRORS:
            damage.count += 1
            continue
        except IndexError:
            # PyAV ends with an empty packet for every stream, those too that came up while reading and that it has no
            # place for; ours, which it knew from the start, are behind us by then.
            return
        return
    yield None
