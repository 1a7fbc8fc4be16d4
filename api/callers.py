"""Who a request comes from, as every route that is not public asks for it."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.authentication.tokens import unauthenticated
from api.context import ApiContext
from stores import ActingAs

bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="An access token of the sign-in service."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in creator. ``connections`` see and do only what row-level security grants them."""

    owner_id: UUID
    connections: ActingAs


def context_of(request: Request) -> ApiContext:
    context: ApiContext = request.app.state.context
    return context


async def authenticated(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Caller:
    """The caller.

    Raises:
        CinemaError: there is no valid token (``UNAUTHENTICATED``).
    """
    if credentials is None:
        raise unauthenticated("Sign in first: this needs an access token.")
    context = context_of(request)
    claims = await context.verifier.verify(credentials.credentials)
    structlog.contextvars.bind_contextvars(owner=str(claims.subject))
    return Caller(claims.subject, ActingAs(context.database, claims.subject))


Context = Annotated[ApiContext, Depends(context_of)]
Authenticated = Annotated[Caller, Depends(authenticated)]
