"""Projects, assets and analyses, and what happens to them when the database goes away."""

import asyncio
from uuid import uuid4

import pytest

from schemas.analysing import ArtifactRef
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import Asset, AssetStatus, Project
from schemas.media import AssetKind
from stores import Analyses, Assets, Jobs, Pool, Projects, open_pool
from tests.stores.samples import failure

pytestmark = pytest.mark.postgres


async def add(pool: Pool, project: Project, name: str, position: int) -> Asset:
    return await Assets(pool).add(
        owner_id=project.owner_id,
        project_id=project.id,
        name=name,
        kind=AssetKind.B_ROLL,
        object_key=f"{project.owner_id}/{project.id}/{position}",
        size_bytes=20 << 30,
        sha256="ab" * 32,
        position=position,
    )


async def test_a_project_is_read_as_it_was_created(pool: Pool, project: Project) -> None:
    await Projects(pool).ensure_profile(project.owner_id)
    assert await Projects(pool).get(project.id) == project


async def test_a_project_needs_a_known_creator(pool: Pool) -> None:
    with pytest.raises(CinemaError) as refused:
        await Projects(pool).create(uuid4(), "Nobody's")
    assert refused.value.code is ErrorCode.NOT_FOUND


async def test_any_name_is_only_a_name(pool: Pool, project: Project) -> None:
    for name in ("'; drop table projects; --", "a\0b", "\ud800", "картина 🎬", " " * 500):
        made = await Projects(pool).create(project.owner_id, name)
        assert (await Projects(pool).get(made.id)).name == name.replace("\0", "\ufffd").replace("\ud800", "\ufffd")


async def test_a_name_that_is_none_is_refused(pool: Pool, project: Project) -> None:
    for name in ("", "x" * 501):
        with pytest.raises(CinemaError):
            await Projects(pool).create(project.owner_id, name)


async def test_assets_come_in_the_creators_order(pool: Pool, project: Project) -> None:
    for position, name in ((2, "end.mp4"), (0, "start.mp4"), (1, "middle.mp4")):
        await add(pool, project, name, position)
    assets = await Assets(pool).for_project(project.id)
    assert [asset.name for asset in assets] == ["start.mp4", "middle.mp4", "end.mp4"]
    assert {asset.status for asset in assets} == {AssetStatus.READY}


async def test_an_asset_is_refused_with_a_reason_and_accepted_again(pool: Pool, project: Project) -> None:
    asset = await add(pool, project, "talk.mp4", 0)
    refused = await Assets(pool).refuse(asset.id, failure("The file ends in the middle."))
    assert (refused.status, refused.error) == (AssetStatus.REFUSED, failure("The file ends in the middle."))
    await Assets(pool).accept(asset.id)
    assert await Assets(pool).for_project(project.id) == (asset,)


async def test_an_asset_cannot_hang_in_another_creators_project(pool: Pool, project: Project) -> None:
    stranger = uuid4()
    await Projects(pool).ensure_profile(stranger)
    with pytest.raises(CinemaError) as refused:
        await add(pool, project.model_copy(update={"owner_id": stranger}), "mine.mp4", 0)
    assert refused.value.code is ErrorCode.NOT_FOUND


async def test_an_analysis_is_found_by_its_key_however_often_it_is_recorded(pool: Pool) -> None:
    analyses = Analyses(pool)
    artifact = ArtifactRef(analyzer="shots", key="c" * 64, object_key="shots/c.json")
    assert await analyses.find(artifact.key) is None
    for _ in range(2):
        await analyses.record(artifact, asset_sha256="d" * 64, analyzer_version="1")
    assert await analyses.find(artifact.key) == artifact


async def test_a_pool_for_poolers_prepares_nothing(dsn: str, project: Project) -> None:
    async with await open_pool(dsn, statement_cache_size=0) as pooled:
        assert await Projects(pooled).get(project.id) == project
        assert await pooled.fetchval("select count(*) from pg_prepared_statements") == 0


async def test_a_connection_cut_in_mid_use_is_a_passing_trouble(dsn: str, pool: Pool) -> None:
    async with await open_pool(dsn, min_size=1, max_size=1) as cut:
        await cut.fetchval("select 1")
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
        codes = []
        for _ in range(3):
            with pytest.raises(CinemaError) as failed:
                await Jobs(cut).get(uuid4())
            codes.append(failed.value.code)
        assert set(codes) <= {ErrorCode.STORE_UNAVAILABLE, ErrorCode.NOT_FOUND}
        assert codes[-1] is ErrorCode.NOT_FOUND


async def test_a_closed_pool_is_a_passing_trouble(dsn: str) -> None:
    pool = await open_pool(dsn)
    await pool.close()
    with pytest.raises(TransientError):
        await Projects(pool).get(uuid4())


async def test_whoever_makes_several_analyses_waits_for_each_and_never_in_a_circle(pool: Pool) -> None:
    analyses, at_once = Analyses(pool), []

    async def make(*keys: str) -> None:
        async with analyses.making(*keys):
            at_once.append(keys)
            await asyncio.sleep(0.05)
            assert at_once.pop() == keys

    async with asyncio.timeout(20):
        await asyncio.gather(make("ab", "cd", "ef"), make("ef", "ab"), make("cd", "ab"))


async def test_of_many_who_want_the_same_analysis_one_makes_it(pool: Pool) -> None:
    analyses = Analyses(pool)
    ref = ArtifactRef(analyzer="sound", key="ab" * 32, object_key="ab/ab.json")
    made: list[int] = []

    async def want(number: int) -> None:
        async with analyses.making(ref.key):
            if await analyses.find(ref.key) is None:
                made.append(number)
                await asyncio.sleep(0.05)
                await analyses.record(ref, asset_sha256="cd" * 32, analyzer_version="1")

    await asyncio.gather(*(want(number) for number in range(4)))
    assert len(made) == 1
