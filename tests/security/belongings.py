"""One creator with something of every kind that a route can name."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from schemas.edl import Variant
from schemas.jobs import JobRequest
from schemas.media import AssetKind
from stores import Assets, Jobs, Projects
from tests.api.gateway import Gateway

#: Tables that belong to nobody, which every creator may read.
SHARED_TABLES = frozenset({"plans"})


@dataclass(frozen=True)
class Belongings:
    """``ids`` by the path parameter that they are given as."""

    owner_id: UUID
    ids: dict[str, str]


async def belongings_of(gateway: Gateway) -> Belongings:
    owner_id = uuid4()
    await Projects(gateway.pool).ensure_profile(owner_id)
    project = await Projects(gateway.pool).create(owner_id, "Mine")
    asset = await Assets(gateway.pool).add(
        owner_id=owner_id,
        project_id=project.id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key="a/talk.mp4",
        size_bytes=7,
        sha256="0" * 64,
        position=0,
    )
    job = await Jobs(gateway.pool).create(owner_id, project.id, JobRequest(variants=(Variant.HOOK_CUT,)))
    async with gateway.client(owner_id) as mine:
        endpoint = await _made(mine, "/webhooks", {"url": "https://hooks.example.com/cinema"})
        endpoint_id = endpoint["endpoint"]["id"]
        delivery = await _made(mine, f"/webhooks/{endpoint_id}/test", None)
        token = await _made(mine, "/tokens", {"name": "Script", "scopes": ["projects:read"]})
    upload_id = await gateway.pool.fetchval(
        """
        insert into public.uploads (owner_id, project_id, name, position, length_bytes, expires_at)
        values ($1, $2, 'more.mp4', 1, 7, now() + interval '1 day') returning id
        """,
        owner_id,
        project.id,
    )
    share_id = await gateway.pool.fetchval(
        """
        insert into public.share_links (owner_id, output_id, token_sha256, expires_at)
        values ($1, $2, sha256('a link'), now() + interval '1 day') returning id
        """,
        owner_id,
        job.outputs[0].id,
    )
    return Belongings(
        owner_id,
        {
            "project_id": str(project.id),
            "asset_id": str(asset.id),
            "job_id": str(job.id),
            "output_id": str(job.outputs[0].id),
            "upload_id": str(upload_id),
            "share_id": str(share_id),
            "endpoint_id": endpoint_id,
            "delivery_id": delivery["id"],
            "format": "otio",
            "token_id": token["token"]["id"],
        },
    )


async def _made(client: httpx.AsyncClient, path: str, body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made


async def state_of(gateway: Gateway, owner_id: UUID) -> dict[str, str]:
    """A digest of every row of this creator's, by table. The log of who did what grows, as it should."""
    tables = await gateway.pool.fetch(
        """
        select table_name, column_name from information_schema.columns
        where table_schema = 'public' and column_name = 'owner_id' and table_name not in ('audit_log')
            and table_name in (select relname from pg_class where relkind = 'r')
        """
    )
    return {
        table["table_name"]: await gateway.pool.fetchval(
            f"""
            select coalesce(md5(string_agg(row::text, ',' order by row::text)), '')
            from public.{table["table_name"]} as row where owner_id = $1
            """,
            owner_id,
        )
        for table in tables
    }
