"""A job as clients see it, read in one round trip: there is nothing that they ask oftener."""

from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.resources.jobs import JobResource
from stores.database import ActingAs


async def job_as_seen_by(creator: ActingAs, job_id: UUID) -> JobResource:
    """The job with its outputs. Raises ``NOT_FOUND`` if there is none, or it is not the creator's to see."""
    found: str | None = await creator.read("select cinema.job_with_expiry($1, $2)", job_id)
    if found is None:
        raise CinemaError(ErrorCode.NOT_FOUND, "This job does not exist.")
    return JobResource.model_validate_json(found)
