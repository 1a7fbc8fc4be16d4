"""Our keys as names that Supabase Storage takes.

It refuses keys with anything but ASCII word characters and some punctuation (storage, ``src/storage/limits.ts``,
``isValidKey``; newer servers take Unicode), and signs addresses decoded in a way that differs for reserved characters
(``signObjectUrl``). So every byte outside ``A-Za-z0-9/._-`` is written as ``!`` and two hexadecimal digits. Keys of our
own making have no such byte and stay as they are; a prefix of a key is written as a prefix of its name.
"""

import re

from schemas.errors import CinemaError, ErrorCode
from stores.object_keys import checked_key

#: What S3 leaves of its 1024 bytes after the project, the bucket and the version that Supabase puts around a name.
MAX_NAME_BYTES = 900

_OTHERS = re.compile(rb"[^A-Za-z0-9/._-]")
_WRITTEN = re.compile(r"!([0-9A-F]{2})")


def object_name(key: str) -> str:
    """The name under which the object with this key is stored.

    Raises:
        CinemaError: there can be no such object (``NOT_FOUND``).
    """
    checked_key(key)
    name = name_prefix(key)
    if len(name) > MAX_NAME_BYTES:
        raise CinemaError(ErrorCode.NOT_FOUND, "There can be no stored file with this name.")
    return name


def name_prefix(prefix: str) -> str:
    """What the names of all keys with this prefix start with."""
    return _OTHERS.sub(lambda found: b"!%02X" % found[0][0], prefix.encode("utf-8", "surrogatepass")).decode("ascii")


def object_key(name: str) -> str | None:
    """The key of a stored name; ``None`` for a name that we never give."""
    try:
        key = _WRITTEN.sub(lambda found: chr(int(found[1], 16)), name).encode("latin-1").decode("utf-8")
        return key if object_name(key) == name else None
    except (UnicodeError, CinemaError):
        return None
