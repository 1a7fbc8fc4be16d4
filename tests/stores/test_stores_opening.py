"""Jobs that come whole with their workflow's input: written once, from what is there and theirs."""

import asyncio
from uuid import UUID, uuid4

import pytest

from schemas.edl import Variant
from schemas.errors import CinemaError
from schemas.invalid_input import InvalidInput
from schemas.jobs import Asset, JobRequest, JobStatus, OutputStatus, Project
from schemas.media import AssetKind
from schemas.opening import ExistingAsset, ExistingProject, NewAsset, NewJob, NewProject
from stores import Assets, Content, JobOpenings, Jobs, Pool, Projects

pytestmark = pytest.mark.postgres

TALK = Content(size_bytes=6, sha256="ab" * 32)
REQUEST = JobRequest(variants=(Variant.HOOK_CUT, Variant.VERTICAL_REEL, Variant.HOOK_CUT))


def new_job(owner_id: UUID, /, **changes: object) -> NewJob:
    asked = {
        "owner_id": owner_id,
        "project": NewProject(name="Kitchen\0talk"),
        "assets": (NewAsset(object_key="talk", name="talk.mp4", kind=AssetKind.A_ROLL),),
        "request": REQUEST,
    }
    return NewJob.model_validate(asked | changes)


async def opened(pool: Pool, job_id: UUID, new: NewJob) -> None:
    async with JobOpenings(pool).opening(job_id, new, {"talk": TALK}):
        pass


async def add_asset(pool: Pool, project: Project, name: str, position: int) -> Asset:
    return await Assets(pool).add(
        owner_id=project.owner_id,
        project_id=project.id,
        name=name,
        kind=AssetKind.B_ROLL,
        object_key=name,
        size_bytes=1,
        sha256="cd" * 32,
        position=position,
    )


async def counts(pool: Pool) -> list[int]:
    tables = ("profiles", "projects", "assets", "jobs", "job_outputs", "outbox")
    return [await pool.fetchval(f"select count(*) from {table}") for table in tables]


async def test_everything_a_job_consists_of_is_written(pool: Pool) -> None:
    job_id, owner_id = uuid4(), uuid4()
    await opened(pool, job_id, new_job(owner_id))
    job = await Jobs(pool).get(job_id)
    assert (job.owner_id, job.status, job.request) == (owner_id, JobStatus.QUEUED, REQUEST.expanded())
    assert [(output.variant, output.status) for output in job.outputs] == [
        (Variant.HOOK_CUT, OutputStatus.QUEUED),
        (Variant.VERTICAL_REEL, OutputStatus.QUEUED),
    ]
    assert (await Projects(pool).get(job.project_id)).name == "Kitchen\ufffdtalk"
    (asset,) = await Assets(pool).for_project(job.project_id)
    assert (asset.name, asset.size_bytes, asset.sha256, asset.position) == ("talk.mp4", 6, TALK.sha256, 0)
    assert not await Projects(pool).is_in_given_order(job.project_id)


async def test_there_is_nothing_for_a_dispatcher_to_start(pool: Pool) -> None:
    await opened(pool, uuid4(), new_job(uuid4()))
    assert await pool.fetchval("select count(*) from outbox where done_at is null") == 0


async def test_opened_again_and_again_at_once_a_job_is_written_once(pool: Pool) -> None:
    job_id, new = uuid4(), new_job(uuid4())
    await asyncio.gather(*(opened(pool, job_id, new) for _ in range(6)))
    assert await JobOpenings(pool).is_open(job_id, new)
    assert await counts(pool) == [1, 1, 1, 1, 2, 1]


async def test_a_job_stays_open_when_its_project_is_renamed(pool: Pool) -> None:
    job_id, new = uuid4(), new_job(uuid4())
    await opened(pool, job_id, new)
    await pool.execute("update projects set name = 'Other'")
    assert await JobOpenings(pool).is_open(job_id, new)


async def test_what_fails_inside_leaves_nothing(pool: Pool) -> None:
    with pytest.raises(RuntimeError):
        async with JobOpenings(pool).opening(uuid4(), new_job(uuid4()), {"talk": TALK}):
            raise RuntimeError
    assert await counts(pool) == [0] * 6


@pytest.mark.parametrize(
    "changes", [{"owner_id": uuid4()}, {"request": JobRequest()}, {"project": ExistingProject(id=uuid4())}]
)
async def test_another_job_cannot_take_a_jobs_id(pool: Pool, changes: dict[str, object]) -> None:
    job_id, owner_id = uuid4(), uuid4()
    await opened(pool, job_id, new_job(owner_id))
    before = await counts(pool)
    with pytest.raises(InvalidInput) as refused:
        await opened(pool, job_id, new_job(owner_id, **changes))
    assert [problem.field for problem in refused.value.problems] == ["job_id"]
    assert await counts(pool) == before


async def test_assets_come_after_those_that_are_there_in_their_order(pool: Pool, project: Project) -> None:
    here = await add_asset(pool, project, "here.mp4", 7)
    elsewhere = await add_asset(pool, await Projects(pool).create(project.owner_id, "Other"), "elsewhere.mp4", 3)
    wanted = (
        ExistingAsset(asset_id=elsewhere.id),
        ExistingAsset(asset_id=here.id),
        NewAsset(object_key="talk", name="talk.mp4", kind=AssetKind.A_ROLL),
    )
    job_id = uuid4()
    await opened(pool, job_id, new_job(project.owner_id, project=ExistingProject(id=project.id), assets=wanted))
    assets = await Assets(pool).for_project(project.id)
    assert [(asset.name, asset.position, asset.object_key) for asset in assets] == [
        ("here.mp4", 7, "here.mp4"),
        ("elsewhere.mp4", 8, "elsewhere.mp4"),
        ("talk.mp4", 9, "talk"),
    ]
    assert await Projects(pool).is_in_given_order(project.id)
    assert assets[1].id != elsewhere.id
    assert assets[1].sha256 == elsewhere.sha256


async def test_what_is_not_the_owners_is_not_there(pool: Pool, project: Project) -> None:
    stranger = uuid4()
    asset = await add_asset(pool, project, "secret.mp4", 0)
    for field, changes in (
        ("new_job.project.id", {"project": ExistingProject(id=project.id)}),
        ("new_job.project.id", {"project": ExistingProject(id=uuid4())}),
        ("new_job.assets.0.asset_id", {"assets": (ExistingAsset(asset_id=asset.id),)}),
    ):
        job_id, new = uuid4(), new_job(stranger, **changes)
        for attempt in (opened(pool, job_id, new), JobOpenings(pool).is_open(job_id, new)):
            with pytest.raises(InvalidInput) as refused:
                await attempt
            assert [problem.field for problem in refused.value.problems] == [field]
    assert await pool.fetchval("select count(*) from jobs") == 0


async def test_what_is_going_is_not_there(pool: Pool, project: Project) -> None:
    asset = await add_asset(pool, project, "old.mp4", 0)
    await pool.execute("update assets set expiring_since = now() where id = $1", asset.id)
    with pytest.raises(InvalidInput):
        await opened(pool, uuid4(), new_job(project.owner_id, assets=(ExistingAsset(asset_id=asset.id),)))
    await pool.execute("update projects set deleting_since = now() where id = $1", project.id)
    with pytest.raises(CinemaError):
        await opened(pool, uuid4(), new_job(project.owner_id, project=ExistingProject(id=project.id)))
