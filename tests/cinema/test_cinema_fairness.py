"""Nobody's work waits for all of somebody else's: creators take turns, and plans decide who goes first."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from temporalio.client import Client

from benchmarks.jobs_fairness import Demand, last_position, order_of_service
from schemas.service import Service
from tests.cinema.conftest import RestartableTemporal
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    server = RestartableTemporal(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield await Client.connect(server.address, plugins=[cinema_plugin()])
    await server.stop()


def demand(tasks: int, *, priority: int = 3, weight: float = 1) -> Demand:
    return Demand(owner_id=uuid4(), tasks=tasks, service=Service(priority=priority, weight=weight))


async def test_ten_tasks_behind_sixty_of_another_take_turns_with_them(client: Client) -> None:
    many, few = demand(60), demand(10)
    served = await order_of_service(client, [many, few])
    assert len(served) == 70
    assert last_position(served, few) <= 30, "strictly alternating it would be about 20, in order of arrival 70"


async def test_a_plan_of_higher_priority_is_served_first(client: Client) -> None:
    standard, preferred = demand(30), demand(10, priority=1)
    served = await order_of_service(client, [standard, preferred])
    assert last_position(served, preferred) <= 15


async def test_a_plan_of_higher_weight_gets_more_turns(client: Client) -> None:
    light, heavy = demand(30), demand(30, weight=3)
    served = await order_of_service(client, [light, heavy])
    share = served[:30].count(heavy.owner_id) / 30
    assert share > 0.6, "three turns of four"
