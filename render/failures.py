"""One table from what FFmpeg and the operating system raise to the errors a caller may see."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import av.error

from schemas.errors import CinemaError, ErrorCode, MediaRefused, TransientError

#: What a decoder or demuxer may raise on hostile or damaged bytes; everything else is a defect of ours.
MEDIA_ERRORS = (av.error.FFmpegError, OSError, ValueError, MemoryError)


@contextmanager
def refusing_media(name: str) -> Iterator[None]:
    """Turn a failure to open or read the source ``name`` into a refusal a creator understands."""
    try:
        yield
    except CinemaError:
        raise
    except FileNotFoundError as error:
        raise TransientError(ErrorCode.OBJECT_MISSING, f"The file of “{name}” is not on this machine.") from error
    except MEDIA_ERRORS as error:
        raise MediaRefused(ErrorCode.MEDIA_UNREADABLE, f"“{name}” could not be read as media.") from error


@contextmanager
def reporting_output() -> Iterator[None]:
    """Turn a failure to encode or write into an error that a retry may overcome."""
    try:
        yield
    except CinemaError:
        raise
    except MemoryError as error:
        raise TransientError(ErrorCode.OUT_OF_MEMORY, "The machine ran out of memory while rendering.") from error
    except (av.error.FFmpegError, OSError) as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TransientError(ErrorCode.DISK_FULL, "The disk filled up while rendering.") from error
        raise TransientError(ErrorCode.ENCODER_FAILED, "The encoder failed while writing the video.") from error
