"""A project that its creator deletes: closed at once, and handed to the workflow that takes it apart, once."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from temporalio.client import Client

from stores import Pool
from tests.api.gateway import Gateway, serving
from tests.cinema.conftest import RestartableTemporal
from workflows.plugin import cinema_plugin
from workflows.retention_contract import DELETE_PROJECT, delete_project_id

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture
async def client(temporal_server: RestartableTemporal) -> Client:
    return await Client.connect(temporal_server.address, plugins=[cinema_plugin()])


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path, client: Client) -> AsyncIterator[Gateway]:
    async with serving(pool, tmp_path / "objects", client) as served:
        yield served


async def test_a_creator_deletes_their_project(gateway: Gateway, client: Client) -> None:
    async with gateway.client() as creator:
        project = (await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"]
        for _ in range(2):
            answer = await creator.delete(f"/projects/{project}")
            assert (answer.status_code, answer.json()["deleting"]) == (202, True)
        assert (await creator.get(f"/projects/{project}")).json()["deleting"]
        refused = await creator.post(f"/projects/{project}/jobs", json={})
        assert (refused.status_code, refused.json()["code"]) == (409, "invalid_transition")
    deletion = await client.get_workflow_handle(delete_project_id(UUID(project))).describe()
    assert deletion.workflow_type == DELETE_PROJECT
    by_owner = "select requested_by = 'creator ' || owner_id from public.deletions where project_id = $1"
    assert await gateway.pool.fetchval(by_owner, UUID(project))
