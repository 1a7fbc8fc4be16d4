"""Share links: made, listed and revoked by their creator, opened by anyone."""

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from pydantic_core import to_json

from cinema.client.asking import asked, done, query
from cinema.client.steps import Flow, Send
from schemas.model import Model
from schemas.resources.page import Page
from schemas.resources.shares import MadeShare, NewShare, OpenShare, SharedOutput, ShareResource


def create(
    output_id: UUID, *, expires_at: datetime | None = None, password: str | None = None, max_views: int | None = None
) -> Flow[MadeShare]:
    """Make a link to an output's video. Its address is in this answer alone."""
    secret = None if password is None else SecretStr(password)
    new = NewShare(expires_at=expires_at, password=secret, max_views=max_views)
    return asked(_telling(f"/outputs/{output_id}/shares", new, password), MadeShare)


def list_shares(output_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Flow[Page[ShareResource]]:
    """A page of an output's links, newest first; its ``next_cursor`` is the ``cursor`` of the next."""
    wanted = query(limit=limit, cursor=cursor)
    return asked(Send(method="GET", url=f"/outputs/{output_id}/shares", query=wanted), Page[ShareResource])


def revoke(share_id: UUID) -> Flow[None]:
    """Let nobody open a link any more."""
    return done(Send(method="DELETE", url=f"/shares/{share_id}"))


def open_link(url: str, *, password: str | None = None) -> Flow[SharedOutput]:
    """What a link shows, as anybody sees it; each time counts as a view.

    Raises:
        CinemaError: it does not work (``NOT_FOUND``), or asks for another password than this (``FORBIDDEN``).
        TransientError: too many passwords were wrong (``RATE_LIMITED``).
    """
    if password is None:
        return asked(Send(method="GET", url=url, signed=True), SharedOutput, repeatable=False)
    given = OpenShare(password=SecretStr(password))
    return asked(_telling(url, given, password, signed=True), SharedOutput)


def _telling(url: str, model: Model, password: str | None, *, signed: bool = False) -> Send:
    """A body with the password in it, which models hide wherever they are written."""
    told = model.model_dump(mode="json", exclude_none=True)
    if password is not None:
        told["password"] = password
    headers = {"Content-Type": "application/json"}
    return Send(method="POST", url=url, headers=headers, body=to_json(told), signed=signed)
