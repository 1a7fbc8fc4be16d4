"""Encoded sound as a file of its own, to be joined with pictures later and elsewhere, packet by packet."""

from array import array
from fractions import Fraction
from pathlib import Path

import av

from render.loudness import Loudness
from render.master import AAC_FRAME, EncodedSound
from schemas.edl import SAMPLE_RATE

_OPTIONS = {"movflags": "+negative_cts_offsets", "use_editlist": "0"}


def write_sound(sound: EncodedSound, path: Path) -> None:
    """Write an MP4 that holds nothing but the sound's packets."""
    with av.open(f"file:{path}", "w", format="mp4", container_options=_OPTIONS) as output:
        stream = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=sound.bitrate)
        for packet in sound.packets():
            packet.stream = stream
            output.mux(packet)


def read_sound(path: Path, folder: Path, bitrate: int) -> EncodedSound:
    """The sound that ``write_sound`` wrote, its packets in a file in ``folder``; its loudness is left to the check.

    Raises:
        ValueError: It is not such a file: packets are missing.
    """
    sizes = array("L")
    packets = folder / "sound.aac"
    with av.open(f"file:{path}", format="mp4") as container, packets.open("wb") as file:
        for packet in container.demux(audio=0):
            if packet.pts is None:  # the demuxer's sign that it has reached the end
                continue
            if packet.pts * packet.time_base != Fraction(len(sizes) * AAC_FRAME, SAMPLE_RATE):
                raise ValueError(f"packet {len(sizes)} of the sound lies at tick {packet.pts}")
            sizes.append(file.write(bytes(packet)))
    return EncodedSound(packets, sizes, Loudness(None, None), bitrate)
