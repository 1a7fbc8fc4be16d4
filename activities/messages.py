"""Messages over a socket between a worker and its children: a number, a little JSON, and bytes that belong to it."""

import asyncio
from dataclasses import dataclass
from socket import socket
from struct import Struct

#: The most that a message may hold, in bytes: what is said of a minute of fast speech is a tenth of it.
LONGEST_JSON = 8 << 20
LONGEST_BODY = 8 << 20

_HEADER = Struct("<III")


@dataclass(frozen=True)
class Message:
    """``number`` tells which question an answer belongs to."""

    number: int
    json: bytes
    body: bytes = b""

    def packed(self) -> bytes:
        return _HEADER.pack(self.number, len(self.json), len(self.body)) + self.json + self.body


class MessageTooLongError(Exception):
    """Whoever sends this is no child of ours any more."""


def read_message(connection: socket) -> Message | None:
    """The next message on a blocking socket; ``None`` at its end."""
    header = _read(connection, _HEADER.size)
    if header is None:
        return None
    number, json_length, body_length = _lengths(header)
    json, body = _read(connection, json_length), _read(connection, body_length)
    return None if json is None or body is None else Message(number, json, body)


async def receive_message(connection: socket) -> Message | None:
    """The next message on a socket that does not block; ``None`` at its end.

    Raises:
        MessageTooLongError: It is longer than any message of ours.
    """
    header = await _receive(connection, _HEADER.size)
    if header is None:
        return None
    number, json_length, body_length = _lengths(header)
    json, body = await _receive(connection, json_length), await _receive(connection, body_length)
    return None if json is None or body is None else Message(number, json, body)


def _lengths(header: bytes) -> tuple[int, int, int]:
    number, json_length, body_length = _HEADER.unpack(header)
    if json_length > LONGEST_JSON or body_length > LONGEST_BODY:
        raise MessageTooLongError
    return number, json_length, body_length


def _read(connection: socket, length: int) -> bytes | None:
    data = bytearray(length)
    view, at = memoryview(data), 0
    while at < length:
        count = connection.recv_into(view[at:])
        if count == 0:
            return None
        at += count
    return bytes(data)


async def _receive(connection: socket, length: int) -> bytes | None:
    data = bytearray(length)
    view, at = memoryview(data), 0
    while at < length:
        try:
            count = await asyncio.get_running_loop().sock_recv_into(connection, view[at:])
        except ConnectionResetError:
            return None
        if count == 0:
            return None
        at += count
    return bytes(data)
