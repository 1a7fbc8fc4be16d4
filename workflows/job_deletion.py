"""The workflow that deletes a job which has ended: everything removed, and the proof of it recorded."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.declarations import JobRef
    from activities.retention_declarations import (
        BEGIN_JOB_DELETION,
        FINISH_JOB_DELETION,
        REMOVE_JOB_OBJECTS,
        BeginJobDeletion,
        FinishJobDeletion,
    )
    from schemas.retention import JobDeletionRecord
    from workflows.calls import call
    from workflows.contract import OWNER, PROJECT
    from workflows.limits import LIGHT, REMOVAL
    from workflows.retention_contract import DELETE_JOB, DeleteJobInput


@workflow.defn(name=DELETE_JOB)
class DeleteJob:
    """Deletes one job for good; started again, it goes on, or answers with the record of what is done."""

    @workflow.run
    async def run(self, deletion: DeleteJobInput) -> JobDeletionRecord:
        job = JobRef(job_id=deletion.job_id)
        begin = BeginJobDeletion(job_id=deletion.job_id, requested_by=deletion.requested_by)
        record = await call(BEGIN_JOB_DELETION, begin, LIGHT, summary="take its outputs out of use")
        workflow.upsert_search_attributes(
            [OWNER.value_set(str(record.owner_id)), PROJECT.value_set(str(record.project_id))]
        )
        if record.finished_at is not None:
            return record
        removed = await call(REMOVE_JOB_OBJECTS, job, REMOVAL, summary="count and remove its objects")
        finish = FinishJobDeletion(job_id=job.job_id, keys_checked=removed.keys_checked)
        return await call(FINISH_JOB_DELETION, finish, REMOVAL, summary="remove its rows and look again")
