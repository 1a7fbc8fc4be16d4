"""The real API on a real port, over a real object store; Postgres and Temporal are away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
import uvicorn
from temporalio.client import Client

from api import ApiContext, create_app
from api.authentication import KeyRing, LocalIssuer, TokenVerifier
from api.context import LocalSignIn
from api.finishing import Finisher
from api.live import JobChanges
from cinema.looking import Looking
from cinema.settings import Settings
from cinema.stack.ports import listen, port_of
from stores import LocalObjects, Pool
from stores.local_arrivals import LocalArrivals
from tests.api.gateway import Gateway, serving
from tests.stores.conftest import (
    dsn,
    owner_id,
    pool,
    project,
    real_supabase_objects,
    storage_server,
    supabase_objects,
)

__all__ = [
    "dsn",
    "owner_id",
    "pool",
    "project",
    "real_supabase_objects",
    "storage_server",
    "supabase_objects",
]

NOWHERE = "127.0.0.1:9"

#: The creator that this installation's local sign-in signs in.
OWNER = UUID("7b2f6f0e-4f5a-4a57-9a3e-0d6a5b1c2d3e")


@pytest.fixture(scope="session")
def issuer() -> LocalIssuer:
    return LocalIssuer(LocalIssuer.new_key())


@pytest.fixture
async def served(tmp_path: Path, issuer: LocalIssuer) -> AsyncIterator[tuple[LocalObjects, httpx.AsyncClient]]:
    """The object store behind the API, and a client of it."""
    listener = listen(0)
    base_url = f"http://127.0.0.1:{port_of(listener)}"
    objects = LocalObjects(tmp_path / "objects", base_url=base_url, signing_key=b"k" * 32)
    nothing = asyncpg.create_pool(f"postgresql://nobody@{NOWHERE}/none", min_size=0)
    context = ApiContext(
        database=nothing,
        temporal=await Client.connect(NOWHERE, lazy=True),
        objects=objects,
        verifier=TokenVerifier(KeyRing([issuer.verification_key]), issuer.rules),
        changes=JobChanges(nothing),
        finisher=Finisher(nothing, LocalArrivals(objects), Looking(Settings())),
        sign_in=LocalSignIn(issuer, OWNER),
    )
    server = uvicorn.Server(uvicorn.Config(create_app(context), log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:
        yield objects, client
    server.should_exit = True
    await serving


@pytest.fixture
def objects(served: tuple[LocalObjects, httpx.AsyncClient]) -> LocalObjects:
    return served[0]


@pytest.fixture
def client(served: tuple[LocalObjects, httpx.AsyncClient]) -> httpx.AsyncClient:
    return served[1]


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path) -> AsyncIterator[Gateway]:
    """The API over a database of this test's own; Temporal is away."""
    async with serving(pool, tmp_path / "objects") as served:
        yield served


@pytest.fixture
async def creator(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client signed in as a new creator."""
    async with gateway.client() as client:
        yield client


@pytest.fixture
async def other(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client signed in as another creator."""
    async with gateway.client() as client:
        yield client
