"""The ceiling: a FastAPI route that asks Postgres one thing through asyncpg, with nothing of ours around it.

Run as ``python -m benchmarks.api_bare DSN``; prints the port it listens on.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI, Request

from cinema.stack.ports import listen, port_of


async def serve(dsn: str) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, max_size=10) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/jobs/{job_id}")
    async def read(job_id: UUID, request: Request) -> dict[str, Any]:
        row = await request.app.state.pool.fetchrow("select * from public.jobs where id = $1", job_id)
        return dict(row)

    listener = listen(0)
    print(port_of(listener), flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
