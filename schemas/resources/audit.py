"""Who did what, as its owner reads it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from schemas.model import Model


class Outcome(StrEnum):
    """``REFUSED``: the request asked for something that could not be; ``FAILED``: the fault was ours."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    FAILED = "failed"

    @classmethod
    def of(cls, status: int) -> "Outcome":
        """What came of a request that was answered with this HTTP status."""
        if status < 400:
            return cls.SUCCEEDED
        return cls.REFUSED if status < 500 else cls.FAILED


class AuditEntry(Model):
    """One request that would change something. ``token_id`` is absent where a person was signed in."""

    id: UUID
    created_at: datetime
    token_id: UUID | None
    action: str = Field(examples=["jobs.cancel"])
    resource: str = Field(examples=["/jobs/0b0e4d8c-6c2f-4a6f-9a5b-1c2d3e4f5061/cancel"])
    outcome: Outcome
    status: int = Field(examples=[200], description="The HTTP status it was answered with.")
    request_id: str = Field(description="As in the answer's `X-Request-ID`.")
    address: str | None = Field(examples=["203.0.113.7"])
