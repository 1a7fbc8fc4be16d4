"""Tokens of a creator's programs. Only a person's own token may ask for any of this."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cinema.client.asking import asked, query
from cinema.client.steps import Flow, Send
from schemas.resources.page import Page
from schemas.resources.tokens import IssuedToken, NewToken, TokenResource
from schemas.scopes import Scope


def create(name: str, scopes: Sequence[Scope], *, expires_at: datetime | None = None) -> Flow[IssuedToken]:
    """Make a token that may do this much. Its secret is in this answer alone."""
    new = NewToken(name=name, scopes=tuple(scopes), expires_at=expires_at)
    return asked(Send(method="POST", url="/tokens", model=new), IssuedToken)


def list_tokens(*, limit: int = 50, cursor: str | None = None) -> Flow[Page[TokenResource]]:
    """A page of tokens, newest first; its ``next_cursor`` is the ``cursor`` of the next."""
    return asked(Send(method="GET", url="/tokens", query=query(limit=limit, cursor=cursor)), Page[TokenResource])


def get(token_id: UUID) -> Flow[TokenResource]:
    """Read a token, without its secret."""
    return asked(Send(method="GET", url=f"/tokens/{token_id}"), TokenResource)


def revoke(token_id: UUID) -> Flow[TokenResource]:
    """Have a token refused from now on, for good."""
    return asked(Send(method="DELETE", url=f"/tokens/{token_id}"), TokenResource)
