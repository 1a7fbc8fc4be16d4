"""The sockets that servers are given to listen on."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from cinema.stack.ports import listen, port_of

pytestmark = pytest.mark.unit


def as_opened(listener: socket.socket) -> socket.socket:
    return listener


def as_inherited(listener: socket.socket) -> socket.socket:
    """What a child process makes of the descriptor it was handed."""
    return socket.socket(fileno=listener.detach())


@pytest.mark.parametrize("taken", [as_opened, as_inherited])
async def test_an_answer_does_not_wait_for_the_last_one_to_be_acknowledged(
    taken: Callable[[socket.socket], socket.socket],
) -> None:
    """Or each would take 40 ms: Nagle's algorithm against delayed acknowledgements (RFC 896, RFC 1122 4.2.3.2)."""
    at_once: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        at_once.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = taken(listen(0))
    async with await asyncio.start_server(answer, sock=listener):
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(listener))
        assert await asyncio.wait_for(at_once, 10) == 1
        writer.close()
