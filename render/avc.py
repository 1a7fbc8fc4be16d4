"""H.264 as MP4 files hold it: the decoder's configuration and the NAL units of a packet.

ISO/IEC 14496-15 5.3.3.1 (AVCDecoderConfigurationRecord), ITU-T H.264 7.3.1 and 7.3.2.1.1 (NAL units and the sequence
parameter set).
"""

from collections.abc import Iterator
from dataclasses import dataclass

_LENGTH_BYTES = 4
_MOST_SPS, _MOST_PPS = 31, 255

#: NAL unit types (H.264 table 7-1): the first slices of a picture that needs no other, parameter sets, and all that a
#: copied packet may hold (slices, supplemental information, parameter sets, delimiters and filler).
IDR_SLICE = 5
PARAMETER_SETS = frozenset({7, 8})
DELIVERY_UNITS = frozenset({1, 5, 6, 7, 8, 9, 12})

#: profile_idc of the High profile.
HIGH = 100


class UnsupportedStreamError(Exception):
    """A stream has something that this module does not read."""


@dataclass(frozen=True)
class Configuration:
    """An avcC box: what a decoder has to know before the first packet."""

    profile: bytes
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    extension: bytes

    @property
    def level(self) -> int:
        return self.profile[2]

    def joined(self, other: "Configuration") -> "Configuration":
        """One for a stream whose packets need either; parameter sets must differ in their ids.

        Raises:
            UnsupportedStreamError: The two describe different pictures, or have ids in common.
        """
        extensions = {self.extension, other.extension} - {b""}
        if self.profile[0] != other.profile[0] or len(extensions) > 1:
            raise UnsupportedStreamError("different profiles or pixel formats")
        ids = [parse_sps(sps).identifier for sps in (*self.sps, *other.sps)]
        pps_ids = [pps_identifier(pps) for pps in (*self.pps, *other.pps)]
        if len(set(ids)) < len(ids) or len(set(pps_ids)) < len(pps_ids):
            raise UnsupportedStreamError("parameter sets with the same number")
        profile = bytes((self.profile[0], self.profile[1] & other.profile[1], max(self.level, other.level)))
        return Configuration(profile, self.sps + other.sps, self.pps + other.pps, b"".join(extensions))

    def to_bytes(self) -> bytes:
        if len(self.sps) > _MOST_SPS or len(self.pps) > _MOST_PPS:
            raise UnsupportedStreamError("too many parameter sets")
        head = bytes((1, *self.profile, 0xFC | (_LENGTH_BYTES - 1), 0xE0 | len(self.sps)))
        sps, pps = (b"".join(len(s).to_bytes(2, "big") + s for s in sets) for sets in (self.sps, self.pps))
        return head + sps + bytes((len(self.pps),)) + pps + self.extension


def parse_configuration(box: bytes) -> Configuration:
    """Read an avcC box.

    Raises:
        UnsupportedStreamError: It is none, or its packets do not mark lengths with four bytes.
    """
    try:
        if box[0] != 1 or box[4] & 3 != _LENGTH_BYTES - 1:
            raise UnsupportedStreamError("packets are not marked with lengths of four bytes")
        sps, position = _sets(box, 6, box[5] & 31)
        pps, position = _sets(box, position + 1, box[position])
    except IndexError as error:
        raise UnsupportedStreamError("the decoder's configuration is cut off") from error
    return Configuration(box[1:4], sps, pps, box[position:])


def _sets(box: bytes, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found: list[bytes] = []
    for _ in range(count):
        length = int.from_bytes(box[position : position + 2], "big")
        unit = box[position + 2 : position + 2 + length]
        if len(unit) < max(1, length):
            raise IndexError
        found.append(unit)
        position += 2 + length
    return tuple(found), position


def nal_units(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """The type and bytes of each NAL unit of a packet.

    Raises:
        UnsupportedStreamError: The lengths do not add up.
    """
    position = 0
    while position < len(packet):
        length = int.from_bytes(packet[position : position + _LENGTH_BYTES], "big")
        position += _LENGTH_BYTES
        if not 0 < length <= len(packet) - position:
            raise UnsupportedStreamError("a packet is cut off")
        yield packet[position] & 31, packet[position : position + length]
        position += length


@dataclass(frozen=True)
class SequenceParameters:
    """What copying needs to know of a sequence parameter set."""

    identifier: int
    profile: int
    progressive: bool


def parse_sps(unit: bytes) -> SequenceParameters:
    """Read a sequence parameter set of the High profile, 8 bits, 4:2:0.

    Raises:
        UnsupportedStreamError: It is of another kind.
    """
    profile = unit[1] if len(unit) > 1 else 0
    if profile != HIGH:
        raise UnsupportedStreamError("not the High profile")
    bits = _Bits(unit[4:])
    identifier = bits.number()
    if (bits.number(), bits.number(), bits.number()) != (1, 0, 0):
        raise UnsupportedStreamError("not 8-bit 4:2:0")
    bits.bit()  # lossless bypass
    if bits.bit():
        raise UnsupportedStreamError("scaling matrices")
    bits.number()  # log2_max_frame_num
    _skip_picture_order(bits)
    bits.number()  # reference frames
    bits.bit()  # gaps in frame numbers
    bits.number()  # width and height in macroblocks
    bits.number()
    return SequenceParameters(identifier, profile, progressive=bool(bits.bit()))


def _skip_picture_order(bits: "_Bits") -> None:
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.bit()
        for _ in range(2):
            bits.number()
        for _ in range(bits.number()):
            bits.number()


def pps_identifier(unit: bytes) -> int:
    return _Bits(unit[1:]).number()


class _Bits:
    """Bits of a NAL unit's payload, emulation prevention bytes left out (H.264 7.3.1, 9.1)."""

    def __init__(self, payload: bytes) -> None:
        plain = payload.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def bit(self) -> int:
        if self._left == 0:
            raise UnsupportedStreamError("a parameter set is cut off")
        self._left -= 1
        return self._value >> self._left & 1

    def number(self) -> int:
        """An Exp-Golomb code, its sign bit not told apart."""
        zeros = 0
        while not self.bit():
            zeros += 1
        value = 1
        for _ in range(zeros):
            value = value << 1 | self.bit()
        return value - 1
