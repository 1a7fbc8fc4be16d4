"""Files that arrive piece by piece: whose they are, who writes to them, and what they become."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg
import pytest

from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.jobs import Project
from schemas.media import AssetKind
from schemas.uploads import NewFile, Upload, UploadStatus
from stores import ActingAs, Assets, Bucket, LocalObjects, Pool
from stores.asset_listing import AssetListing
from stores.checksums import Version
from stores.partial_files import PartialFileBusy
from stores.uploads import Uploads

HOUR = timedelta(hours=1)
ONE = UUID("7b2f6f0e-4f5a-4a57-9a3e-0d6a5b1c2d3e")
HASH = sha256(b"footage").hexdigest()


@pytest.fixture
async def upload(pool: Pool, project: Project) -> Upload:
    file = NewFile(name="talk.mp4", length_bytes=7)
    return await Uploads(pool).begin(project.owner_id, project.id, file, expires_in=HOUR)


@pytest.mark.postgres
async def test_a_creator_sees_their_own_uploads_and_writes_none(pool: Pool, upload: Upload) -> None:
    mine, strange = ActingAs(pool, upload.owner_id), ActingAs(pool, uuid4())
    assert await Uploads(mine).get(upload.id) == upload
    assert (await AssetListing(mine).get(upload.id)).received_bytes == 0
    for reading in (Uploads(strange).get(upload.id), AssetListing(strange).get(upload.id)):
        with pytest.raises(CinemaError) as missing:
            await reading
        assert missing.value.code is ErrorCode.NOT_FOUND
    for statement in ("update uploads set status = 'ready'", "delete from uploads"):
        for creator in (mine, strange):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with creator.acquire() as connection:
                    await connection.execute(statement)


@pytest.mark.postgres
async def test_uploads_begun_at_once_stay_within_the_plan_together(pool: Pool, project: Project) -> None:
    await pool.execute("update plans set max_total_bytes = 100")
    file = NewFile(name="talk.mp4", length_bytes=60)
    uploads = Uploads(pool)
    async with pool.acquire() as connection, connection.transaction():
        # Both wait for the profile, so that neither has seen the other when it is asked whether there is room.
        await connection.execute("select from profiles where id = $1 for no key update", project.owner_id)
        beginning = [
            asyncio.create_task(uploads.begin(project.owner_id, project.id, file, expires_in=HOUR)) for _ in range(2)
        ]
        while await connection.fetchval("select count(*) from pg_locks where not granted") < len(beginning):
            await asyncio.sleep(0.01)
    begun = await asyncio.gather(*beginning, return_exceptions=True)
    refused = [one for one in begun if isinstance(one, CinemaError)]
    assert [one.code for one in refused] == [ErrorCode.MEDIA_TOO_LARGE]
    assert await pool.fetchval("select sum(length_bytes) from uploads") == 60


@pytest.mark.postgres
async def test_an_upload_becomes_one_asset_with_its_id(pool: Pool, upload: Upload) -> None:
    uploads = Uploads(pool)
    whole = await uploads.note_received(upload.id, 7, expires_in=HOUR)
    assert whole.status is UploadStatus.VERIFYING
    made = []
    for _ in range(2):
        async with uploads.completing(whole, AssetKind.B_ROLL, HASH, f"{upload.owner_id}/{HASH}") as completes:
            made.append(completes)
            if completes:
                assert await incoming(pool) == [f"{upload.owner_id}/{HASH}"], "while it is no asset, it is announced"
        if completes:
            assert await incoming(pool) == []
    assert made == [True, False]
    (asset,) = await Assets(pool).live_for_project(upload.project_id)
    assert (asset.id, asset.kind, asset.size_bytes, asset.sha256) == (upload.id, AssetKind.B_ROLL, 7, HASH)
    assert not await uploads.remove(upload.id)


@pytest.mark.postgres
async def test_an_asset_whose_bytes_could_not_be_stored_is_none(pool: Pool, upload: Upload) -> None:
    whole = await Uploads(pool).note_received(upload.id, 7, expires_in=HOUR)
    with pytest.raises(TransientError):
        async with Uploads(pool).completing(whole, AssetKind.B_ROLL, HASH, "key"):
            raise TransientError(ErrorCode.DISK_FULL, "The disk is full.")
    assert (await Uploads(pool).get(upload.id)).status is UploadStatus.VERIFYING
    assert await Assets(pool).for_project(upload.project_id) == ()
    assert await incoming(pool) == ["key"], "what may lie there is found"


async def incoming(pool: Pool) -> list[str]:
    return [row["object_key"] for row in await pool.fetch("select object_key from incoming_objects")]


@pytest.mark.unit
def test_a_partial_file_has_one_writer(local_objects: LocalObjects) -> None:
    first = local_objects.uploads.open(ONE)
    first.append(b"foot")
    with pytest.raises(PartialFileBusy):
        local_objects.uploads.open(ONE)
    first.close()
    second = local_objects.uploads.open(ONE)
    assert second.size_bytes == 4
    second.append(b"age and more")
    second.cut(7)
    assert second.sha256() == HASH
    second.cut(0)
    second.append(b"footage")
    assert second.sha256() == HASH
    second.remove()
    second.close()
    assert list(local_objects.uploads.ids()) == []
    assert local_objects.uploads.size(ONE) == 0


@pytest.mark.unit
async def test_an_adopted_file_is_an_object_that_outlives_its_first_name(local_objects: LocalObjects) -> None:
    file = local_objects.uploads.open(ONE)
    file.append(b"footage")
    file.seal()
    for _ in range(2):
        stored = await local_objects.adopt(Bucket.ASSETS, "a/b", file.path, Version(size_bytes=7, sha256=HASH))
    file.remove()
    file.close()
    assert (stored.size_bytes, stored.sha256) == (7, HASH)
    assert b"".join([chunk async for chunk in local_objects.get(Bucket.ASSETS, "a/b")]) == b"footage"
    assert await local_objects.sweep_temporary() == 0
