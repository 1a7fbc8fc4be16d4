"""Who did what in a creator's name, for that creator to read."""

from fastapi import APIRouter

from api.callers import Authenticated
from api.cursors import Cursor, Limit, below, page_of
from schemas.resources.audit import AuditEntry
from schemas.resources.page import Page
from stores.audit_log import AuditLog

#: ``/audit``.
routes = APIRouter(tags=["audit"])


@routes.get("/audit", name="list", summary="Read who did what, newest first")
async def list_entries(caller: Authenticated, limit: Limit = 50, cursor: Cursor = None) -> Page[AuditEntry]:
    """Every request that would change something, whether or not it did."""
    found = await AuditLog(caller.connections).page(limit + 1, below(cursor))
    return page_of(found, limit)
