"""Any order of sweeps, kills, uploads and jobs: no live row ever names an object that is missing."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import ConflictError
from schemas.jobs import Project
from stores import Bucket, LocalObjects, Pool
from tests.activities.kept_things import KEPT_DAYS, POLICY, KeptThings, days, sha256
from tests.exploring import EXPLORED

pytestmark = pytest.mark.postgres

CONTENTS = (b"a talk", b"a city")


class Killed(Exception):
    """The process ends at this very point."""


class World:
    """Two projects of one creator and one of another, with the same footage, and a clock that only goes forward."""

    def __init__(self, kept: KeptThings, projects: tuple[Project, ...]) -> None:
        self.kept = kept
        self.projects = projects
        self.now: datetime = days(0)
        self.needed: dict[UUID, set[str]] = {}

    async def upload(self, which: int) -> None:
        await self.kept.asset(self.projects[which % 3], CONTENTS[which // 3])

    async def analyse(self, which: int) -> None:
        """As a job does that has the footage, which needs what it got for as long as it runs."""
        project = self.projects[which % 3]
        assets = await self.kept.assets.live_for_project(project.id)
        for content in {content for content in CONTENTS if sha256(content) in {asset.sha256 for asset in assets}}:
            made = await self.kept.analysis(content)
            self.needed.setdefault(project.id, set()).add(made.object_key)

    async def check(self) -> None:
        await self.kept.check()
        for project_id, keys in self.needed.items():
            running = "select true from jobs where project_id = $1 and status = 'queued'"
            if await self.kept.pool.fetchval(running, project_id):
                assert keys <= await self.kept.stored(Bucket.ANALYSIS), "an analysis that a job was given is missing"
            else:
                keys.clear()

    async def order(self, which: int) -> None:
        await self.kept.job(self.projects[which % 3])

    async def finish(self, _: int) -> None:
        for row in await self.kept.pool.fetch("select id from jobs where status = 'queued'"):
            with suppress(ConflictError):
                await self.kept.finish(await self.kept.jobs.get(row["id"]))

    async def call_off(self, _: int) -> None:
        for row in await self.kept.pool.fetch("select id from jobs where status = 'queued'"):
            await self.kept.jobs.cancel(row["id"])

    async def make_again(self, _: int) -> None:
        for row in await self.kept.pool.fetch("select id from jobs where status = 'cancelled'"):
            job = await self.kept.jobs.get(row["id"])
            with suppress(ConflictError):
                await self.kept.jobs.reopen(job.id, [output.id for output in job.outputs], str(self.now))

    async def wait(self, which: int) -> None:
        self.now += timedelta(days=KEPT_DAYS if which % 2 else 8)

    async def sweep(self, _: int) -> None:
        await self.kept.sweep(self.now)

    async def begin_sweep(self, _: int) -> None:
        """Killed after everything that is due was taken out of use."""
        await self.kept.retention.claim_outputs(POLICY, self.now)
        await self.kept.retention.claim_assets(POLICY, self.now)
        await self.kept.retention.claim_analyses(10)

    async def break_off(self, which: int) -> None:
        """Killed between the objects of one item and its row."""
        removals, remover = self.kept.removals, self.kept.remover
        with suppress(Killed):
            for asset_id in (await removals.unfinished_assets(None, 10))[which % 2 :]:
                async with removals.removing_asset(asset_id) as objects:
                    await remover.objects(objects or ())
                    raise Killed
        with suppress(Killed):
            for key in await removals.unfinished_analyses(None, 10):
                async with removals.removing_analysis(key) as objects:
                    await remover.objects(objects or ())
                    raise Killed
        with suppress(Killed):
            for output_id in await removals.unfinished_outputs(None, 10):
                async with removals.removing_output(output_id) as removal:
                    await remover.objects(removal.objects if removal is not None else ())
                    raise Killed


STEPS: tuple[Callable[[World, int], Awaitable[None]], ...] = (
    World.upload,
    World.analyse,
    World.order,
    World.finish,
    World.call_off,
    World.make_again,
    World.wait,
    World.sweep,
    World.begin_sweep,
    World.break_off,
)


#: Everything expires, its removal is killed in the middle, and the same footage comes back for a job.
COMING_BACK = [
    *((World.upload, 0), (World.analyse, 0), (World.wait, 1), (World.sweep, 0), (World.wait, 0)),
    *((World.begin_sweep, 0), (World.break_off, 0), (World.upload, 0), (World.order, 0), (World.analyse, 0)),
    *((World.break_off, 0), (World.sweep, 0)),
]
#: The same footage expires in one project while another one's job needs it.
IN_TWO_PROJECTS = [
    *((World.upload, 0), (World.wait, 1), (World.sweep, 0), (World.upload, 1), (World.order, 1)),
    *((World.analyse, 1), (World.wait, 0), (World.sweep, 0)),
]


@example(steps=COMING_BACK)
@example(steps=IN_TWO_PROJECTS)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), min_size=4, max_size=14))
@settings(max_examples=15 * EXPLORED, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_live_row_ever_names_a_missing_object(
    pool: Pool, local_objects: LocalObjects, steps: list[tuple[Callable[[World, int], Awaitable[None]], int]]
) -> None:
    await pool.execute("truncate profiles, analyses cascade")
    kept = KeptThings(pool, local_objects)
    owner, other = await kept.creator(), await kept.creator()
    world = World(kept, (await kept.project(owner), await kept.project(owner), await kept.project(other)))
    for step, which in steps:
        await step(world, which)
        await world.check()
    await world.call_off(0)
    world.now += timedelta(days=KEPT_DAYS * 10)
    for _ in range(2):
        await kept.sweep(world.now)
        world.now += POLICY.notice
    await kept.check()
    assert await pool.fetchval("select count(*) from assets where expired_at is null") == 0
    assert await pool.fetchval("select count(*) from job_outputs where expired_at is null") == 0
    assert await pool.fetchval("select count(*) from analyses") == 0
