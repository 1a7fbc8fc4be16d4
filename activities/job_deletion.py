"""The activities that delete a job: each may be killed at any point and run again."""

from datetime import UTC, datetime

from temporalio import activity

from activities.declarations import JobRef
from activities.emptying import Doomed, Emptying, by_bucket
from activities.heartbeat import heartbeating
from activities.output_keys import edit_key
from activities.retention_declarations import (
    BEGIN_JOB_DELETION,
    FINISH_JOB_DELETION,
    REMOVE_JOB_OBJECTS,
    BeginJobDeletion,
    FinishJobDeletion,
    RemovedObjects,
)
from schemas.errors import ErrorCode, TransientError
from schemas.retention import JobDeletionRecord, Verification
from stores import Bucket, JobDeletions, Ledger, ObjectStore, Pool, Removals, StoredObject


class JobDeletionActivities:
    """Takes a job that has ended apart in an order that leaves nothing behind, and proves it."""

    def __init__(self, database: Pool, objects: ObjectStore) -> None:
        self._ledger = Ledger(database)
        self._deletions = JobDeletions(database)
        self._emptying = Emptying(objects, Removals(database))

    @activity.defn(name=BEGIN_JOB_DELETION.name)
    async def begin_job_deletion(self, asked: BeginJobDeletion) -> JobDeletionRecord:
        bill = await self._ledger.bill_of_job(asked.job_id)
        return await self._deletions.begin(asked.job_id, asked.requested_by, bill)

    @activity.defn(name=REMOVE_JOB_OBJECTS.name)
    async def remove_job_objects(self, asked: JobRef) -> RemovedObjects:
        """Record what there is, and remove every object of the job, by what rows name and by looking below its prefix.

        Raises:
            TransientError: Something is being removed by somebody else, and has to be looked at again.
        """
        record = await self._deletions.get(asked.job_id)
        async with heartbeating("objects"):
            doomed = await self._doomed(record)
            await self._deletions.take_inventory(asked.job_id, await self._emptying.inventory(doomed))
            for output_id in await self._deletions.unfinished_outputs(asked.job_id):
                await self._emptying.remover.output(output_id)
            await self._emptying.remover.objects(doomed.objects)
            left = await self._emptying.left(doomed) + len(await self._deletions.unfinished_outputs(asked.job_id))
        if left:
            raise TransientError(ErrorCode.STORE_UNAVAILABLE, f"{left} files of this job are still in use.")
        return RemovedObjects(keys_checked=len(doomed.objects))

    @activity.defn(name=FINISH_JOB_DELETION.name)
    async def finish_job_deletion(self, asked: FinishJobDeletion) -> JobDeletionRecord:
        """Remove the rows, look again, and record what was seen.

        Raises:
            TransientError: Something was there again; it has been removed, and has to be looked for once more.
        """
        record = await self._deletions.remove_rows(asked.job_id)
        if record.finished_at is not None:
            return record
        remover = self._emptying.remover
        found = await remover.unnamed_below(_prefix(record))
        verification = Verification(
            keys_checked=asked.keys_checked,
            objects=by_bucket(found),
            rows=await self._deletions.rows_left(asked.job_id),
            at=datetime.now(UTC),
        )
        if not verification.clean:
            await remover.objects(found)
            raise TransientError(ErrorCode.STORE_UNAVAILABLE, "Something of this job was still being written.")
        return await self._deletions.finish(asked.job_id, verification)

    async def _doomed(self, record: JobDeletionRecord) -> Doomed:
        """What its rows name, what lies below its prefix, and the edits that were brought for it alone."""
        edits = [
            StoredObject(Bucket.OUTPUTS, edit_key(record.owner_id, record.project_id, sha256))
            for sha256 in await self._deletions.edits_of_its_own(record.job_id)
        ]
        named = await self._deletions.named_objects(record.job_id)
        return await self._emptying.doomed([*named, *edits], _prefix(record))


def _prefix(record: JobDeletionRecord) -> str:
    """Below which everything lies that is the job's alone."""
    return f"{record.owner_id}/{record.project_id}/{record.job_id}/"
