"""Jobs whose workflow runs before they have rows: checked against what is there, and written whole or not at all."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from schemas.invalid_input import FieldProblem, InvalidInput
from schemas.jobs import JobRequest
from schemas.media import AssetKind
from schemas.opening import ExistingAsset, ExistingProject, NewAsset, NewJob
from stores.database import Connection, Connections, session, storable, transaction
from stores.job_rows import JobOrder, insert_job


@dataclass(frozen=True)
class Content:
    """What an object in bucket ``assets`` was found to hold."""

    size_bytes: int
    sha256: str


class JobOpenings:
    """Everything one job consists of: rows of ``profiles``, ``projects``, ``assets``, ``jobs`` and ``job_outputs``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def is_open(self, job_id: UUID, new: NewJob) -> bool:
        """Whether this very job has been written already.

        Raises:
            InvalidInput: another job has its id; or it is new, and what it refers to is not there for this owner.
        """
        async with session(self._connections) as connection:
            if await _is_written(connection, job_id, new):
                return True
            await _check_project(connection, new)
            await _existing_assets(connection, new)
            return False

    @asynccontextmanager
    async def opening(self, job_id: UUID, new: NewJob, contents: Mapping[str, Content]) -> AsyncIterator[None]:
        """Write the job's rows; they take effect when the block ends without an error. Twice changes nothing.

        What the assets refer to cannot be removed by retention inside the block, nor afterwards while the job runs.

        Args:
            job_id: the job's id, chosen by its client.
            new: the job.
            contents: what the objects of its new assets hold, by object key.

        Raises:
            InvalidInput: as for :meth:`is_open`.
        """
        async with transaction(self._connections) as connection:
            await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"open job {job_id}")
            if not await _is_written(connection, job_id, new):
                await _write(connection, job_id, new, contents)
            yield


async def _is_written(connection: Connection, job_id: UUID, new: NewJob) -> bool:
    row = await connection.fetchrow("select owner_id, project_id, request from public.jobs where id = $1", job_id)
    if row is None:
        return False
    same_project = not isinstance(new.project, ExistingProject) or row["project_id"] == new.project.id
    same_request = JobRequest.model_validate(row["request"]).expanded() == new.request.expanded()
    if not (row["owner_id"] == new.owner_id and same_project and same_request):
        raise InvalidInput.of("job_id", "another job has this id")
    return True


async def _write(connection: Connection, job_id: UUID, new: NewJob, contents: Mapping[str, Content]) -> None:
    await connection.execute("insert into public.profiles (id) values ($1) on conflict do nothing", new.owner_id)
    project_id = await _project(connection, new)
    await _add_assets(connection, project_id, new, contents)
    if len(new.assets) > 1:
        await connection.execute("update public.projects set in_given_order = true where id = $1", project_id)
    await insert_job(connection, JobOrder(job_id, new.owner_id, project_id, new.request, started=True))


async def _project(connection: Connection, new: NewJob) -> UUID:
    match new.project:
        case ExistingProject(id=project_id):
            await _check_project(connection, new)
            return project_id
        case _:
            created: UUID = await connection.fetchval(
                "insert into public.projects (owner_id, name) values ($1, $2) returning id",
                new.owner_id,
                storable(new.project.name),
            )
            return created


async def _check_project(connection: Connection, new: NewJob) -> None:
    """That it is there for this owner; the lock keeps positions apart when two jobs add to it at once."""
    if not isinstance(new.project, ExistingProject):
        return
    found = await connection.fetchval(
        """
        select true from public.projects where id = $1 and owner_id = $2 and deleting_since is null for no key update
        """,
        new.project.id,
        new.owner_id,
    )
    if not found:
        raise InvalidInput.of("new_job.project.id", "this owner has no such project")


async def _existing_assets(connection: Connection, new: NewJob) -> dict[UUID, asyncpg.Record]:
    """The assets that are referred to, by id, kept from expiring until the transaction ends."""
    wanted = [asset.asset_id for asset in new.assets if isinstance(asset, ExistingAsset)]
    rows = await connection.fetch(
        """
        select id, project_id, name, kind, object_key, size_bytes, sha256, tags, description from public.assets
        where id = any($1::uuid[]) and owner_id = $2 and expiring_since is null for share
        """,
        wanted,
        new.owner_id,
    )
    found = {row["id"]: row for row in rows}
    missing = [
        FieldProblem(field=f"new_job.assets.{at}.asset_id", problem="this owner has no such asset")
        for at, asset in enumerate(new.assets)
        if isinstance(asset, ExistingAsset) and asset.asset_id not in found
    ]
    if missing:
        raise InvalidInput(missing)
    return found


async def _add_assets(connection: Connection, project_id: UUID, new: NewJob, contents: Mapping[str, Content]) -> None:
    existing = await _existing_assets(connection, new)
    position = await connection.fetchval(
        "select coalesce(max(position) + 1, 0) from public.assets where project_id = $1", project_id
    )
    await connection.executemany(
        """
        insert into public.assets
            (owner_id, project_id, position, name, kind, object_key, size_bytes, sha256, tags, description)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        [
            (new.owner_id, project_id, at, *values)
            for at, values in enumerate(_added(project_id, new, existing, contents), start=position)
        ],
    )


def _added(
    project_id: UUID, new: NewJob, existing: Mapping[UUID, asyncpg.Record], contents: Mapping[str, Content]
) -> Iterable[tuple[str, AssetKind, str, int, str, Sequence[str], str]]:
    """Each asset that the project does not have yet, in order: the columns from its name on."""
    for asset in new.assets:
        match asset:
            case NewAsset(object_key=key):
                yield storable(asset.name), asset.kind, key, contents[key].size_bytes, contents[key].sha256, (), ""
            case ExistingAsset(asset_id=asset_id):
                row = existing[asset_id]
                if row["project_id"] != project_id:
                    yield (
                        row["name"],
                        row["kind"],
                        row["object_key"],
                        row["size_bytes"],
                        row["sha256"],
                        row["tags"],
                        row["description"],
                    )
