"""Programs without our code start jobs through Temporal alone, and get what a creator gets."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, CancelledError

from cinema.dispatcher import Dispatcher
from schemas.edl import Variant
from schemas.jobs import ApprovalPolicy, JobRequest, Pace
from schemas.media import AssetKind
from stores import Assets, Bucket, Jobs, Pool, Projects
from tests.clients.conftest import Program, Server
from workflows.contract import APPROVE, DIRECT_JOB, JOB_STATE, JOBS_QUEUE, direct_job_id

pytestmark = pytest.mark.temporal

REQUEST = JobRequest(variants=(Variant.VERTICAL_REEL, Variant.HOOK_CUT), pace=Pace.FAST, approval=ApprovalPolicy())


async def ordered_here(server: Server, pool: Pool, owner_id: UUID, object_key: str) -> dict[str, Any]:
    """The same job the way the API orders it: rows and an outbox entry, from which the dispatcher starts it."""
    await Projects(pool).ensure_profile(owner_id)
    project = await Projects(pool).create(owner_id, "Kitchen talk")
    stored = await server.objects.stat(Bucket.ASSETS, object_key)
    assert stored is not None
    await Assets(pool).add(
        owner_id=owner_id,
        project_id=project.id,
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        object_key=object_key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        position=0,
    )
    job = await Jobs(pool).create(owner_id, project.id, REQUEST)
    await Dispatcher(pool, server.ours).dispatch_due()
    handle = server.plain.get_workflow_handle(direct_job_id(job.id))
    while (state := await handle.query(JOB_STATE))["status"] != "awaiting_approval":
        await asyncio.sleep(0.1)
    approved = await handle.execute_update(APPROVE, {})
    return {"state": state, "approved": approved, "result": await handle.result()}


def without_ids(value: Any) -> Any:
    """What two equal jobs have in common: everything but ids and times."""
    if isinstance(value, dict):
        return {key: without_ids(item) for key, item in value.items() if not _varies(key)}
    if isinstance(value, list):
        return [without_ids(item) for item in value if not _is_id(item)]
    return value


def _varies(key: str) -> bool:
    return key == "id" or key.endswith(("_id", "_at", "_by", "_since"))


def _is_id(value: Any) -> bool:
    try:
        UUID(value)
    except (TypeError, ValueError, AttributeError):
        return False
    return True


async def rows_of(pool: Pool, job_id: str) -> dict[str, Any]:
    """Every row that the job consists of, as JSON."""
    query = """
        select (select to_jsonb(j) from jobs j where j.id = job.id) as job,
            (select to_jsonb(p) from projects p where p.id = job.project_id) as project,
            (select to_jsonb(f) from profiles f where f.id = job.owner_id) as profile,
            (select to_jsonb(b) from outbox b where b.job_id = job.id) as outbox,
            (select jsonb_agg(to_jsonb(a) order by a.position) from assets a where a.project_id = job.project_id)
                as assets,
            (select jsonb_agg(to_jsonb(o) order by o.position) from job_outputs o where o.job_id = job.id) as outputs
        from jobs job where job.id = $1
    """
    return dict(await pool.fetchrow(query, UUID(job_id)))


async def test_a_job_started_through_temporal_alone_is_the_job_the_outbox_starts(
    program: Program, server: Server, pool: Pool
) -> None:
    owner_id = uuid4()
    object_key = await server.upload(owner_id)
    theirs = await program("direct", server.address, str(owner_id), object_key)
    ours = await ordered_here(server, pool, owner_id, object_key)
    assert without_ids(theirs) == without_ids(ours)
    assert theirs["result"]["status"] == "partial"

    job_id = theirs["result"]["job_id"]
    rows, expected = await rows_of(pool, job_id), await rows_of(pool, ours["result"]["job_id"])
    assert rows["outbox"]["done_at"] is not None, "no dispatcher may start it again"
    for of_dispatching in ("attempts", "traceparent"):
        del rows["outbox"][of_dispatching], expected["outbox"][of_dispatching]
    assert without_ids(rows) == without_ids(expected)
    assert {output["variant"]: output["status"] for output in rows["outputs"]} == {
        "vertical_reel": "completed",
        "hook_cut": "failed",
    }
    assert await found_by_operators(server, job_id) == await found_by_operators(server, ours["result"]["job_id"])


async def found_by_operators(server: Server, job_id: str) -> Any:
    described = await server.plain.get_workflow_handle(f"job-{job_id}").describe()
    attributes = {key.name: value for key, value in described.typed_search_attributes if key.name.startswith("Cinema")}
    project = attributes.pop("CinemaProject")
    assert UUID(project)
    return attributes, await described.memo(), await described.static_summary()


def asked(owner_id: UUID, object_key: str) -> dict[str, Any]:
    """A job that nothing is wrong with."""
    return {
        "contract_version": 1,
        "job_id": str(uuid4()),
        "new_job": {
            "owner_id": str(owner_id),
            "project": {"name": "Kitchen talk"},
            "assets": [{"object_key": object_key, "name": "talk.mp4", "kind": "a_roll"}],
            "request": {"variants": ["vertical_reel"]},
        },
    }


async def test_a_bad_input_is_refused_with_its_field(program: Program, server: Server, pool: Pool) -> None:
    owner_id, stranger_id = uuid4(), uuid4()
    object_key, strange_key = await server.upload(owner_id), await server.upload(stranger_id)
    await Projects(pool).ensure_profile(stranger_id)
    strange_project = await Projects(pool).create(stranger_id, "Secret")
    starts, fields = [], []

    def spoilt(field: str) -> dict[str, Any]:
        job = asked(owner_id, object_key)
        starts.append([f"job-{job['job_id']}", job])
        fields.append(field)
        return job

    spoilt("new_job.request.variants.0")["new_job"]["request"]["variants"] = ["holiday_film"]
    del spoilt("new_job.assets.0.kind")["new_job"]["assets"][0]["kind"]
    spoilt("contract_version")["contract_version"] = 2
    spoilt("new_job.colour")["new_job"]["colour"] = "blue"
    spoilt("new_job")["new_job"]["assets"] = []
    spoilt("new_job.project.id")["new_job"]["project"] = {"id": str(strange_project.id)}
    spoilt("new_job.assets.1.asset_id")["new_job"]["assets"].append({"asset_id": str(uuid4())})
    spoilt("new_job.assets.0.object_key")["new_job"]["assets"][0]["object_key"] = f"{owner_id}/nothing"
    spoilt("new_job.assets.0.object_key")["new_job"]["assets"][0]["object_key"] = strange_key
    spoilt("new_job.assets.0.object_key")["new_job"]["assets"][0]["object_key"] = f"{owner_id}/../{strange_key}"
    spoilt("job_id")["job_id"] = str(uuid4())

    refusals = await program("refused", server.address, json.dumps(starts))
    assert [[problem["field"] for problem in refusal["problems"]] for refusal in refusals] == [[one] for one in fields]
    for refusal, field in zip(refusals, fields, strict=True):
        assert (refusal["type"], refusal["non_retryable"]) == ("invalid_input", True)
        assert refusal["message"].startswith(f"{field}: ")
        assert refusal["info"] == {"code": "invalid_input", "message": refusal["message"], "retryable": False}
    assert await pool.fetchval("select count(*) from jobs") == 0
    assert await pool.fetchval("select count(*) from projects") == 1, "nothing of a refused job is written"


ALIEN = RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"\x01\x02"))
BROKEN = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{nope"))
NAMELESS = RawValue(Payload(metadata={"encoding": b"\xff\xfe"}, data=b"{}"))


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="nothing"),
        pytest.param([None], id="null"),
        pytest.param(["a job, please"], id="a string"),
        pytest.param([b"\x00\x01"], id="bytes"),
        pytest.param([[1, 2]], id="a list"),
        pytest.param([{"job_id": str(uuid4())}, "and more"], id="two arguments"),
        pytest.param([ALIEN], id="an encoding that nobody here reads"),
        pytest.param([BROKEN], id="broken JSON"),
        pytest.param([NAMELESS], id="an encoding without a name"),
    ],
)
async def test_nonsense_fails_the_workflow_instead_of_hanging(server: Server, arguments: list[Any]) -> None:
    handle = await server.plain.start_workflow(DIRECT_JOB, args=arguments, id=f"job-{uuid4()}", task_queue=JOBS_QUEUE)
    async with asyncio.timeout(120):
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    assert (caught.value.cause.type, caught.value.cause.non_retryable) == ("invalid_input", True)
    async with asyncio.timeout(120):
        assert (await handle.query(JOB_STATE))["outputs"] == []


async def test_a_job_that_nobody_ordered_is_not_found(server: Server) -> None:
    job_id = str(uuid4())
    with pytest.raises(WorkflowFailureError) as caught:
        await server.plain.execute_workflow(DIRECT_JOB, {"job_id": job_id}, id=f"job-{job_id}", task_queue=JOBS_QUEUE)
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == "not_found"


async def test_a_bad_update_is_rejected_with_its_field_and_the_job_goes_on(server: Server) -> None:
    owner_id = uuid4()
    job = asked(owner_id, await server.upload(owner_id))
    job["new_job"]["request"]["approval"] = {}
    handle = await server.plain.start_workflow(DIRECT_JOB, job, id=f"job-{job['job_id']}", task_queue=JOBS_QUEUE)
    while (await handle.query(JOB_STATE))["status"] != "awaiting_approval":
        await asyncio.sleep(0.1)
    for argument, field in (({"outputs": ["x"]}, "outputs.0"), ({"colour": 1}, "colour"), ([], "")):
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(APPROVE, argument)
        assert isinstance(caught.value.cause, ApplicationError)
        assert caught.value.cause.type == "invalid_input"
        assert caught.value.cause.details[1][0]["field"] == field
    await handle.execute_update(APPROVE, {})
    assert (await handle.result())["status"] == "completed"


async def test_starting_a_job_again_changes_nothing(server: Server, pool: Pool) -> None:
    owner_id = uuid4()
    job = asked(owner_id, await server.upload(owner_id))
    results, rows = [], []
    for _ in range(2):
        results.append(
            await server.plain.execute_workflow(DIRECT_JOB, job, id=f"job-{job['job_id']}", task_queue=JOBS_QUEUE)
        )
        rows.append(await rows_of(pool, job["job_id"]))
    assert results[0] == results[1]
    assert rows[0] == rows[1]
    assert await pool.fetchval("select count(*) from projects") == 1


async def test_a_job_called_off_while_it_is_opened_leaves_nothing(server: Server, pool: Pool) -> None:
    owner_id = uuid4()
    job = asked(owner_id, await server.upload(owner_id))
    async with pool.acquire() as elsewhere, elsewhere.transaction():
        await elsewhere.execute("lock table public.profiles in exclusive mode")
        handle = await server.plain.start_workflow(DIRECT_JOB, job, id=f"job-{job['job_id']}", task_queue=JOBS_QUEUE)
        await until_an_activity_has_begun(server, handle.id)
        await handle.cancel()
        async with asyncio.timeout(120):
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert await pool.fetchval("select count(*) from jobs") == 0
    assert await pool.fetchval("select count(*) from projects") == 0


async def until_an_activity_has_begun(server: Server, workflow_id: str) -> None:
    async with asyncio.timeout(120):
        while True:
            described = await server.plain.get_workflow_handle(workflow_id).describe()
            if any(found.HasField("last_started_time") for found in described.raw_description.pending_activities):
                return
            await asyncio.sleep(0.1)
