"""The activity that writes the rows of a job which came with its workflow's input."""

import hashlib
from uuid import UUID

from temporalio import activity

from activities.context import ActivityContext
from activities.declarations import OPEN_JOB, OpenJob
from activities.heartbeat import heartbeating
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.invalid_input import FieldProblem, InvalidInput
from schemas.opening import NewAsset, NewJob
from stores import Bucket, Content, JobOpenings, ObjectStore

#: What an object store says of a key under which there is nothing that could be read.
_NOT_THERE = frozenset({ErrorCode.NOT_FOUND, ErrorCode.OBJECT_MISSING})


class OpeningActivities:
    """Nothing a client says of its footage is believed: it is read."""

    def __init__(self, context: ActivityContext) -> None:
        self._objects = context.objects
        self._openings = JobOpenings(context.database)

    @activity.defn(name=OPEN_JOB.name)
    async def open_job(self, asked: OpenJob) -> None:
        """Check everything, the cheap things first, and write the rows unless they are there.

        Raises:
            InvalidInput: What the job refers to is not there, not this owner's, or somebody else's job has its id.
        """
        new = asked.new_job
        _check_folder(new)
        async with heartbeating("reading footage"):
            if await self._openings.is_open(asked.job_id, new):
                return
            contents = await self._contents(new)
            async with self._openings.opening(asked.job_id, new, contents):
                await self._check_unchanged(contents)

    async def _contents(self, new: NewJob) -> dict[str, Content]:
        contents: dict[str, Content] = {}
        for at, asset in enumerate(new.assets):
            if isinstance(asset, NewAsset) and asset.object_key not in contents:
                contents[asset.object_key] = await _read(self._objects, asset.object_key, at)
        return contents

    async def _check_unchanged(self, contents: dict[str, Content]) -> None:
        """That nobody has replaced or removed an object since it was read."""
        for key, content in contents.items():
            now = await self._objects.stat(Bucket.ASSETS, key)
            if now is None or (now.size_bytes, now.sha256) != (content.size_bytes, content.sha256):
                raise TransientError(ErrorCode.OBJECT_CORRUPT, "A file was changed while it was read.")


def _check_folder(new: NewJob) -> None:
    """That every object lies in the owner's own folder: a key is no secret, so knowing one is no right to it."""
    strangers = [
        FieldProblem(field=f"new_job.assets.{at}.object_key", problem=f"does not start with {new.owner_id}/")
        for at, asset in enumerate(new.assets)
        if isinstance(asset, NewAsset) and not _lies_in(new.owner_id, asset.object_key)
    ]
    if strangers:
        raise InvalidInput(strangers)


def _lies_in(owner_id: UUID, key: str) -> bool:
    return key.startswith(f"{owner_id}/")


async def _read(objects: ObjectStore, key: str, at: int) -> Content:
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in objects.get(Bucket.ASSETS, key):
            digest.update(chunk)
            size += len(chunk)
    except CinemaError as error:
        if error.code not in _NOT_THERE:
            raise
        raise InvalidInput.of(f"new_job.assets.{at}.object_key", "there is no such object in bucket assets") from error
    return Content(size_bytes=size, sha256=digest.hexdigest())
