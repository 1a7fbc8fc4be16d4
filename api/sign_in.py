"""Signing in at this very machine, without a password: for the embedded stack alone."""

from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from pydantic import Field

from api.authentication.local_issuer import LIFETIME
from api.context import LocalSignIn
from api.problems import problem_responses
from schemas.errors import CinemaError, ErrorCode
from schemas.model import Model

LOCALHOST = "localhost"


class SignedIn(Model):
    """An access token, and for how many seconds it is valid (RFC 6749, section 5.1)."""

    access_token: str = Field(examples=["eyJhbGciOiJFUzI1NiIs..."])
    token_type: str = "bearer"  # noqa: S105 (a type of token)
    expires_in: int = Field(examples=[3600])


def router(local: LocalSignIn) -> APIRouter:
    """``POST /auth/local``: a token for the owner of this installation."""
    routes = APIRouter(tags=["sign-in"])

    @routes.post(
        "/auth/local",
        name="local",
        summary="Sign in at this machine",
        responses=problem_responses(HTTPStatus.FORBIDDEN),
    )
    async def sign_in(request: Request) -> SignedIn:
        """Answers only a program or page of this machine: by address, by host name and by origin.

        The host name is checked because a page elsewhere may have had its name resolved to this machine.
        """
        peer = request.client.host if request.client else ""
        origin = request.headers.get("origin")
        if not (
            _is_loopback(peer)
            and _is_loopback(request.url.hostname or "")
            and (origin is None or _is_loopback(_host_of(origin)))
        ):
            raise CinemaError(ErrorCode.FORBIDDEN, "This sign-in works only on the machine that Cinema AI runs on.")
        return SignedIn(access_token=local.issuer.token(local.owner_id), expires_in=int(LIFETIME.total_seconds()))

    return routes


def _host_of(origin: str) -> str:
    """Empty where the origin has none, or makes no sense."""
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == LOCALHOST:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
