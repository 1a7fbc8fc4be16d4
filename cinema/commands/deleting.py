"""``cinema delete-project`` and ``delete-job``: one of them and everything of it, for good."""

import asyncio
import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from rich.console import Console
from rich.filesize import decimal
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from cinema.connections import database, installed, temporal
from cinema.settings import Settings, load_settings
from cinema.stack.errors import StackError
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.retention import DeletionRecord, JobDeletionRecord
from stores import Deletions, JobDeletions, Jobs, Projects
from stores.job_deletions import require_ended
from workflows.deletion_client import start_deletion, start_job_deletion

Confirm = Callable[[str], bool]


def delete_project(project_id: UUID, *, confirm: Confirm, as_json: bool) -> int:
    """Ask with ``confirm``, delete, and print the record that remains; status 1 if it was not confirmed.

    Raises:
        CinemaError: There is no such project, and there never was one.
        StackError: Temporal does not answer, or the deletion failed.
    """
    settings = installed(load_settings())
    question = asyncio.run(_about_project(settings, project_id))
    if question is not None and not confirm(question):
        return 1
    record = asyncio.run(_delete_project(settings, project_id))
    _show(record, f"Project {project_id}", as_json=as_json)
    return 0


def delete_job(job_id: UUID, *, confirm: Confirm, as_json: bool) -> int:
    """As ``delete_project``, for a job that has ended.

    Raises:
        CinemaError: There is no such job, and there never was one, or it has not ended.
        StackError: Temporal does not answer, or the deletion failed.
    """
    settings = installed(load_settings())
    question = asyncio.run(_about_job(settings, job_id))
    if question is not None and not confirm(question):
        return 1
    record = asyncio.run(_delete_job(settings, job_id))
    _show(record, f"Job {job_id}", as_json=as_json)
    return 0


async def _about_project(settings: Settings, project_id: UUID) -> str | None:
    """What is to be confirmed; nothing where a record says that it has been deleted already."""
    async with database(settings) as pool:
        if await Deletions(pool).is_gone(project_id):
            return None
        project = await Projects(pool).get(project_id)
    return f"Delete project {project.name!r} and everything of it, for good?"


async def _about_job(settings: Settings, job_id: UUID) -> str | None:
    async with database(settings) as pool:
        try:
            job = await Jobs(pool).get(job_id)
        except CinemaError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            await JobDeletions(pool).get(job_id)
            return None
        require_ended(job.status)
        project = await Projects(pool).get(job.project_id)
    made = ", ".join(output.name for output in job.outputs)
    return f"Delete this job of project {project.name!r} with what it made ({made}), for good?"


async def _delete_project(settings: Settings, project_id: UUID) -> DeletionRecord:
    with _failing("project"):
        handle = await start_deletion(await temporal(settings), project_id, requested_by=_operator())
        record: DeletionRecord = await handle.result()
    return record


async def _delete_job(settings: Settings, job_id: UUID) -> JobDeletionRecord:
    with _failing("job"):
        handle = await start_job_deletion(await temporal(settings), job_id, requested_by=_operator())
        record: JobDeletionRecord = await handle.result()
    return record


def _operator() -> str:
    return f"operator {getpass.getuser()}"[:200]


@contextmanager
def _failing(what: str) -> Iterator[None]:
    try:
        yield
    except (RPCError, TransientError) as error:
        raise StackError(f"Temporal does not answer: {error}") from error
    except WorkflowFailureError as error:
        raise StackError(f"The {what} could not be deleted; run this again to go on: {error.cause}") from error


def _show(record: DeletionRecord | JobDeletionRecord, what: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(record.model_dump_json(indent=2) + "\n")
        return
    if record.inventory is None or record.rows_removed is None or record.verification is None:
        raise AssertionError("a finished deletion has all its parts")
    console = Console()
    console.print(f"{what} is deleted (record {record.id}).", highlight=False, soft_wrap=True)
    for bucket, volume in record.inventory.removed.items():
        console.print(f"  {bucket}: {volume.objects} objects, {decimal(volume.bytes)}", highlight=False, soft_wrap=True)
    if record.inventory.shared:
        console.print(
            f"  {record.inventory.shared} objects stay, as others have them too", highlight=False, soft_wrap=True
        )
    rows = ", ".join(f"{count} {table}" for table, count in record.rows_removed.items() if count)
    console.print(f"  rows: {rows}", highlight=False, soft_wrap=True)
    proof = record.verification
    console.print(
        f"Looked again at {proof.at:%Y-%m-%d %H:%M:%S} UTC: nothing is left.", highlight=False, soft_wrap=True
    )
