"""A Temporal is made ready once, and asking again changes nothing."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client

from cinema.stack.temporal import dynamic_config_values
from cinema.temporal_setup import set_up_temporal
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


def test_the_shipped_dynamic_configuration_makes_owners_take_turns() -> None:
    values = dynamic_config_values()
    assert "matching.enableFairness=true" in values
    assert "matching.numTaskqueueReadPartitions=1" in values
    assert "matching.numTaskqueueWritePartitions=1" in values
