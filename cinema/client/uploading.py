"""Uploading a file by tus 1.0 (https://tus.io/protocols/resumable-upload), taken up again wherever it broke off."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from cinema.client.answers import PASSING, error_of, raised, resource
from cinema.client.attempts import ATTEMPTS, asked_for, attempted, unreachable, waits
from cinema.client.steps import Flow, Pause, Send, Work
from schemas.resources.assets import AssetResource, AssetState
from schemas.resources.uploads import UploadTicket

#: Called with the bytes that are safely there, and those of the whole file.
OnProgress = Callable[[int, int], None]

#: Bytes of one request: what is sent again at most when a connection breaks.
CHUNK: Final = 8 << 20
#: Seconds between two looks at a file that is being checked.
CHECK_EVERY_S: Final = 1.0
#: The checksum extension's own status.
CHECKSUM_MISMATCH: Final = 460

_TUS: Final = {"Tus-Resumable": "1.0.0"}
#: After these the server is asked how much it has, and the rest is sent.
_ASK_AGAIN: Final = frozenset({*PASSING, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, CHECKSUM_MISMATCH, 500})


def send(ticket: UploadTicket, path: Path, on_progress: OnProgress | None = None) -> Flow[AssetResource]:
    """Send a file by its ticket, from where an earlier attempt ended, until it is accepted.

    Raises:
        CinemaError: the file was refused; the code says what is wrong with it.
        TransientError: the connection kept breaking; the same ticket goes on later.
    """
    size = path.stat().st_size
    address = yield from _begun(ticket, size)
    offset: int | None = None  # not known
    pauses, left = waits(), ATTEMPTS
    while offset is None or offset < size:
        if offset is None:
            offset = yield from _arrived(ticket, address)
            continue
        if on_progress is not None:
            on_progress(offset, size)
        body, digest = yield Work(partial(_read, path, offset))
        response = yield from _once(_piece(ticket, address, offset, body, digest))
        if response is not None and response.status_code not in _ASK_AGAIN:
            offset = int(raised(response).headers["Upload-Offset"])
            pauses, left = waits(), ATTEMPTS
            continue
        left -= 1
        if not left:
            raise unreachable() if response is None else error_of(response)
        pause = next(pauses)
        yield Pause(pause if response is None else asked_for(response, pause))
        offset = None
    if on_progress is not None:
        on_progress(size, size)
    return (yield from _accepted(ticket))


def _begun(ticket: UploadTicket, size: int) -> Flow[str]:
    """The upload's address; a ticket leads to one upload, however often it is used."""
    metadata = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in ticket.metadata.items())
    headers = {**_headers(ticket), "Upload-Length": str(size), "Upload-Metadata": metadata}
    create = Send(method="POST", url=ticket.url, headers=headers, signed=True)
    response = yield from attempted(create, repeatable=True)
    return str(httpx.URL(ticket.url).join(raised(response).headers["Location"]))


def _arrived(ticket: UploadTicket, address: str) -> Flow[int]:
    response = yield from attempted(Send(method="HEAD", url=address, headers=_headers(ticket), signed=True))
    return int(raised(response).headers["Upload-Offset"])


def _piece(ticket: UploadTicket, address: str, offset: int, body: bytes, digest: str) -> Send:
    headers = {
        **_headers(ticket),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"sha256 {digest}",
    }
    return Send(method="PATCH", url=address, headers=headers, body=body, signed=True)


def _read(path: Path, offset: int) -> tuple[bytes, str]:
    """A piece of the file and its SHA-256, as the protocol writes it."""
    with path.open("rb") as file:
        file.seek(offset)
        body = file.read(CHUNK)
    return body, b64encode(hashlib.sha256(body).digest()).decode()


def _headers(ticket: UploadTicket) -> Mapping[str, str]:
    return {**_TUS, **ticket.headers}


def _once(request: Send) -> Flow[httpx.Response | None]:
    """The answer, or ``None`` where the connection broke."""
    try:
        response: httpx.Response = yield request
    except httpx.TransportError:
        return None
    return response


def _accepted(ticket: UploadTicket) -> Flow[AssetResource]:
    """The asset, once its bytes have been looked at."""
    while True:
        response = yield from attempted(Send(method="GET", url=f"/assets/{ticket.asset_id}"))
        asset = resource(response, AssetResource)
        if asset.state is not AssetState.UPLOADING:
            return asset
        yield Pause(CHECK_EVERY_S)
