"""The workflow that deletes a project: closed, its jobs ended, everything removed, and the proof of it recorded."""

from datetime import timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
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
    )
    from schemas.retention import DeletionRecord
    from workflows.calls import call
    from workflows.contract import OWNER, PROJECT, direct_job_id
    from workflows.limits import LIGHT, REMOVAL
    from workflows.retention_contract import DELETE_PROJECT, DeleteProjectInput

#: A job that was cancelled stops its children within seconds; one whose workers are away is not waited for longer.
JOBS_PATIENCE = timedelta(minutes=10)
#: Time between two looks at the jobs.
FIRST_LOOK, LONGEST_LOOK = timedelta(milliseconds=500), timedelta(seconds=15)


@workflow.defn(name=DELETE_PROJECT)
class DeleteProject:
    """Deletes one project for good; started again, it goes on, or answers with the record of what is done."""

    def __init__(self) -> None:
        self._asked_to_end: set[UUID] = set()

    @workflow.run
    async def run(self, deletion: DeleteProjectInput) -> DeletionRecord:
        project = ProjectRef(project_id=deletion.project_id)
        begin = BeginDeletion(project_id=deletion.project_id, requested_by=deletion.requested_by)
        self._show("closing the project", deletion)
        record = await call(BEGIN_DELETION, begin, LIGHT, summary="close the project")
        workflow.upsert_search_attributes(
            [OWNER.value_set(str(record.owner_id)), PROJECT.value_set(str(record.project_id))]
        )
        if record.finished_at is not None:
            self._show("deleted before", deletion)
            return record
        self._show("ending its jobs", deletion)
        await self._end_jobs(project)
        self._show("counting what there is", deletion)
        await call(TAKE_INVENTORY, project, REMOVAL, summary="take everything out of use and count it")
        self._show("removing its objects", deletion)
        removed = await call(REMOVE_PROJECT_OBJECTS, project, REMOVAL, summary="remove its objects")
        self._show("removing its rows", deletion)
        finish = FinishDeletion(project_id=project.project_id, keys_checked=removed.keys_checked)
        record = await call(FINISH_DELETION, finish, REMOVAL, summary="remove its rows and look again")
        self._show("deleted", deletion)
        return record

    async def _end_jobs(self, project: ProjectRef) -> None:
        """Cancel every job and wait until all have settled; after a while end those by force that do not answer."""
        patient_until, pause = workflow.now() + JOBS_PATIENCE, FIRST_LOOK
        while True:
            unsettled = await call(FIND_UNSETTLED_JOBS, project, LIGHT, summary="look for running jobs")
            if not unsettled.job_ids:
                return
            for job_id in unsettled.job_ids:
                await self._end_job(job_id, by_force=workflow.now() > patient_until)
            await workflow.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    async def _end_job(self, job_id: UUID, *, by_force: bool) -> None:
        if job_id not in self._asked_to_end:
            self._asked_to_end.add(job_id)
            try:
                await workflow.get_external_workflow_handle(direct_job_id(job_id)).cancel()
            except FailureError:
                # It was never started, or has ended without a word: its row is all there is.
                by_force = True
        if by_force:
            await call(CANCEL_JOB_ROWS, JobToCancel(job_id=job_id), LIGHT, summary=f"cancel job {job_id}")

    def _show(self, step: str, deletion: DeleteProjectInput) -> None:
        asked = "".join(" " if char in "\r\n|`*_[]<>#" else char for char in deletion.requested_by)
        workflow.set_current_details(f"**{step}**\n\nProject `{deletion.project_id}`, asked for by {asked}")
