"""What a program's token allows, and the error of one that does not allow enough."""

from collections.abc import Collection
from enum import StrEnum

from schemas.errors import CinemaError, ErrorCode


class Scope(StrEnum):
    """``write`` of something allows to read it too."""

    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


_IMPLIED = {
    Scope.PROJECTS_READ: Scope.PROJECTS_WRITE,
    Scope.JOBS_READ: Scope.JOBS_WRITE,
    Scope.WEBHOOKS_READ: Scope.WEBHOOKS_WRITE,
}


def allows(held: Collection[Scope], needed: Scope) -> bool:
    """Whether a token with these scopes may do what needs that one."""
    return needed in held or _IMPLIED.get(needed) in held


class InsufficientScope(CinemaError):
    """The token is genuine, but was not made for this; ``scope`` is what it lacks, ``None`` where no token has it."""

    def __init__(self, scope: Scope | None) -> None:
        message = (
            "No token may do this: sign in as a person."
            if scope is None
            else f"This token may not do this: it lacks the scope {scope}."
        )
        super().__init__(ErrorCode.FORBIDDEN, message)
        self.scope = scope
