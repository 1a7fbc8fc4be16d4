"""Server-sent events as they arrive (HTML standard, section 9.2.6), as far as the API uses them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    """One event: its kind, its id and its data."""

    event: str
    id: str
    data: str


class EventParser:
    """Makes events of bytes that are cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that are complete with this chunk."""
        *lines, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        return [event for line in lines if (event := self._take(line.decode())) is not None]

    def _take(self, line: str) -> ServerEvent | None:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            self._fields[name] = f"{self._fields[name]}\n{value}" if name == "data" and name in self._fields else value
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        return ServerEvent(fields.get("event", "message"), fields.get("id", ""), fields["data"])
