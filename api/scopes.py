"""Which scope of a token each route asks for: by what it is about, and whether it changes anything.

What is not in the table is for people alone, so that no token can make tokens, and a new resource is closed to programs
until it is put here.
"""

from collections.abc import Mapping
from typing import Final

from api.edge.exchange import SAFE
from api.operations import Operation
from schemas.scopes import Scope

#: By what a route is about: the scope to read, and the one to change.
SCOPES: Final[Mapping[str, tuple[Scope, Scope]]] = {
    "projects": (Scope.PROJECTS_READ, Scope.PROJECTS_WRITE),
    "assets": (Scope.PROJECTS_READ, Scope.PROJECTS_WRITE),
    "uploads": (Scope.PROJECTS_READ, Scope.PROJECTS_WRITE),
    "jobs": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "events": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "files": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "shares": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "analytics": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "webhooks": (Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE),
}


def scope_of(operation: Operation, method: str) -> Scope | None:
    """The scope that a token needs here; ``None`` where none will do."""
    if operation.subject not in SCOPES:
        return None
    read, write = SCOPES[operation.subject]
    return read if method in SAFE else write
