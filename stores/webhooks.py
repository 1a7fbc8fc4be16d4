"""Webhook endpoints and the secrets they sign with."""

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.webhooks import (
    DeliveryPolicy,
    DisabledReason,
    EventType,
    NewEndpoint,
    WebhookEndpoint,
    checked_url,
    refused,
)
from stores.database import Connection, Connections, model_from, session, storable, transaction
from stores.sealing import Seal

#: Endpoints an owner may have. Each of an owner's events is delivered to each of them.
MOST_ENDPOINTS = 20

#: How long a replaced secret goes on signing beside the new one.
SECRET_OVERLAP: Final = timedelta(hours=24)

#: Secrets that may sign at once: each adds a signature to every request.
MOST_SECRETS = 5

#: Random bytes in a secret (Standard Webhooks asks for 24 to 64).
SECRET_BYTES = 32

_OWNER_NOTICE = "Disabled by its owner."


class WebhookEndpoints:
    """Rows of ``webhook_endpoints`` and ``webhook_secrets``. Every change names the owner it is made for."""

    def __init__(self, connections: Connections, seal: Seal, policy: DeliveryPolicy) -> None:
        self._connections = connections
        self._seal = seal
        self._policy = policy

    async def add(self, owner_id: UUID, wanted: NewEndpoint) -> tuple[WebhookEndpoint, str]:
        """The new endpoint, and its secret, which is not shown again.

        Raises:
            CinemaError: the URL is not allowed, or the owner has as many endpoints as allowed (``WEBHOOK_REFUSED``);
                there is no such owner (``NOT_FOUND``).
        """
        url = str(checked_url(wanted.url, self._policy))
        secret = _new_secret()
        async with transaction(self._connections) as connection:
            await connection.execute("select from public.profiles where id = $1 for no key update", owner_id)
            if await _count(connection, owner_id) >= MOST_ENDPOINTS:
                raise refused(f"There may be {MOST_ENDPOINTS} webhook endpoints; remove one first.")
            row = await connection.fetchrow(
                """
                insert into public.webhook_endpoints (owner_id, url, description, event_types)
                values ($1, $2, $3, $4) returning *
                """,
                owner_id,
                url,
                storable(wanted.description),
                _distinct(wanted.event_types),
            )
            assert row is not None
            await self._keep(connection, row["id"], secret)
        return model_from(row, WebhookEndpoint), secret

    async def of(self, owner_id: UUID) -> tuple[WebhookEndpoint, ...]:
        """The owner's endpoints, oldest first."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                "select * from public.webhook_endpoints where owner_id = $1 order by created_at, id", owner_id
            )
        return tuple(model_from(row, WebhookEndpoint) for row in rows)

    async def get(self, owner_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
        """Raises ``NOT_FOUND`` if the owner has no such endpoint."""
        return await self._one(
            "select * from public.webhook_endpoints where owner_id = $1 and id = $2", owner_id, endpoint_id
        )

    async def subscribe(self, owner_id: UUID, endpoint_id: UUID, event_types: Sequence[EventType]) -> WebhookEndpoint:
        """From now on sends it these types of events, at least one."""
        return await self._one(
            "update public.webhook_endpoints set event_types = $3 where owner_id = $1 and id = $2 returning *",
            owner_id,
            endpoint_id,
            _distinct(event_types),
        )

    async def enable(self, owner_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
        """Sends it events again, from now on; what it missed can be replayed."""
        return await self._one(
            """
            update public.webhook_endpoints set status = 'enabled', disabled_reason = null, disabled_notice = null,
                disabled_at = null, failing_since = null
            where owner_id = $1 and id = $2 returning *
            """,
            owner_id,
            endpoint_id,
        )

    async def disable(self, owner_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
        """Sends it nothing until it is enabled; one that is disabled already keeps its first reason."""
        return await self._one(
            """
            update public.webhook_endpoints set
                status = 'disabled', disabled_reason = coalesce(disabled_reason, $3),
                disabled_notice = coalesce(disabled_notice, $4), disabled_at = coalesce(disabled_at, now())
            where owner_id = $1 and id = $2 returning *
            """,
            owner_id,
            endpoint_id,
            DisabledReason.OWNER,
            _OWNER_NOTICE,
        )

    async def remove(self, owner_id: UUID, endpoint_id: UUID) -> None:
        """Forgets the endpoint, its secrets and its log; deliveries under way end without another attempt."""
        async with session(self._connections) as connection:
            found = await connection.fetchval(
                "delete from public.webhook_endpoints where owner_id = $1 and id = $2 returning true",
                owner_id,
                endpoint_id,
            )
        if not found:
            raise _missing()

    async def rotate(
        self, owner_id: UUID, endpoint_id: UUID, overlap: timedelta = SECRET_OVERLAP
    ) -> tuple[WebhookEndpoint, str]:
        """A new secret. The ones before it go on signing beside it for ``overlap``, or for what is left of theirs.

        No overlap is for a secret that has become known to others.

        Raises:
            CinemaError: the owner has no such endpoint (``NOT_FOUND``); or too many secrets sign (``WEBHOOK_REFUSED``).
        """
        secret = _new_secret()
        async with transaction(self._connections) as connection:
            row = await connection.fetchrow(
                "select * from public.webhook_endpoints where owner_id = $1 and id = $2 for no key update",
                owner_id,
                endpoint_id,
            )
            if row is None:
                raise _missing()
            await connection.execute(
                """
                update public.webhook_secrets
                set expires_at = least(coalesce(expires_at, 'infinity'), clock_timestamp() + $2)
                where endpoint_id = $1
                """,
                endpoint_id,
                overlap,
            )
            await connection.execute(
                "delete from public.webhook_secrets where endpoint_id = $1 and expires_at <= clock_timestamp()",
                endpoint_id,
            )
            kept = await connection.fetchval(
                "select count(*) from public.webhook_secrets where endpoint_id = $1", endpoint_id
            )
            if kept >= MOST_SECRETS:
                raise refused("This endpoint has had too many new secrets within a day; drop the old ones at once.")
            await self._keep(connection, endpoint_id, secret)
        return model_from(row, WebhookEndpoint), secret

    async def secrets(self, endpoint_id: UUID) -> tuple[str, ...]:
        """The secrets that sign now, the current one first. For the services alone."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                """
                select sealed from public.webhook_secrets
                where endpoint_id = $1 and coalesce(expires_at, 'infinity') > clock_timestamp() order by id desc
                """,
                endpoint_id,
            )
        return tuple(self._seal.open(row["sealed"]) for row in rows)

    async def _keep(self, connection: Connection, endpoint_id: UUID, secret: str) -> None:
        await connection.execute(
            "insert into public.webhook_secrets (endpoint_id, sealed) values ($1, $2)",
            endpoint_id,
            self._seal.close(secret),
        )

    async def _one(self, statement: str, *values: object) -> WebhookEndpoint:
        async with session(self._connections) as connection:
            row = await connection.fetchrow(statement, *values)
        if row is None:
            raise _missing()
        return model_from(row, WebhookEndpoint)


async def drop_expired_secrets(connections: Connections) -> int:
    """Deletes the secrets that sign no more, and says how many those were."""
    async with session(connections) as connection:
        dropped: int = await connection.fetchval(
            """
            with dropped as (
                delete from public.webhook_secrets where expires_at <= clock_timestamp() returning id
            ) select count(*) from dropped
            """
        )
    return dropped


async def _count(connection: Connection, owner_id: UUID) -> int:
    count: int = await connection.fetchval(
        "select count(*) from public.webhook_endpoints where owner_id = $1", owner_id
    )
    return count


def _distinct(event_types: Sequence[EventType]) -> list[EventType]:
    return [kind for kind in EventType if kind in event_types]


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This webhook endpoint does not exist.")
