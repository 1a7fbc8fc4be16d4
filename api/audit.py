"""Who did what in a creator's name, for that creator to read."""

from fastapi import APIRouter

from api.callers import Authenticated
from api.cursors import Cursor, Limit, Position, position_of
from schemas.resources.audit import AuditEntry
from schemas.resources.page import Page
from stores.audit_log import AuditLog


def router() -> APIRouter:
    """``/audit``."""
    routes = APIRouter(tags=["audit"])

    @routes.get("/audit", name="list", summary="Read who did what, newest first")
    async def list_entries(caller: Authenticated, limit: Limit = 50, cursor: Cursor = None) -> Page[AuditEntry]:
        """Every request that would change something, whether or not it did."""
        after = None if cursor is None else position_of(cursor)
        below = None if after is None else (after.created_at, after.id)
        found = await AuditLog(caller.connections).page(limit + 1, below)
        items, more = found[:limit], len(found) > limit
        return Page(items=items, next_cursor=Position(items[-1].created_at, items[-1].id).cursor() if more else None)

    return routes
