"""Decoding only what has to be seen: frames that no other frame is made from are left out, unless something happens.

About half the frames of a usual recording are such that no other is predicted from them. They are skipped where the
encoder found nothing new: a packet that is much larger or smaller than its like tells, for nothing, that the picture
may have changed, and then every frame between it and the one that it is predicted from is decoded.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import av
from av.container import InputContainer

from analysis.demuxing import AnyPacket, Damage, decode_packet, read_packets
from analysis.disposable import framing_of

#: A packet has something to tell if it is larger or smaller than the usual of the last ones by these factors. Measured:
#: a cut makes it at least 1.8 times as large, one to black at most a thirtieth.
LARGER, SMALLER = 1.5, 0.1
#: Packets that the usual is taken from.
REMEMBERED = 12

#: First and last time, in ticks, of frames one after the other.
Stretch = tuple[int, int]


@dataclass(frozen=True)
class Skimmed:
    """A frame, and the times in ticks, rising, of those before it that were left out since the last one decoded."""

    frame: av.VideoFrame
    left_out: tuple[int, ...] = ()


@dataclass
class _Hints:
    """Tells from packets, in the order in which they are decoded, between which times the picture may change."""

    _latest: int | None = None
    _suspicious_after: int | None = None
    _sizes: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def needed(self, packet: AnyPacket, pts: int) -> bool:
        """Whether a frame must be decoded, were it such that no other needs it."""
        if self._latest is not None and pts <= self._latest:
            return self._suspicious_after is not None and pts > self._suspicious_after
        usual = median(self._sizes) if self._sizes else packet.size
        told = packet.is_keyframe or not SMALLER * usual < packet.size < LARGER * usual
        self._suspicious_after = self._latest if told else None
        self._latest = pts
        self._sizes.append(packet.size)
        return True


@dataclass
class _LeftOut:
    """The times of frames that the decoder was allowed to leave out and that have not come."""

    _times: set[int] = field(default_factory=set)

    def add(self, pts: int) -> None:
        self._times.add(pts)

    def before(self, pts: int) -> tuple[int, ...]:
        """Those before a frame that has come, once."""
        passed = sorted(time for time in self._times if time <= pts)
        self._times.difference_update(passed)
        return tuple(time for time in passed if time < pts)


class _Decoder:
    """Decodes a stream's packets, and leaves out pictures that are not needed and that no other is made from.

    The packets of these are not even handed to the decoder where they can be told: with threads, packets go to one
    thread after the other, and one that is given nothing to do waits for its turn all the same.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self._stream = stream
        self._framing = framing_of(stream.codec_context.name, stream.codec_context.extradata)
        self.damage = Damage()

    def decode(self, packet: AnyPacket, *, needed: bool) -> list[av.VideoFrame]:
        """The frames that come out for a packet."""
        if not needed and self._framing is not None and self._framing.is_disposable(bytes(packet)):
            self.damage.packets += 1
            return []
        self._stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
        return decode_packet(self._stream, packet, self.damage)


def skim(container: InputContainer, stream: av.VideoStream) -> Iterator[Skimmed]:
    """The frames of a picture stream that must be seen, in display order.

    Raises:
        MediaRefused: when most of the stream is damaged, or its pictures are too large.
    """
    decoder, hints, left_out = _Decoder(stream), _Hints(), _LeftOut()
    for packet in read_packets(container, stream):
        needed = packet.pts is None or hints.needed(packet, packet.pts)
        if packet.pts is not None and not needed:
            left_out.add(packet.pts)
        for frame in decoder.decode(packet, needed=needed):
            if frame.pts is not None:
                yield Skimmed(frame, left_out.before(frame.pts))
        decoder.damage.judge()
    decoder.damage.judge(at_end=True)


def whole(container: InputContainer, stream: av.VideoStream, stretches: Sequence[Stretch]) -> Iterator[Skimmed]:
    """Every frame of stretches, rising, from where the container stands; what is between is left out."""
    decoder, last = _Decoder(stream), stretches[-1][1]

    def wanted(pts: int) -> bool:
        return any(start <= pts <= end for start, end in stretches)

    for packet in read_packets(container, stream):
        for frame in decoder.decode(packet, needed=packet.pts is None or wanted(packet.pts)):
            if frame.pts is not None and frame.pts > last:
                return
            if frame.pts is not None and wanted(frame.pts):
                yield Skimmed(frame)
