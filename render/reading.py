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
    for packet in _packets(container, stream, damage):
        try:
            yield from stream.decode(packet)
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
