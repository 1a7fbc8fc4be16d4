"""A source's packets by groups of pictures, read without decoding."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from av.stream import Stream
from av.video.stream import VideoStream

from render.avc import (
    DELIVERY_UNITS,
    IDR_SLICE,
    PARAMETER_SETS,
    Configuration,
    UnsupportedStreamError,
    nal_units,
    parse_configuration,
)
from render.failures import MEDIA_ERRORS
from render.opening import open_source, stream_at
from render.pyav import AnyPacket
from schemas.edl import Source
from schemas.errors import ErrorCode, MediaRefused
from schemas.rendering import SourceFile


@dataclass(frozen=True)
class Gop:
    """Packets from a keyframe to before the next, in decoding order, and their times in the order they are shown.

    ``whole``: they decode with no packet before or after them.
    """

    packets: tuple[AnyPacket, ...]
    times: tuple[int, ...]
    whole: bool

    def beginning(self, most: int) -> "Gop":
        """The longest part from its start on, of ``most`` pictures or fewer, that decodes without the rest."""
        ends = [0]
        latest = self.times[0]
        for count, (packet, time) in enumerate(zip(self.packets[:most], self.times, strict=False), start=1):
            latest = max(latest, packet.pts or 0)
            if latest == time:
                ends.append(count)
        return replace(self, packets=self.packets[: ends[-1]], times=self.times[: ends[-1]])


class GopReader:
    """One source's video packets. Use it as a context, so that the file is closed."""

    def __init__(self, source: Source, file: SourceFile) -> None:
        if source.video is None:
            raise MediaRefused(ErrorCode.NO_PICTURE, f"“{source.name}” has no picture.")
        self._container = open_source(file, source.name)
        stream = stream_at(self._container, source.video.stream_index)
        if not isinstance(stream, VideoStream):
            raise MediaRefused(ErrorCode.NO_PICTURE, f"“{source.name}” has no picture where one was found before.")
        self.stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def formats(self) -> frozenset[str]:
        """FFmpeg's names for the container."""
        return frozenset(self._container.format.name.split(","))

    def configuration(self) -> Configuration:
        """What a decoder needs for these packets.

        Raises:
            UnsupportedStreamError: They are not laid out as in MP4.
        """
        return parse_configuration(bytes(self.stream.codec_context.extradata or b""))

    def gops(self, tick: int) -> Iterator[Gop]:
        """Groups from the one that is decoded for ``tick`` on.

        Raises:
            UnsupportedStreamError: The packets cannot be read, or are not laid out as in MP4.
        """
        known = self.configuration()
        group: list[AnyPacket] = []
        for packet in self._packets(tick):
            if packet.is_keyframe and group:
                yield _gop(group, known)
                group = []
            group.append(packet)
        if group:
            yield _gop(group, known)

    def _packets(self, tick: int) -> Iterator[AnyPacket]:
        wanted: list[Stream] = [self.stream]
        try:
            self._container.seek(tick, stream=self.stream, backward=True)
            for packet in self._container.demux(*wanted):
                if packet.size == 0:  # the end
                    return
                yield packet
        except MEDIA_ERRORS as error:
            raise UnsupportedStreamError("packets that cannot be read") from error


def _gop(packets: list[AnyPacket], known: Configuration) -> Gop:
    times = [packet.pts for packet in packets if packet.pts is not None]
    complete = len(times) == len(packets) and len(set(times)) == len(times)
    closed = packets[0].is_keyframe and bool(times) and min(times) == packets[0].pts
    sound = not any(packet.is_corrupt or packet.is_discard for packet in packets)
    return Gop(tuple(packets), tuple(sorted(times)), complete and closed and sound and _decodes_alone(packets, known))


def _decodes_alone(packets: list[AnyPacket], known: Configuration) -> bool:
    """Whether the first picture resets the decoder, and every parameter set in the packets is one that it has."""
    try:
        units = [list(nal_units(bytes(packet))) for packet in packets]
    except UnsupportedStreamError:
        return False
    resets = any(kind == IDR_SLICE for kind, _ in units[0])
    carried = [unit for packet in units for kind, unit in packet if kind in PARAMETER_SETS]
    ordinary = all(kind in DELIVERY_UNITS for packet in units for kind, _ in packet)
    return resets and ordinary and all(unit in known.sps or unit in known.pps for unit in carried)
