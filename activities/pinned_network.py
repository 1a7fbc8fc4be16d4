"""Connecting to public addresses alone: each name is looked up once, and what was checked is what is connected to.

A name that leads to a public address when it is checked and to a private one when it is used (DNS rebinding) gains
nothing, because nobody asks for it a second time; TLS still proves the name.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

import httpcore
import structlog

from schemas.public_addresses import is_public

#: The addresses of a name, as text. Raises ``OSError`` if there are none.
Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

#: Addresses of one name that are tried in turn; one that has more is not to keep us busy.
MOST_ADDRESSES = 4

#: Look-ups have threads of their own: names whose servers never answer must not hold up whatever else needs one.
_LOOKUPS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="webhook-lookup")

log = structlog.get_logger(__name__)


class AddressRefused(Exception):
    """The name leads to an address that is not public."""


class NameUnknown(Exception):
    """The name leads nowhere."""


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver answers, literal addresses included."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_LOOKUPS, partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Network of an httpcore connection pool that looks names up itself and connects to addresses alone."""

    def __init__(self, resolve: Resolver = system_resolver, *, allow_private: bool = False) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connects to the first of the name's addresses that answers.

        Raises:
            NameUnknown: There is no such name.
            AddressRefused: One of its addresses is not public.
            httpcore.ConnectError: None of them answers.
        """
        failure: Exception = NameUnknown(host)
        for address in await self._checked(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 (httpcore's)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 (httpcore's)
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused(path)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NameUnknown(host) from error
        private = [address for address in addresses if not is_public(address)]
        if private and not self._allow_private:
            log.warning("a webhook leads to an address that is not public", host=host, addresses=private)
            raise AddressRefused(host)
        return addresses[:MOST_ADDRESSES]
