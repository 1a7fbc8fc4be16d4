"""Uploading a file by tus 1.0 (https://tus.io/protocols/resumable-upload), taken up again wherever it broke off."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from cinema.client.answers import PASSING, error_of, raised, resource
from cinema.client.attempts import ATTEMPTS, asked_for, attempted, unreachable, waits
from cinema.client.steps import Flow, Pause, Send, Work
from schemas.errors import CinemaError
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
#: What a permission that has ended is answered with; Supabase Storage says so with 400.
_NO_LEAVE: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def send(ticket: UploadTicket, path: Path, on_progress: OnProgress | None = None) -> Flow[AssetResource]:
    """Send a file by its ticket, from where an earlier attempt ended, until it is accepted.

    Raises:
        CinemaError: the file was refused; the code says what is wrong with it.
        TransientError: the connection kept breaking; the same ticket goes on later.
    """
    size = path.stat().st_size
    sending = _Sending(ticket, (yield from _begun(ticket, size)), size)
    while sending.offset is None or sending.offset < size:
        if sending.offset is None:
            yield from _find_offset(sending)
            continue
        if on_progress is not None:
            on_progress(sending.offset, size)
        yield from _send_piece(sending, path)
    if on_progress is not None:
        on_progress(size, size)
    return (yield from _accepted(sending.ticket))


@dataclass
class _Sending:
    """One file's way. Without an ``offset`` it is not known how much has arrived."""

    ticket: UploadTicket
    address: str
    size: int
    offset: int | None = None
    left: int = ATTEMPTS
    pauses: Iterator[float] = field(default_factory=waits)
    renewable: bool = True

    def progressed(self, offset: int) -> None:
        self.offset = offset
        self.left, self.pauses, self.renewable = ATTEMPTS, waits(), True

    def pause_after(self, response: httpx.Response | None) -> Pause:
        """How long to wait before asking again. Raises what is wrong once that was done often enough."""
        self.offset = None
        self.left -= 1
        if not self.left:
            raise unreachable() if response is None else error_of(response)
        pause = next(self.pauses)
        return Pause(pause if response is None else asked_for(response, pause))


def _send_piece(sending: _Sending, path: Path) -> Flow[None]:
    ticket, offset = sending.ticket, sending.offset or 0
    body, digest = yield Work(partial(_read, path, offset, ticket.piece_bytes or CHUNK))
    response = yield from _once(_piece(ticket, sending.address, offset, body, digest))
    if response is not None and response.status_code in _NO_LEAVE and sending.renewable:
        yield from _renew(sending)
    elif response is None or response.status_code in _ASK_AGAIN:
        yield sending.pause_after(response)
    else:
        sending.progressed(int(raised(response).headers["Upload-Offset"]))


def _find_offset(sending: _Sending) -> Flow[None]:
    """Ask how much has arrived. Where the upload is not known any more, it has ended, or is begun anew."""
    head = Send(method="HEAD", url=sending.address, headers=_headers(sending.ticket), signed=True)
    response = yield from attempted(head)
    if response.status_code in _NO_LEAVE and sending.renewable:
        yield from _renew(sending)
    elif response.status_code in _GONE:
        completed = yield from attempted(_complete(sending.ticket), repeatable=True)
        if completed.status_code == HTTPStatus.CONFLICT:
            yield sending.pause_after(response)
            sending.address = yield from _begun(sending.ticket, sending.size)
        else:
            raised(completed)
            sending.progressed(sending.size)
    else:
        sending.offset = int(raised(response).headers["Upload-Offset"])


def _renew(sending: _Sending) -> Flow[None]:
    """Another permission for the same upload, as one ends before a slow line has brought all."""
    response = yield from attempted(Send(method="POST", url=f"/uploads/{sending.ticket.asset_id}/ticket"))
    sending.ticket = resource(response, UploadTicket)
    sending.renewable = False


def _begun(ticket: UploadTicket, size: int) -> Flow[str]:
    """The upload's address. Only the last part of what is answered is believed: no other host gets the permission."""
    metadata = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in ticket.metadata.items())
    headers = {**_headers(ticket), "Upload-Length": str(size), "Upload-Metadata": metadata}
    create = Send(method="POST", url=ticket.url, headers=headers, signed=True)
    response = yield from attempted(create, repeatable=True)
    return f"{ticket.url}/{raised(response).headers['Location'].rstrip('/').rpartition('/')[2]}"


def _piece(ticket: UploadTicket, address: str, offset: int, body: bytes, digest: str) -> Send:
    headers = {
        **_headers(ticket),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
    }
    if "sha256" in ticket.checksums:
        headers["Upload-Checksum"] = f"sha256 {digest}"
    return Send(method="PATCH", url=address, headers=headers, body=body, signed=True)


def _read(path: Path, offset: int, most: int) -> tuple[bytes, str]:
    """A piece of the file and its SHA-256, as the protocol writes it."""
    with path.open("rb") as file:
        file.seek(offset)
        body = file.read(most)
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
    """The asset, once its bytes have been looked at. Raises what was found wrong with them."""
    asset = resource((yield from attempted(_complete(ticket), repeatable=True)), AssetResource)
    while asset.state is AssetState.UPLOADING:
        yield Pause(CHECK_EVERY_S)
        response = yield from attempted(Send(method="GET", url=f"/assets/{ticket.asset_id}"))
        asset = resource(response, AssetResource)
    if asset.error is not None:
        raise CinemaError.from_info(asset.error)
    return asset


def _complete(ticket: UploadTicket) -> Send:
    return Send(method="POST", url=f"/uploads/{ticket.asset_id}/complete")
