"""What can go wrong with the stack itself."""

from pathlib import Path

from schemas.errors import CinemaError, ErrorCode

#: Lines of a log that are shown with an error.
LOG_TAIL_LINES = 12
#: Bytes of a log's end that are read for them.
LOG_TAIL_BYTES = 16_384


class StackError(CinemaError):
    """A part of the stack could not be started, reached or stopped; the message names its log file."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.STACK_UNAVAILABLE, message)

    @classmethod
    def with_log(cls, message: str, log: Path) -> "StackError":
        tail = _tail(log)
        return cls(f"{message} Its log is {log}" + (f", which ends:\n{tail}" if tail else "."))


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])
