"""When a file says it was recorded: its container's word for it, where that can be a time of a digital camera."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

#: Tags in the order they are believed. Apple's keeps the time of the recording when a copy is exported; the other is
#: the header's of MP4 and QuickTime, and Matroska's date.
_TAGS: Final = ("com.apple.quicktime.creationdate", "creation_time")

#: Before it no camera wrote such files: what says so has a clock that was never set, or counts from 1904 or 1970.
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)


def recording_time(tags: Mapping[str, str]) -> datetime | None:
    """The time in a container's ``tags``, in UTC; ``None`` where there is none that can be right.

    A time without a zone is taken for UTC, as the MP4 and Matroska headers are.
    """
    times = (_read(tags[tag]) for tag in _TAGS if tag in tags)
    return next((time for time in times if time is not None and time >= _EARLIEST), None)


def _read(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
