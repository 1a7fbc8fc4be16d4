"""Tokens of creators' programs: made, recognised, revoked; of the secret only its hash is kept."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.invalid_input import InvalidInput
from schemas.resources.tokens import IssuedToken, NewToken, TokenResource
from schemas.scopes import Scope
from stores.database import Connections, model_from, session, storable, transaction

#: By which a token is told from one of the sign-in service's, and found by those who search for leaked secrets.
PREFIX: Final = "cin_"
SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"cin_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")

#: Tokens that an owner may have at once.
MOST_TOKENS: Final = 50
#: ``last_used_at`` is written no oftener.
USE_NOTED_EVERY: Final = timedelta(minutes=1)
#: What has ended is still listed for so long.
ENDED_KEPT_FOR: Final = timedelta(days=90)

_COLUMNS = "id, name, scopes, expires_at, revoked_at, last_used_at, created_at"


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whose token it is, and what it may do."""

    token_id: UUID
    owner_id: UUID
    scopes: frozenset[Scope]


class ServiceTokens:
    """Rows of ``service_tokens``. Every change names the owner it is made for."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def issue(self, owner_id: UUID, wanted: NewToken) -> IssuedToken:
        """A new token with its secret, which cannot be had again.

        Raises:
            InvalidInput: it would have expired already.
            ConflictError: the owner has as many as they may (``CONFLICT``).
        """
        if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
            raise InvalidInput.of("body.expires_at", "is in the past")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        async with transaction(self._connections) as connection:
            await connection.execute("select from public.profiles where id = $1 for no key update", owner_id)
            if await connection.fetchval(_LIVE_COUNT, owner_id) >= MOST_TOKENS:
                raise ConflictError(ErrorCode.CONFLICT, f"There may be {MOST_TOKENS} tokens; revoke one first.")
            row = await connection.fetchrow(
                f"""
                insert into public.service_tokens (owner_id, name, scopes, expires_at, secret_sha256)
                values ($1, $2, $3, $4, $5) returning {_COLUMNS}
                """,  # noqa: S608 (ours)
                owner_id,
                storable(wanted.name),
                list(wanted.scopes),
                wanted.expires_at,
                _hash(secret),
            )
            assert row is not None
        issued = model_from(row, TokenResource)
        return IssuedToken(token=issued, secret=f"{PREFIX}{issued.id.hex}_{secret}")

    async def holder(self, token: str) -> TokenHolder | None:
        """Whose token this is; ``None`` for one that is unknown, revoked or expired. Its use is noted."""
        form = _FORM.fullmatch(token)
        if form is None:
            return None
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select owner_id, scopes, secret_sha256, last_used_at is null
                    or last_used_at < clock_timestamp() - $2::interval as unnoted
                from public.service_tokens
                where id = $1 and revoked_at is null and coalesce(expires_at > clock_timestamp(), true)
                """,
                UUID(form[1]),
                USE_NOTED_EVERY,
            )
            if row is None or not hmac.compare_digest(row["secret_sha256"], _hash(form[2])):
                return None
            if row["unnoted"]:
                await connection.execute(
                    "update public.service_tokens set last_used_at = clock_timestamp() where id = $1", UUID(form[1])
                )
        return TokenHolder(UUID(form[1]), row["owner_id"], frozenset(map(Scope, row["scopes"])))

    async def page(self, most: int, below: tuple[datetime, UUID] | None) -> tuple[TokenResource, ...]:
        """Up to ``most`` tokens that the caller may see, newest first, from right below ``(created_at, id)``."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"""
                select {_COLUMNS} from public.service_tokens
                where $2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::uuid)
                order by created_at desc, id desc limit $1
                """,  # noqa: S608 (ours)
                most,
                *(below or (None, None)),
            )
        return tuple(model_from(row, TokenResource) for row in rows)

    async def get(self, token_id: UUID) -> TokenResource:
        """Raises ``NOT_FOUND`` if there is none, or it is not the caller's to see."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                f"select {_COLUMNS} from public.service_tokens where id = $1",  # noqa: S608 (ours)
                token_id,
            )
        return _found(row)

    async def revoke(self, owner_id: UUID, token_id: UUID) -> TokenResource:
        """Ends it at once and for good; again changes nothing. Raises ``NOT_FOUND`` if the owner has no such token."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                f"""
                update public.service_tokens set revoked_at = coalesce(revoked_at, clock_timestamp())
                where owner_id = $1 and id = $2 returning {_COLUMNS}
                """,  # noqa: S608 (ours)
                owner_id,
                token_id,
            )
        return _found(row)

    async def forget_ended(self, kept_for: timedelta = ENDED_KEPT_FOR) -> int:
        """Deletes tokens that ended longer ago than this, and says how many."""
        async with session(self._connections) as connection:
            forgotten: int = await connection.fetchval(
                """
                with ended as (
                    delete from public.service_tokens
                    where least(expires_at, revoked_at) < clock_timestamp() - $1::interval
                        and (expires_at is not null or revoked_at is not null)
                    returning id
                ) select count(*) from ended
                """,
                kept_for,
            )
        return forgotten


_LIVE_COUNT = """
    select count(*) from public.service_tokens
    where owner_id = $1 and revoked_at is null and coalesce(expires_at > clock_timestamp(), true)
"""


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _found(row: asyncpg.Record | None) -> TokenResource:
    if row is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This token does not exist.")
    return model_from(row, TokenResource)
