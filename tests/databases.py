"""A Postgres of our own for each process that runs tests, and databases in it that no other test sees."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from cinema.stack.child import Child
from cinema.stack.postgres import WHEEL, dsn, postgres_spec
from stores import bootstrap_embedded, migrate

TEMPLATE = "cinema_template"

#: Seconds.
LONGEST_START = 120.0


def in_database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
async def server_dsn() -> AsyncIterator[str]:
    """The address of database ``postgres`` on a server that ends with the session, even with one that is killed.

    ``CINEMA_TEST_POSTGRES`` names another server to try instead, by an address whose role may create databases.
    """
    if given := os.environ.get("CINEMA_TEST_POSTGRES"):
        yield given
        return
    if find_spec(WHEEL) is None:
        pytest.skip("the embedded Postgres is not installed")
    folder = Path(tempfile.mkdtemp(prefix="cinema-stores-"))
    server = Child(postgres_spec(folder / "data"), folder / "postgres.log", lambda: None)
    try:
        await server.start(LONGEST_START)
        administrator = await asyncpg.connect(dsn(folder / "data"))
        # Nothing here outlives the session, so nothing need survive a power cut: databases are made faster.
        await administrator.execute("alter system set fsync = off")
        await administrator.execute("select pg_reload_conf()")
        await administrator.close()
        yield dsn(folder / "data")
    finally:
        await server.stop()
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
    """The address of a copy of the template, which is gone when the iterator goes on."""
    name = f"test_{uuid4().hex}"
    administrator = await asyncpg.connect(server_dsn)
    try:
        await administrator.execute(f"create database {name} template {template} strategy file_copy")
        yield in_database(server_dsn, name)
        await administrator.execute(f"drop database {name} with (force)")
    finally:
        await administrator.close()
