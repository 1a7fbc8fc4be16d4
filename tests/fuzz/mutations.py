"""Damage to media files as discs, networks and enemies do it: the same for the same seed."""

from collections.abc import Callable, Sequence
from random import Random

#: Numbers at which sizes and counts go wrong.
EXTREMES = (0, 1, 7, 8, 0x7F, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF)

#: Names that stand before sizes, counts and tables in ISO, RIFF, Matroska, ASF, FLAC and Ogg files.
MARKS = (
    b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"elst", b"mdhd", b"hdlr", b"stbl", b"stsd", b"stts", b"ctts", b"stss",
    b"stsc", b"stsz", b"stco", b"avcC", b"hvcC", b"esds", b"moof", b"trun", b"tfhd", b"mdat", b"fmt ", b"data", b"LIST",
    b"strh", b"strf", b"idx1", b"movi", b"COMM", b"SSND", b"OggS", b"OpusHead", b"fLaC", b"\x16\x54\xae\x6b",
    b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b", b"\x15\x49\xa9\x66", b"\xa3", b"\x00\x00\x01\xb3", b"\x00\x00\x01\xba",
)  # fmt: skip

_HEADER = 768
_LARGEST = 400_000


def mutated(contents: Sequence[bytes], random: Random) -> bytes:
    """One of the files, with one to three kinds of damage."""
    data = bytearray(random.choice(contents))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(DAMAGES)(data, contents, random)
    return bytes(data[:_LARGEST])


def _flip(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    for _ in range(random.choice((1, 3, 10, 60))):
        if data:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _header(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    for _ in range(random.choice((1, 2, 5, 12))):
        if data:
            data[random.randrange(min(len(data), _HEADER))] = random.randrange(256)


def _size(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    """An extreme number where any other stood."""
    if len(data) < 16:
        return
    width = random.choice((1, 2, 4, 4, 8))
    reach = min(len(data), random.choice((64, _HEADER, len(data))))
    number = random.choice(EXTREMES) & ((1 << 8 * width) - 1)
    at = random.randrange(max(1, reach - width))
    data[at : at + width] = number.to_bytes(width, random.choice(("big", "little")))


def _table(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    """Extreme numbers right before or behind a mark that the format gives meaning to."""
    found = [mark for mark in MARKS if mark in data]
    if not found:
        return
    mark = random.choice(found)
    at = data.find(mark, random.randrange(len(data))) if random.random() < 0.5 else data.find(mark)
    place = max(0, at + random.choice((-4, len(mark), len(mark) + 4, len(mark) + 8, len(mark) + 12, len(mark) + 20)))
    data[place : place + 4] = random.choice(EXTREMES).to_bytes(4, random.choice(("big", "little")))


def _truncate(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    if data:
        del data[random.randrange(len(data)) :]


def _splice(data: bytearray, contents: Sequence[bytes], random: Random) -> None:
    """A piece of another file in the midst of this one."""
    other = random.choice(contents)
    begin = random.randrange(len(other))
    piece = other[begin : begin + random.choice((16, 256, 4096, 30_000))]
    at = random.randrange(len(data) + 1)
    data[at : at + (len(piece) if random.random() < 0.5 else 0)] = piece


def _repeat(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    if not data:
        return
    begin = random.randrange(len(data))
    piece = data[begin : begin + random.choice((8, 188, 1024, 8192))]
    data[begin:begin] = piece * random.choice((1, 2, 20))


def _remove(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    if data:
        begin = random.randrange(len(data))
        del data[begin : begin + random.choice((1, 4, 188, 2048))]


def _blank(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    if data:
        begin = random.randrange(len(data))
        length = min(random.choice((4, 512, 8192)), len(data) - begin)
        data[begin : begin + length] = bytes([random.choice((0, 0xFF))]) * length


DAMAGES: tuple[Callable[[bytearray, Sequence[bytes], Random], None], ...] = (
    _flip, _flip, _header, _header, _size, _size, _table, _table, _table, _truncate, _splice, _repeat, _remove, _blank,
)  # fmt: skip
