"""The activities that delete a project: each may be killed at any point and run again."""

from datetime import UTC, datetime
from uuid import UUID

from temporalio import activity

from activities.emptying import Doomed, Emptying, by_bucket
from activities.heartbeat import heartbeating
from activities.retention_declarations import (
    BEGIN_DELETION,
    CANCEL_JOB_ROWS,
    FIND_UNSETTLED_JOBS,
    FINISH_DELETION,
    REMOVE_PROJECT_OBJECTS,
    TAKE_INVENTORY,
    BeginDeletion,
    FinishDeletion,
    JobToCancel,
    ProjectRef,
    RemovedObjects,
    UnsettledJobs,
)
from schemas.errors import ErrorCode, TransientError
from schemas.retention import DeletionRecord, Verification
from stores import Deletions, Jobs, ObjectStore, Pool, Removals

#: Jobs looked up at once.
JOBS_AT_ONCE = 100


class DeletionActivities:
    """Takes a project apart in an order that leaves nothing behind, and proves it."""

    def __init__(self, database: Pool, objects: ObjectStore) -> None:
        self._jobs = Jobs(database)
        self._deletions = Deletions(database)
        self._emptying = Emptying(objects, Removals(database))
        self._remover = self._emptying.remover

    @activity.defn(name=BEGIN_DELETION.name)
    async def begin_deletion(self, asked: BeginDeletion) -> DeletionRecord:
        return await self._deletions.begin(asked.project_id, asked.requested_by)

    @activity.defn(name=FIND_UNSETTLED_JOBS.name)
    async def find_unsettled_jobs(self, asked: ProjectRef) -> UnsettledJobs:
        return UnsettledJobs(job_ids=await self._deletions.unsettled_jobs(asked.project_id, JOBS_AT_ONCE))

    @activity.defn(name=CANCEL_JOB_ROWS.name)
    async def cancel_job_rows(self, asked: JobToCancel) -> None:
        await self._jobs.cancel(asked.job_id)

    @activity.defn(name=TAKE_INVENTORY.name)
    async def take_inventory(self, asked: ProjectRef) -> DeletionRecord:
        """Take everything out of use, and record what there is; nothing can be added from here on."""
        record = await self._deletions.get(asked.project_id)
        if record.inventory is not None:
            return record
        await self._deletions.claim_outputs(asked.project_id)
        await self._deletions.claim_assets(asked.project_id)
        await self._deletions.claim_analyses(asked.project_id)
        await self._deletions.claim_segments(asked.project_id)
        async with heartbeating("inventory"):
            inventory = await self._emptying.inventory(await self._doomed(record))
        return await self._deletions.take_inventory(asked.project_id, inventory)

    @activity.defn(name=REMOVE_PROJECT_OBJECTS.name)
    async def remove_project_objects(self, asked: ProjectRef) -> RemovedObjects:
        """Remove every object of the project, by what rows name and by looking below its prefix.

        Raises:
            TransientError: Something is still being written or removed by somebody else, and has to be looked at again.
        """
        record = await self._deletions.get(asked.project_id)
        async with heartbeating("objects"):
            doomed = await self._doomed(record)
            await self._remove_items(asked.project_id)
            await self._remover.below(_prefix(record))
            left = await self._emptying.left(doomed)
            left += len(await self._deletions.unfinished_segments(asked.project_id))
            left += len(await self._deletions.unfinished_footage(asked.project_id))
        if left:
            raise TransientError(ErrorCode.STORE_UNAVAILABLE, f"{left} files of this project are still in use.")
        return RemovedObjects(keys_checked=len(doomed.objects))

    @activity.defn(name=FINISH_DELETION.name)
    async def finish_deletion(self, asked: FinishDeletion) -> DeletionRecord:
        """Remove the rows, look again, and record what was seen.

        Raises:
            TransientError: Something was there again; it has been removed, and has to be looked for once more.
        """
        record = await self._deletions.remove_rows(asked.project_id)
        if record.finished_at is not None:
            return record
        found = await self._remover.unnamed_below(_prefix(record))
        verification = Verification(
            keys_checked=asked.keys_checked,
            objects=by_bucket(found),
            rows=await self._deletions.rows_left(asked.project_id),
            at=datetime.now(UTC),
        )
        if not verification.clean:
            await self._remover.objects(found)
            raise TransientError(ErrorCode.STORE_UNAVAILABLE, "Something of this project was still being written.")
        return await self._deletions.finish(asked.project_id, verification)

    async def _doomed(self, record: DeletionRecord) -> Doomed:
        """Every object that goes with the project, and how many it names that stay because others have them too."""
        named = await self._deletions.named_objects(record.project_id)
        return await self._emptying.doomed(named, _prefix(record))

    async def _remove_items(self, project_id: UUID) -> None:
        for output_id in await self._deletions.unfinished_outputs(project_id):
            await self._remover.output(output_id)
        for asset_id in await self._deletions.unfinished_assets(project_id):
            await self._remover.asset(asset_id)
        for object_key in await self._deletions.unfinished_footage(project_id):
            await self._remover.footage(object_key)
        await self._deletions.claim_analyses(project_id)
        for key in await self._deletions.unfinished_analyses(project_id):
            await self._remover.analysis(key)
        await self._deletions.claim_segments(project_id)
        for object_key in await self._deletions.unfinished_segments(project_id):
            await self._remover.segment(object_key)


def _prefix(record: DeletionRecord) -> str:
    """Below which everything lies that is the project's alone."""
    return f"{record.owner_id}/{record.project_id}/"
