"""Which names an object may have, so that no name leads anywhere but to its object."""

from pathlib import PurePosixPath

from schemas.errors import CinemaError, ErrorCode

#: S3's limit for a key, which Supabase Storage shares.
MAX_KEY_BYTES = 1024
#: Common file systems allow 255 bytes a name; the rest is for what we put after it.
MAX_SEGMENT_BYTES = 240


def checked_key(key: str) -> PurePosixPath:
    """``key`` as a relative path of plain segments.

    Raises:
        CinemaError: the key is empty, too long, absolute, has an empty segment, ``.``, ``..``, a backslash, a control
            character or text that is no Unicode (``NOT_FOUND``: no object can be there).
    """
    segments = key.split("/")
    if not all(_is_plain(segment) for segment in segments) or len(key.encode()) > MAX_KEY_BYTES:
        raise CinemaError(ErrorCode.NOT_FOUND, "There can be no stored file with this name.")
    return PurePosixPath(*segments)


def _is_plain(segment: str) -> bool:
    if segment in {"", ".", ".."}:
        return False
    if any(character == "\\" or ord(character) < 0x20 or 0xD800 <= ord(character) <= 0xDFFF for character in segment):
        return False
    return len(segment.encode()) <= MAX_SEGMENT_BYTES
