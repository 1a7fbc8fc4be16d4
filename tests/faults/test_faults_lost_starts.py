"""Whoever orders or starts a job dies between its commit and its start: it is started once all the same."""

import asyncio
import signal
import sys
from uuid import UUID

import httpx
import pytest

from schemas.edl import Variant
from schemas.jobs import Project
from stores import Jobs
from tests.conftest import REPOSITORY
from tests.faults.fault_plan import Kind, Point
from tests.faults.stack_under_fault import StackUnderFault
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


async def test_creator_killed_between_commit_and_start(stack: StackUnderFault) -> None:
    """The dispatcher is killed too, so that nothing in memory can know of the job."""
    dispatcher = stack.signal("dispatcher", signal.SIGSTOP)
    project = await stack.project()
    creator = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.creator",
        stack.dsn,
        str(project.owner_id),
        str(project.id),
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    said, _ = await creator.communicate()
    assert creator.returncode == -signal.SIGKILL
    job = await Jobs(stack.pool).get(UUID(said.decode().strip()))
    assert job.status == "queued"
    stack.signal("dispatcher", signal.SIGKILL)
    await stack.restarted("dispatcher", dispatcher)
    await judge(stack, job)


@pytest.mark.parametrize("moment", [Point.DISPATCHER_BEFORE_START, Point.DISPATCHER_AFTER_START])
async def test_dispatcher_killed_between_claim_and_mark(stack: StackUnderFault, moment: Point) -> None:
    """Its claim is a lease: when that ends, the next dispatcher takes the entry."""
    dispatcher = stack.pid("dispatcher")
    stack.faults.arm(moment, Kind.KILL)
    job = await stack.order(Variant.HOOK_CUT)
    await stack.restarted("dispatcher", dispatcher)
    await stack.lease_ends(job)
    await judge(stack, job)


async def test_api_killed_after_it_accepted_a_job(stack: StackUnderFault) -> None:
    """Its creator, left without an answer, sends the order again: it is still one job."""
    dispatcher, api = stack.signal("dispatcher", signal.SIGSTOP), stack.pid("api")
    project = await stack.project()
    async with stack.creator(project) as creator:
        first = await order_hook(creator, project)
        stack.signal("api", signal.SIGKILL)
        stack.signal("dispatcher", signal.SIGKILL)
        await stack.restarted("api", api)
        await stack.restarted("dispatcher", dispatcher)
        assert await order_hook(creator, project) == first
    await judge(stack, await Jobs(stack.pool).get(first))


async def order_hook(creator: httpx.AsyncClient, project: Project) -> UUID:
    answer = await creator.post(
        f"/projects/{project.id}/jobs", json={"variants": ["hook_cut"]}, headers={"Idempotency-Key": "the-hook"}
    )
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])
