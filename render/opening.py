"""Opening a source file that nobody vouches for."""

import av
from av.container import InputContainer
from av.stream import Stream

from render.failures import refusing_media
from render.hardware import accelerator
from render.ranges import READ_BYTES, RangeReader
from schemas.hardware import NO_HARDWARE, Hardware
from schemas.media_limits import MAX_PIXELS, MAX_STREAMS
from schemas.rendering import RangedFile, SourceFile

#: Demuxers that read one self-contained file; playlists, scripts and image sequences can name other files.
ALLOWED_FORMATS = (
    "mov", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "mxf", "dv", "gif", "ogg",
    "wav", "w64", "aiff", "caf", "flac", "mp3", "aac", "ac3", "eac3", "amr", "amrnb", "amrwb", "opus",
)  # fmt: skip

#: For every decoder: a stream may come to larger pictures later than in its header.
_LIMITS = {"max_pixels": str(MAX_PIXELS)}


def open_source(file: SourceFile, name: str, hardware: Hardware = NO_HARDWARE) -> InputContainer:
    """Open a media file, and nothing that it may refer to.

    Args:
        file: The local file, or the one that is read for us.
        name: What the creator calls it, for the error's sentence.
        hardware: What may decode it; streams that it cannot are left to the CPU.

    Raises:
        MediaRefused: It is not a media file of an allowed format.
        TransientError: It is not there.
    """
    limits = {
        "format_whitelist": ",".join(ALLOWED_FORMATS),
        "protocol_whitelist": "file",
        "max_streams": str(MAX_STREAMS),
    }
    with refusing_media(name):
        container = av.open(
            RangeReader(file) if isinstance(file, RangedFile) else f"file:{file.resolve(strict=True)}",
            mode="r",
            options=_LIMITS,
            container_options=limits,
            metadata_errors="replace",
            buffer_size=READ_BYTES,
            hwaccel=accelerator(fall_back=True) if hardware.decoders else None,
        )
    for stream in container.streams.video:
        context: object = stream.codec_context  # None without a decoder, whatever its declared type says
        if context is not None:
            stream.codec_context.options = dict(_LIMITS)
    return container


def stream_at(container: InputContainer, index: int) -> Stream | None:
    """The stream of that number; ``None`` where the file has no such stream, whatever was found in it before."""
    return container.streams[index] if index < len(container.streams) else None
