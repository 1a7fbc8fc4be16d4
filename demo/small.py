"""A talk so small that a whole job over it takes seconds: for tests and measurements of everything but the picture."""

import struct
from collections.abc import Sequence
from pathlib import Path

from demo import talk_picture, talk_sound
from demo.clip_file import PictureFormat, shrunk, write_clip
from demo.script import SCRIPT, Line

FORMAT = PictureFormat(width=320, height=180, rate=talk_picture.FORMAT.rate)

#: Two sentences, about seven seconds: enough for every variant but the 30 s highlight.
LINES = SCRIPT[:2]


def make_small_talk(path: Path, lines: Sequence[Line] = LINES) -> None:
    """Film the first two sentences of the demo's talk, or these, into a small MP4 file."""
    talk = talk_sound.say(lines)
    frames = (shrunk(picture, talk_picture.FORMAT, FORMAT) for picture in talk_picture.talk_frames(talk))
    write_clip(path, FORMAT, frames, talk_sound.in_room(talk))


def write_variation(original: Path, path: Path, mark: bytes) -> None:
    """The same MP4 file with ``mark`` in a ``free`` box at its end: other bytes and checksum, the same media.

    ISO/IEC 14496-12, 8.1.2: readers skip the box.
    """
    box = struct.pack(">I4s", 8 + len(mark), b"free") + mark
    path.write_bytes(original.read_bytes() + box)
