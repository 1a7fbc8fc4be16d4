"""Which packets no other picture is made from, told by the first bytes of their units without decoding them.

H.264 and HEVC say of each slice whether others are predicted from it (ITU-T H.264 7.4.1: ``nal_ref_idc``; ITU-T H.265
table 7-1: the even types below 16). Of a packet in which anything is unusual that is not believed: the decoder knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_START_CODE = b"\x00\x00\x01"
#: What an ``avcC`` and a ``hvcC`` begin with; parameter sets behind start codes begin with such a code.
_CONFIGURATION_VERSION = 1


class Codec(Enum):
    """A codec of which this can be told, by FFmpeg's name."""

    H264 = "h264"
    HEVC = "hevc"


#: Which byte of an ``avcC`` or ``hvcC`` says, in its lowest two bits, how many bytes a length has, less one.
_LENGTH_SIZE_AT = {Codec.H264: 4, Codec.HEVC: 21}
#: Units beside slices that matter to nothing but the picture they come with, by type: what is told about it
#: (supplemental enhancement information), where it begins (access unit delimiter), and filling.
_H264_BESIDE = frozenset({6, 9, 12})
_HEVC_BESIDE = frozenset({35, 38, 39, 40})


class _Unit(Enum):
    """What a unit of a packet is: a slice that no other picture is made from, something beside it, or neither."""

    SPARE = "spare"
    BESIDE = "beside"
    OTHER = "other"


@dataclass(frozen=True)
class Framing:
    """How a stream's packets hold their units: each behind its length in so many bytes, or, if 0, a start code."""

    codec: Codec
    length_size: int

    def is_disposable(self, packet: bytes) -> bool:
        """Whether all slices in a packet are such that no other picture is made from them."""
        tell = _h264_unit if self.codec is Codec.H264 else _hevc_unit
        heads = _measured(packet, self.length_size) if self.length_size else _separated(packet)
        units = {tell(head) for head in heads}
        return _Unit.SPARE in units and _Unit.OTHER not in units


def framing_of(codec: str, extradata: bytes | None) -> Framing | None:
    """How packets are to be read, by FFmpeg's name of the codec and what it was set up with; None for other codecs."""
    known = next((one for one in Codec if one.value == codec), None)
    if known is None:
        return None
    at = _LENGTH_SIZE_AT[known]
    if not extradata or extradata[0] != _CONFIGURATION_VERSION or len(extradata) <= at:
        return Framing(known, 0)
    return Framing(known, (extradata[at] & 3) + 1)


def _measured(packet: bytes, length_size: int) -> Iterator[bytes]:
    """The first two bytes of each unit; no byte of one that is empty or goes on beyond the end."""
    at = 0
    while at < len(packet):
        start = at + length_size
        at = start + int.from_bytes(packet[at:start], "big")
        yield packet[start : min(start + 2, at)] if at <= len(packet) else b""


def _separated(packet: bytes) -> Iterator[bytes]:
    """The same; none of something else that comes before the first unit."""
    at = packet.find(_START_CODE)
    if at < 0 or any(packet[:at]):
        yield b""
    while at >= 0:
        start = at + len(_START_CODE)
        at = packet.find(_START_CODE, start)
        yield packet[start : start + 2 if at < 0 else min(start + 2, at)]


def _h264_unit(head: bytes) -> _Unit:
    if not head or head[0] & 0x80:
        return _Unit.OTHER
    kind, others_need_it = head[0] & 31, bool(head[0] & 0x60)
    if kind in _H264_BESIDE:
        return _Unit.BESIDE
    return _Unit.SPARE if kind == 1 and not others_need_it else _Unit.OTHER


def _hevc_unit(head: bytes) -> _Unit:
    """In a layer upon another it is not told."""
    if len(head) < 2 or head[0] & 0x81 or head[1] >> 3:
        return _Unit.OTHER
    kind = head[0] >> 1
    if kind in _HEVC_BESIDE:
        return _Unit.BESIDE
    return _Unit.SPARE if kind < 16 and kind % 2 == 0 else _Unit.OTHER
