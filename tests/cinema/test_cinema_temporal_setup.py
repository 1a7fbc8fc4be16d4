"""A Temporal is made ready once, and asking again changes nothing."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cinema.stack.errors import StackError
from cinema.stack.temporal import dynamic_config_values
from cinema.temporal_setup import missing_search_attributes, require_search_attributes, set_up_temporal
from tests.cinema.conftest import RestartableTemporal
from workflows.contract import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.temporal

RETENTION = timedelta(days=30)
NAMES = {key.name for key in SEARCH_ATTRIBUTES}


async def test_a_new_namespace_gets_all_it_needs_once(temporal_server: RestartableTemporal) -> None:
    namespace = f"cinema-{uuid4()}"
    done = await set_up_temporal(temporal_server.address, namespace, RETENTION)
    assert done.namespace_made
    assert set(done.attributes_added) == NAMES
    again = await set_up_temporal(temporal_server.address, namespace, RETENTION)
    assert (again.namespace_made, again.retention_changed, again.attributes_added) == (False, False, ())
    client = await Client.connect(temporal_server.address, namespace=namespace)
    assert await client.count_workflows(f"{SEARCH_ATTRIBUTES[0].name} = 'nobody'")


async def test_two_who_set_up_the_same_do_not_disturb_each_other(temporal_server: RestartableTemporal) -> None:
    namespace = f"cinema-{uuid4()}"
    both = await asyncio.gather(*(set_up_temporal(temporal_server.address, namespace, RETENTION) for _ in range(2)))
    assert any(set(done.attributes_added) == NAMES for done in both)


async def test_retention_follows_the_setting(temporal_server: RestartableTemporal) -> None:
    namespace = f"cinema-{uuid4()}"
    await set_up_temporal(temporal_server.address, namespace, RETENTION)
    longer = await set_up_temporal(temporal_server.address, namespace, RETENTION * 3)
    assert longer.retention_changed
    assert not (await set_up_temporal(temporal_server.address, namespace, RETENTION * 3)).retention_changed


async def test_a_worker_adds_the_search_attributes_that_are_missing(temporal_server: RestartableTemporal) -> None:
    client = await bare_namespace(temporal_server)
    await require_search_attributes(client)
    assert await missing_search_attributes(client) == ()
    await require_search_attributes(client)


async def test_a_worker_says_which_command_mends_what_it_may_not(
    temporal_server: RestartableTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await bare_namespace(temporal_server)

    async def forbidden(_: AddSearchAttributesRequest) -> None:
        raise RPCError("Request unauthorized.", RPCStatusCode.PERMISSION_DENIED, b"")

    monkeypatch.setattr(client.operator_service, "add_search_attributes", forbidden)
    with pytest.raises(StackError, match=rf"{client.namespace} lacks .*CinemaOwner.*cinema setup temporal.*unauthor"):
        await require_search_attributes(client)


async def test_a_worker_says_that_its_namespace_is_missing(temporal_server: RestartableTemporal) -> None:
    client = await Client.connect(temporal_server.address, namespace="never-made")
    with pytest.raises(StackError, match=r"no Temporal namespace never-made\. .*cinema setup temporal"):
        await require_search_attributes(client)


async def bare_namespace(server: RestartableTemporal) -> Client:
    """A namespace as other programs make one, once the server knows it everywhere."""
    client = await Client.connect(server.address, namespace=f"bare-{uuid4()}")
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=client.namespace, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    async with asyncio.timeout(60):
        while True:
            try:
                await missing_search_attributes(client)
            except RPCError:
                await asyncio.sleep(0.2)
            else:
                return client


def test_the_shipped_dynamic_configuration_makes_owners_take_turns() -> None:
    values = dynamic_config_values()
    assert "matching.enableFairness=true" in values
    assert "matching.numTaskqueueReadPartitions=1" in values
    assert "matching.numTaskqueueWritePartitions=1" in values
