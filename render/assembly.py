"""The finished file: encoded picture tracks one after another, and the sound, joined by copying packets."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from render.encoder import DELIVERY_OPTIONS
from render.master import EncodedSound
from render.picture_track import PictureTrack
from render.pyav import AnyPacket
from schemas.edl import SAMPLE_RATE

#: Packets of a track within which its deepest reordering shows: H.264 reorders 16 frames at most (A.3.1).
_MOST_REORDERED = 64


def assemble(pictures: Sequence[PictureTrack], rate: Fraction, sound: EncodedSound, path: Path) -> None:
    """Write the MP4 to deliver, interleaved by time, its index first.

    Args:
        pictures: Tracks that were encoded alike, in timeline order, without gap or overlap.
        rate: Timeline frames per second.
        sound: The whole edit's sound.
        path: The file to write.
    """
    with av.open(f"file:{path}", "w", format="mp4", container_options=DELIVERY_OPTIONS) as output:
        with _opened(pictures[0]) as first:
            video = output.add_stream_from_template(first.streams.video[0])
            video.time_base = 1 / rate
        audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=sound.bitrate)
        heard = _SoundToMux(output, audio, sound)
        for packet in _joined(pictures, rate):
            heard.mux_until(packet)
            packet.stream = video
            output.mux(packet)
        heard.mux_until(None)


class _SoundToMux:
    """The sound's packets, written as the picture reaches their time."""

    def __init__(self, output: OutputContainer, stream: AudioStream, sound: EncodedSound) -> None:
        self._output = output
        self._stream = stream
        self._packets = sound.packets()
        self._next = next(self._packets, None)

    def mux_until(self, picture: AnyPacket | None) -> None:
        """Write what belongs before a picture's packet; all that is left for ``None``."""
        while self._next is not None and (picture is None or _seconds(self._next) <= _seconds(picture)):
            self._next.stream = self._stream
            self._output.mux(self._next)
            self._next = next(self._packets, None)


def _joined(pictures: Sequence[PictureTrack], rate: Fraction) -> Iterator[AnyPacket]:
    """All picture packets in frames of the timeline; decoding times rise evenly through every join."""
    position = -max(_frames_ahead(track, rate) for track in pictures)
    for track in pictures:
        with _opened(track) as container:
            for packet in container.demux():
                if packet.pts is None:  # the demuxer's sign that it has reached the end
                    continue
                packet.pts = track.first + _frame(packet.pts * packet.time_base, rate)
                packet.dts, packet.duration, packet.time_base = position, 1, 1 / rate
                position += 1
                yield packet


def _frames_ahead(track: PictureTrack, rate: Fraction) -> int:
    """How many frames before it is shown a picture may have to be decoded.

    The file's first decoding time says so for all of it. It is told from the order of the first packets too: x264 gives
    decoding times that are too late to streams of a few frames.
    """
    with _opened(track) as container:
        packets = [packet for packet in islice(container.demux(), _MOST_REORDERED) if packet.pts is not None]
    shown = [_frame(packet.pts * packet.time_base, rate) for packet in packets if packet.pts is not None]
    said = -_frame((packets[0].dts or 0) * packets[0].time_base, rate)
    return max(said, *(order - frame for order, frame in enumerate(shown)))


def _opened(track: PictureTrack) -> InputContainer:
    return av.open(f"file:{track.path}", format="mp4")


def _frame(time: Fraction, rate: Fraction) -> int:
    return round(time * rate)


def _seconds(packet: AnyPacket) -> Fraction:
    return (packet.dts or 0) * packet.time_base
