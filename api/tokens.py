"""Tokens of a creator's programs: made, listed, revoked. Only a person may."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from api.callers import Authenticated, Context
from api.cursors import Cursor, Limit, below, page_of
from api.problems import problem_responses
from schemas.resources.page import Page
from schemas.resources.tokens import IssuedToken, NewToken, TokenResource
from stores import Projects
from stores.service_tokens import ServiceTokens

#: ``/tokens`` and ``/tokens/{token_id}``.
routes = APIRouter(prefix="/tokens", tags=["tokens"])


@routes.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Make a token for a program",
    responses=problem_responses(HTTPStatus.CONFLICT),
)
async def create(new: NewToken, caller: Authenticated, context: Context, response: Response) -> IssuedToken:
    """Its secret is in this answer alone. Fifty at once may live."""
    await Projects(context.database).ensure_profile(caller.owner_id)
    issued = await ServiceTokens(context.database).issue(caller.owner_id, new)
    response.headers["Location"] = f"/tokens/{issued.token.id}"
    return issued


@routes.get("", name="list", summary="List tokens, newest first")
async def list_tokens(caller: Authenticated, limit: Limit = 50, cursor: Cursor = None) -> Page[TokenResource]:
    """Those that were revoked or have expired are among them for another 90 days."""
    found = await ServiceTokens(caller.connections).page(limit + 1, below(cursor))
    return page_of(found, limit)


@routes.get("/{token_id}", summary="Read a token")
async def read(token_id: UUID, caller: Authenticated) -> TokenResource:
    return await ServiceTokens(caller.connections).get(token_id)


@routes.delete("/{token_id}", summary="Revoke a token")
async def revoke(token_id: UUID, caller: Authenticated, context: Context) -> TokenResource:
    """From now on it is refused; that cannot be undone."""
    return await ServiceTokens(context.database).revoke(caller.owner_id, token_id)
