"""A fresh migrated database for each test, and an object store in a folder."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from schemas.edl import Variant
from schemas.jobs import Job, JobRequest, Project
from stores import Bucket, Jobs, LocalObjects, ObjectStore, Pool, Projects, open_pool
from stores.object_cache import ObjectCache
from stores.retrying import Backoff
from stores.supabase_storage import SupabaseObjects, set_up_buckets
from tests.databases import fresh_database
from tests.stores.storage_server import KEY, StorageServer


@pytest.fixture
async def dsn(server_dsn: str, template: str) -> AsyncIterator[str]:
    """A migrated database that no other test sees."""
    async for address in fresh_database(server_dsn, template):
        yield address


@pytest.fixture
async def bare_dsn(server_dsn: str) -> AsyncIterator[str]:
    """A database with nothing of ours in it."""
    async for address in fresh_database(server_dsn, "template0"):
        yield address


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with await open_pool(dsn, min_size=1, max_size=20) as opened:
        yield opened


@pytest.fixture
async def owner_id(pool: Pool) -> UUID:
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    return owner


@pytest.fixture
async def project(pool: Pool, owner_id: UUID) -> Project:
    return await Projects(pool).create(owner_id, "Kitchen talk")


@pytest.fixture
async def job(pool: Pool, project: Project) -> Job:
    """A queued job with two outputs."""
    request = JobRequest(variants=(Variant.CINEMATIC_FULL, Variant.HOOK_CUT))
    return await Jobs(pool).create(project.owner_id, project.id, request)


@pytest.fixture
def local_objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", base_url="https://cinema.example", signing_key=b"k" * 32)


@pytest.fixture
def storage_server(tmp_path: Path) -> Iterator[StorageServer]:
    server = StorageServer(tmp_path / "storage-server")
    server.make_buckets(*Bucket)
    with server.running():
        yield server


@pytest.fixture
async def supabase_objects(storage_server: StorageServer, tmp_path: Path) -> AsyncIterator[SupabaseObjects]:
    cache = ObjectCache(tmp_path / "cache", limit_bytes=1 << 30)
    # Pauses too short to notice, so that what troubles the store does to us is seen in its requests alone.
    store = SupabaseObjects(storage_server.url, KEY, cache=cache, backoff=Backoff(first_s=0.001, longest_s=0.01))
    yield store
    await store.aclose()


@pytest.fixture
async def real_supabase_objects(tmp_path: Path) -> AsyncIterator[SupabaseObjects]:
    """A real project, which must be there for tests alone: whatever its buckets hold is removed."""
    url, key = os.environ["CINEMA_TEST_SUPABASE_URL"], os.environ["CINEMA_TEST_SUPABASE_KEY"]
    await set_up_buckets(url, key, file_size_limit=50 << 20)
    store = SupabaseObjects(url, key, cache=ObjectCache(tmp_path / "cache", limit_bytes=1 << 30))
    for bucket in Bucket:
        for item in [item async for item in store.list_sizes(bucket)]:
            await store.delete(bucket, item.key)
    yield store
    await store.aclose()


STORES = ["local_objects", "supabase_objects"]
if "CINEMA_TEST_SUPABASE_URL" in os.environ:
    STORES.append("real_supabase_objects")


@pytest.fixture(params=STORES)
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    """Every implementation in turn: a new one adds the name of its fixture here."""
    store: ObjectStore = request.getfixturevalue(request.param)
    return store
