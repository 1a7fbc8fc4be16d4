"""The only door through which this room opens media: local files, sniffed, with demuxers on an allow-list."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, overload

import av
import av.error
from av.container import InputContainer

from analysis.sniffing import sniff
from schemas.errors import CinemaError, ErrorCode, MediaRefused, TransientError
from schemas.media_limits import MAX_PIXELS, MAX_STREAMS
from schemas.reordering import ShownTimes, keeps_decoding_times

#: Of a stream's packets, the share that may fail to decode before the asset is refused as damaged.
MAX_DAMAGED_SHARE = 0.5
#: Packets to see before judging that share; a file may well begin with a bad stretch.
JUDGED_PACKETS = 200
#: Times that reading goes on after a demuxer error; a demuxer that makes no headway must not be asked for ever.
MAX_READ_ERRORS = 16

#: For the demuxer and for every decoder that it tries while it looks at the first packets.
_LIMITS = {"max_pixels": str(MAX_PIXELS)}

#: Generic to the type checker only: ``av.Packet`` takes no parameter at run time.
AnyPacket: TypeAlias = "av.Packet[av.stream.Stream]"


@dataclass(frozen=True)
class _Failure:
    """How one class of decoder error reads to a creator."""

    error: type[BaseException]
    raised: type[CinemaError]
    code: ErrorCode
    sentence: str


#: First match wins. ``ArgumentError`` is what libavformat answers for a demuxer that is not on the allow-list.
FAILURES: tuple[_Failure, ...] = (
    _Failure(
        MemoryError,
        MediaRefused,
        ErrorCode.MEDIA_DAMAGED,
        "The file's index is damaged: it asks for more memory than any real recording needs.",
    ),
    _Failure(FileNotFoundError, TransientError, ErrorCode.OBJECT_MISSING, "The file is not where it was a moment ago."),
    _Failure(
        av.error.ArgumentError,
        MediaRefused,
        ErrorCode.MEDIA_FORBIDDEN_FORMAT,
        "The file is not what its beginning claims to be, so it is not opened.",
    ),
    _Failure(
        av.error.ProtocolNotFoundError,
        MediaRefused,
        ErrorCode.MEDIA_FORBIDDEN_FORMAT,
        "The file points to other files or addresses; upload the media itself.",
    ),
    _Failure(
        PermissionError,
        MediaRefused,
        ErrorCode.MEDIA_FORBIDDEN_FORMAT,
        "The file points to other files, which are never opened; upload the media itself.",
    ),
    _Failure(
        av.error.EOFError, MediaRefused, ErrorCode.MEDIA_DAMAGED, "The file ends before its picture or sound begins."
    ),
    _Failure(
        av.error.DecoderNotFoundError,
        MediaRefused,
        ErrorCode.MEDIA_UNREADABLE,
        "The file uses a format that cannot be decoded here.",
    ),
    _Failure(
        av.error.PatchWelcomeError,
        MediaRefused,
        ErrorCode.MEDIA_UNREADABLE,
        "The file uses a rare variant of its format that cannot be decoded here.",
    ),
    _Failure(
        av.error.InvalidDataError,
        MediaRefused,
        ErrorCode.MEDIA_UNREADABLE,
        "The file cannot be read: its index is missing or broken. The recording or the upload probably stopped early.",
    ),
    _Failure(av.error.FFmpegError, MediaRefused, ErrorCode.MEDIA_UNREADABLE, "The file cannot be read."),
)


def as_cinema_error(error: BaseException) -> CinemaError:
    """The error of ours that a decoder's error becomes, by ``FAILURES``."""
    for failure in FAILURES:
        if isinstance(error, failure.error):
            return failure.raised(failure.code, failure.sentence)
    return CinemaError(ErrorCode.INTERNAL, "Reading the file failed in a way that is not its fault.")


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a local media file for reading; closed on leaving.

    Raises:
        MediaRefused: for whatever is not acceptable media (see ``sniff`` and ``FAILURES``).
        TransientError: where the file cannot be found.
    """
    try:
        demuxers = sniff(path).demuxers
        container = av.open(
            str(path.resolve()),
            options=_LIMITS,
            container_options={
                "format_whitelist": ",".join(demuxers),
                "protocol_whitelist": "file",
                "max_streams": str(MAX_STREAMS),
            },
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, MemoryError, OSError) as error:
        raise as_cinema_error(error) from error
    with container:
        _limit_decoders(container)
        yield container


def _limit_decoders(container: InputContainer) -> None:
    """A stream may come to larger pictures later than in its header."""
    for stream in container.streams.video:
        context: object = stream.codec_context  # None without a decoder, whatever its declared type says
        if context is not None:
            stream.codec_context.options = dict(_LIMITS)


def read_packets(container: InputContainer, *streams: av.stream.Stream) -> Iterator[AnyPacket]:
    """The packets of some streams in file order, ending with one empty packet per stream (which flushes its decoder).

    A demuxer error is skipped a bounded number of times: what can be read of a damaged file is read. Of a stream that
    keeps only when pictures are decoded, that is the packets' time.
    """
    undated = {stream.index for stream in streams if is_undated(container, stream)}
    for _ in range(MAX_READ_ERRORS):
        try:
            for packet in container.demux(*streams):
                if undated and packet.stream.index in undated:
                    packet.pts = packet.dts
                yield packet
        except (av.error.FFmpegError, MemoryError):
            continue
        except IndexError:
            # PyAV ends with an empty packet for every stream, those too that came up while reading and that it has no
            # place for; ours, which it knew from the start, are behind us by then.
            return
        return


def is_undated(container: InputContainer, stream: av.stream.Stream) -> bool:
    """Whether a stream keeps only when its pictures are decoded, not when they are shown."""
    context: object = stream.codec_context  # None without a decoder, whatever its declared type says
    return context is not None and keeps_decoding_times(container.format.name, stream.codec_context.name)


@dataclass
class Damage:
    """Packets seen and packets that did not decode, of one stream."""

    packets: int = 0
    damaged: int = 0

    def judge(self, *, at_end: bool = False) -> None:
        """Raise ``MediaRefused`` once too much is broken."""
        enough = self.packets >= JUDGED_PACKETS or (at_end and self.packets > 0)
        if enough and self.damaged > self.packets * MAX_DAMAGED_SHARE:
            raise MediaRefused(ErrorCode.MEDIA_DAMAGED, "Most of the file's picture or sound is damaged.")


def decode_video(container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Every frame of a picture stream that decodes and has a time, in display order.

    Raises:
        MediaRefused: when most of the stream is damaged, or its pictures are too large.
    """
    damage, times = Damage(), ShownTimes() if is_undated(container, stream) else None
    for packet in read_packets(container, stream):
        if times is not None and packet.pts is not None:
            times.decoding(packet.pts)
        for frame in decode_packet(stream, packet, damage):
            if times is not None and frame.pts is not None:
                frame.pts = times.shown(frame.pts, is_keyframe=frame.key_frame)
            if frame.pts is not None:
                yield frame
        damage.judge()
    damage.judge(at_end=True)


def decode_audio(container: InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    """Every frame of a sound stream that decodes.

    Raises:
        MediaRefused: when most of the stream is damaged.
    """
    damage = Damage()
    for packet in read_packets(container, stream):
        yield from decode_packet(stream, packet, damage)
        damage.judge()
    damage.judge(at_end=True)


@overload
def decode_packet(stream: av.VideoStream, packet: AnyPacket, damage: Damage) -> list[av.VideoFrame]: ...
@overload
def decode_packet(stream: av.AudioStream, packet: AnyPacket, damage: Damage) -> list[av.AudioFrame]: ...
def decode_packet(
    stream: av.VideoStream | av.AudioStream, packet: AnyPacket, damage: Damage
) -> Sequence[av.VideoFrame | av.AudioFrame]:
    """The frames that come out for one packet; none, and one more on the count, where it is damaged."""
    flushing = packet.size == 0
    damage.packets += not flushing
    try:
        return stream.decode(None if flushing else packet)
    except av.error.EOFError:
        return []
    except (av.error.FFmpegError, ValueError):
        damage.damaged += not flushing
        return []
