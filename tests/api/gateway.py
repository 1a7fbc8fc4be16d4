"""The whole API on a real port, over a real Postgres and object store, and clients that are signed in to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client

from api import ApiContext, create_app
from api.authentication import KeyRing, LocalIssuer, TokenVerifier
from api.context import WebhookRules
from api.edge.rules import EdgeRules
from api.finishing import Finisher
from api.live import JobChanges
from cinema.connections import arrivals
from cinema.looking import Looking
from cinema.serve import KEEP_ALIVE_SECONDS
from cinema.settings import Settings
from cinema.stack.ports import listen, port_of
from schemas.webhooks import DeliveryPolicy
from stores import LocalObjects, ObjectStore, Pool
from stores.sealing import Seal, new_key
from workflows.plugin import cinema_plugin

NOWHERE = "127.0.0.1:9"


@dataclass(frozen=True)
class Gateway:
    """A running API and what lies behind it."""

    app: FastAPI
    url: str
    pool: Pool
    objects: LocalObjects
    issuer: LocalIssuer

    def client(self, owner_id: UUID | None = None) -> httpx.AsyncClient:
        """A client of the API, signed in as this creator, or else as a new one."""
        token = self.issuer.token(owner_id or uuid4())
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def stranger(self) -> httpx.AsyncClient:
        """A client that is not signed in."""
        return httpx.AsyncClient(base_url=self.url, timeout=60)


@asynccontextmanager
async def serving(
    pool: Pool,
    folder: Path,
    temporal: Client | None = None,
    edge: EdgeRules | None = None,
    store: ObjectStore | None = None,
) -> AsyncIterator[Gateway]:
    """The API over this database; Temporal is away unless a client of one is given, and nothing is limited.

    Objects lie in ``folder`` unless there is a ``store``.
    """
    listener = listen(0)
    url = f"http://127.0.0.1:{port_of(listener)}"
    issuer = LocalIssuer(LocalIssuer.new_key())
    objects = LocalObjects(folder, base_url=url, signing_key=b"k" * 32)
    context = ApiContext(
        database=pool,
        temporal=temporal or await Client.connect(NOWHERE, lazy=True, plugins=[cinema_plugin()]),
        objects=store or objects,
        verifier=TokenVerifier(KeyRing([issuer.verification_key]), issuer.rules),
        changes=JobChanges(pool),
        finisher=Finisher(pool, arrivals(store or objects), Looking(Settings())),
        address=url,
        edge=edge or EdgeRules(),
        webhooks=WebhookRules(Seal([new_key()]), DeliveryPolicy()),
    )
    app = create_app(context)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_keep_alive=KEEP_ALIVE_SECONDS))
    answering = asyncio.create_task(server.serve(sockets=[listener]))
    listening = asyncio.create_task(context.changes.run())
    try:
        yield Gateway(app, url, pool, objects, issuer)
    finally:
        context.changes.close()
        server.should_exit = True
        await answering
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
