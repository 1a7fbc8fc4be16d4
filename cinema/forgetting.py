"""Forgetting what the API has kept long enough: rows of the log of who did what, and tokens that ended."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from schemas.errors import TransientError
from stores import Pool
from stores.audit_log import AuditLog
from stores.service_tokens import ServiceTokens

EVERY_S: Final = 3600.0

log = structlog.get_logger(__name__)


async def forget_while_serving(pool: Pool, audit_days: int) -> None:
    """Every hour, until cancelled. Any number of processes may at once."""
    while True:
        try:
            entries = await AuditLog(pool).forget(timedelta(days=audit_days))
            tokens = await ServiceTokens(pool).forget_ended()
        except TransientError as error:
            log.warning("nothing can be forgotten", error=error.message)
        else:
            if entries or tokens:
                log.info("forgot old entries of the audit log and ended tokens", entries=entries, tokens=tokens)
        await asyncio.sleep(EVERY_S)
