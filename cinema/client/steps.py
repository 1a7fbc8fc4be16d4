"""What a client does, without doing it: flows yield steps, and a client, waiting in its own way, performs them.

So everything but the waiting is written once for programs with and without asyncio, as httpx does it with its
authentication flows.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from schemas.model import Model

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Send:
    """Send a request and read the whole answer.

    ``signed`` addresses carry their own permission: they are sent no token.
    """

    method: str
    url: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    model: Model | None = None
    body: bytes | None = None
    signed: bool = False


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Send a request and hand on a successful answer's bytes as they arrive, until ``into`` says that it has enough."""

    send: Send
    into: Callable[[bytes], bool]


@dataclass(frozen=True)
class Pause:
    """Wait for this many seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Do something that would hold up an event loop, and hand back what it gives."""

    do: Callable[[], object]


Step: TypeAlias = Send | Fetch | Pause | Work

#: Yields steps and is sent what each gave: an ``httpx.Response``, what the work gave, or ``None`` after a pause. Where
#: a connection fails, ``httpx.TransportError`` is thrown into it.
Flow: TypeAlias = Generator[Step, Any, Answer]
