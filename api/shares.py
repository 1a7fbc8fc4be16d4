"""Share links: made and revoked by their creator, opened by anyone who has them."""

import asyncio
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import SecretStr

from api import passwords
from api.callers import Authenticated, Context
from api.context import ApiContext
from api.cursors import Cursor, Limit, below, page_of
from api.problems import problem_responses
from render import storyboard_vtt
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.resources.page import Page
from schemas.resources.shares import USUAL_LIFE, MadeShare, NewShare, OpenShare, SharedOutput, ShareResource
from stores import Bucket, Outputs
from stores.shares import LiveShare, Shares, ShareTerms

#: Long enough to watch a video to its end, short enough that a revoked link soon shows nothing.
VALID_FOR: Final = timedelta(hours=1)
_TOKEN_BYTES: Final = 32
#: Neither kept nor found: the address itself is the permission.
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}

Token = Annotated[str, Path(max_length=200, description="The last part of the link's address.")]


#: ``/outputs/{output_id}/shares``, ``/shares/{share_id}``, and ``/s/{token}``, which needs no signing in.
routes = APIRouter(tags=["shares"])


@routes.post(
    "/outputs/{output_id}/shares",
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(HTTPStatus.CONFLICT),
    summary="Make a share link",
)
async def create(
    output_id: UUID, new: NewShare, request: Request, caller: Authenticated, context: Context
) -> MadeShare:
    """Whoever has the address sees the video until the link expires, is used up, or is revoked. It is told once."""
    output = await Outputs(caller.connections).get(output_id)
    if output.files is None or output.expiring_since is not None:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "There is no video of this output to share.")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    terms = ShareTerms(
        token_sha256=_digest(token),
        expires_at=new.expires_at or datetime.now(UTC) + USUAL_LIFE,
        password=None if new.password is None else await _hashed(new.password),
        max_views=new.max_views,
    )
    address = context.address or str(request.base_url)
    made = await Shares(context.database).create(caller.owner_id, output_id, terms)
    return MadeShare(**made.model_dump(), token=token, url=f"{address.rstrip('/')}/s/{token}")


@routes.get("/outputs/{output_id}/shares", name="list", summary="List an output's share links, newest first")
async def list_shares(
    output_id: UUID, caller: Authenticated, limit: Limit = 50, cursor: Cursor = None
) -> Page[ShareResource]:
    await Outputs(caller.connections).get(output_id)
    found = await Shares(caller.connections).page(output_id, limit + 1, below(cursor))
    return page_of(found, limit)


@routes.delete("/shares/{share_id}", status_code=HTTPStatus.NO_CONTENT, summary="Revoke a share link")
async def revoke(share_id: UUID, caller: Authenticated, context: Context) -> None:
    """From now on nobody can open it; addresses it gave before work for an hour at most."""
    await Shares(context.database).revoke(caller.owner_id, share_id)


@routes.get(
    "/s/{token}",
    name="open",
    responses=problem_responses(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    summary="Open a share link",
)
async def open_link(token: Token, response: Response, context: Context) -> SharedOutput:
    """For anyone. A link that asks for a password says so (403): send it with `POST`.

    Links that never existed, have expired, are used up or were revoked are all the same (404).
    """
    response.headers.update(_PRIVATE)
    share = await _live(context, token)
    if share.password is not None:
        raise CinemaError(ErrorCode.FORBIDDEN, "This link asks for a password.")
    return await _opened(context, share, after_guess=False)


@routes.post(
    "/s/{token}",
    name="open_with_password",
    responses=problem_responses(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
    summary="Open a share link with its password",
)
async def open_with_password(token: Token, given: OpenShare, response: Response, context: Context) -> SharedOutput:
    """After five wrong passwords each further one takes a wait (429), which doubles up to a quarter of an hour."""
    response.headers.update(_PRIVATE)
    share = await _live(context, token)
    if share.password is None:
        return await _opened(context, share, after_guess=False)
    await Shares(context.database).begin_guess(share.id)
    if not await asyncio.to_thread(passwords.matches, given.password.get_secret_value(), share.password):
        raise CinemaError(ErrorCode.FORBIDDEN, "This is not the password of this link.")
    return await _opened(context, share, after_guess=True)


async def _hashed(password: SecretStr) -> str:
    return await asyncio.to_thread(passwords.hashed, password.get_secret_value())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def _live(context: ApiContext, token: str) -> LiveShare:
    share = await Shares(context.database).live(_digest(token))
    if share is None:
        raise _closed()
    return share


async def _opened(context: ApiContext, share: LiveShare, *, after_guess: bool) -> SharedOutput:
    """What the link shows. Counted last and with a look at its terms, so that only what is answered is a view."""
    files = share.output.files
    if files is None:
        raise _closed()
    expires_at = datetime.now(UTC) + VALID_FOR

    async def signed(bucket: Bucket, key: str) -> str:
        return await context.objects.signed_download_url(bucket, key, expires_in=VALID_FOR)

    board = files.storyboard
    shared = SharedOutput(
        title=share.title,
        variant=share.output.variant,
        duration_s=files.report.metrics.duration_s,
        video_url=await signed(Bucket.OUTPUTS, files.video_key),
        thumbnail_url=await signed(Bucket.THUMBS, files.thumbnail_key),
        storyboard=board and storyboard_vtt(board.grid, await signed(Bucket.THUMBS, board.image_key)),
        captions_url=await signed(Bucket.OUTPUTS, files.vtt_key),
        urls_expire_at=expires_at,
    )
    if not await Shares(context.database).count_view(share.id, after_guess=after_guess):
        raise _closed()
    return shared


def _closed() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This link does not exist, or no longer works.")
