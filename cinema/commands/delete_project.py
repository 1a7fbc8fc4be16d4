"""``cinema delete-project``: a project and everything of it, for good."""

import asyncio
import getpass
import sys
from collections.abc import Callable
from uuid import UUID

from rich.console import Console
from rich.filesize import decimal
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from cinema.connections import database, installed, temporal
from cinema.settings import Settings, load_settings
from cinema.stack.errors import StackError
from schemas.errors import TransientError
from schemas.jobs import Project
from schemas.retention import DeletionRecord
from stores import Deletions, Projects
from workflows.deletion_client import start_deletion


def delete_project(project_id: UUID, *, confirm: Callable[[str], bool], as_json: bool) -> int:
    """Ask with ``confirm``, delete, and print the record that remains; status 1 if it was not confirmed.

    Raises:
        CinemaError: There is no such project, and there never was one.
        StackError: Temporal does not answer, or the deletion failed.
    """
    settings = installed(load_settings())
    project = asyncio.run(_find(settings, project_id))
    if project is not None and not confirm(f"Delete project {project.name!r} and everything of it, for good?"):
        return 1
    record = asyncio.run(_delete(settings, project_id))
    if as_json:
        sys.stdout.write(record.model_dump_json(indent=2) + "\n")
    else:
        _print(Console(), record)
    return 0


async def _find(settings: Settings, project_id: UUID) -> Project | None:
    """The project, or ``None`` where a record says that it has been deleted already."""
    async with database(settings) as pool:
        if await Deletions(pool).is_gone(project_id):
            return None
        return await Projects(pool).get(project_id)


async def _delete(settings: Settings, project_id: UUID) -> DeletionRecord:
    client = await temporal(settings)
    try:
        handle = await start_deletion(client, project_id, requested_by=f"operator {getpass.getuser()}"[:200])
        record: DeletionRecord = await handle.result()
    except (RPCError, TransientError) as error:
        raise StackError(f"Temporal does not answer: {error}") from error
    except WorkflowFailureError as error:
        raise StackError(f"The project could not be deleted; run this again to go on: {error.cause}") from error
    return record


def _print(console: Console, record: DeletionRecord) -> None:
    if record.inventory is None or record.rows_removed is None or record.verification is None:
        raise AssertionError("a finished deletion has all its parts")
    console.print(f"Project {record.project_id} is deleted (record {record.id}).", highlight=False)
    for bucket, volume in record.inventory.removed.items():
        console.print(f"  {bucket}: {volume.objects} objects, {decimal(volume.bytes)}", highlight=False)
    if record.inventory.shared:
        console.print(f"  {record.inventory.shared} objects stay, as other projects have them too", highlight=False)
    rows = ", ".join(f"{count} {table}" for table, count in record.rows_removed.items() if count)
    console.print(f"  rows: {rows}", highlight=False)
    proof = record.verification
    console.print(f"Looked again at {proof.at:%Y-%m-%d %H:%M:%S} UTC: nothing is left.", highlight=False)
