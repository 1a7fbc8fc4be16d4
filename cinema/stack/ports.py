"""Free ports on the loopback interface."""

import socket

LOOPBACK = "127.0.0.1"


def choose_port(preferred: int) -> int:
    """``preferred`` if nothing listens there, else one the system picks."""
    with _bound_near(preferred) as probe:
        return port_of(probe)


def listen(preferred: int) -> socket.socket:
    """A listening socket on ``preferred``, or where that is taken on a port the system picks."""
    bound = _bound_near(preferred)
    bound.listen()
    return bound


def is_free(port: int) -> bool:
    try:
        _bound(port).close()
    except OSError:
        return False
    return True


def port_of(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port


def _bound_near(preferred: int) -> socket.socket:
    try:
        return _bound(preferred)
    except OSError:
        return _bound(0)


def _bound(port: int) -> socket.socket:
    # The protocol is named, as asyncio sends small answers at once (TCP_NODELAY) only where it sees that it is TCP.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((LOOPBACK, port))
    except OSError:
        opened.close()
        raise
    return opened
