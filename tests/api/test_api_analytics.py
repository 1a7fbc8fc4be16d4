"""Analytics as a creator reads them."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from schemas.cost import Outcome, Usage
from schemas.jobs import Job
from stores import Jobs, Ledger, Outputs, RenderWork
from tests.api.delivered_output import delivered_job
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres

#: When the tests began; it may be tomorrow by now.
TODAY = datetime.now(UTC).date()


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient) -> Job:
    """A job that ended with one video and one output called off."""
    made = await delivered_job(gateway, creator)
    ledger = Ledger(gateway.pool)
    entry = await ledger.begin_render(RenderWork(made.outputs[0].id, 1))
    await ledger.end(entry, Outcome.SUCCEEDED, Usage(wall_s=2.1, cpu_s=6), 4_200_000)
    await Outputs(gateway.pool).cancel(made.outputs[1].id)
    return await Jobs(gateway.pool).settle(made.id)


async def test_totals_of_everything_and_of_a_project(creator: httpx.AsyncClient, job: Job) -> None:
    idle = (await creator.post("/projects", json={"name": "Nothing yet"})).json()["id"]
    everything = await creator.get("/analytics", params={"granularity": "week"})
    assert everything.status_code == 200
    totals = everything.json()["totals"]
    assert totals["jobs"] == {"completed": 0, "partial": 1, "failed": 0, "cancelled": 0}
    assert totals["outputs"] == {"completed": 1, "failed": 0, "cancelled": 1}
    assert (totals["video_s"], totals["compute_s"]) == (4.2, 6)
    assert totals["metrics"]["words_per_minute"] == 150
    assert [of["variant"] for of in totals["variants"]] == ["hook_cut", "vertical_reel"]
    (week,) = everything.json()["periods"]
    assert datetime.fromisoformat(week["starts_on"]).weekday() == 0
    assert week["totals"] == totals
    same = (await creator.get("/analytics", params={"project": str(job.project_id)})).json()
    assert same["totals"] == totals
    assert (await creator.get(f"/projects/{job.project_id}/analytics")).json() == same
    nothing = (await creator.get(f"/projects/{idle}/analytics")).json()
    assert (nothing["periods"], nothing["totals"]["outputs"]["completed"]) == ([], 0)
    before = {"from": "2020-01-01", "to": "2020-12-31", "granularity": "month"}
    assert (await creator.get("/analytics", params=before)).json()["periods"] == []


async def test_a_job_is_told_output_by_output(creator: httpx.AsyncClient, job: Job) -> None:
    told = (await creator.get(f"/jobs/{job.id}/analytics")).json()
    assert (told["status"], told["video_s"], told["compute_s"]) == ("partial", 4.2, 6)
    made, called_off = told["outputs"]
    assert made["metrics"]["integrated_lufs"] == -14
    assert made["render_speed"] == pytest.approx(2)
    assert (called_off["status"], called_off["metrics"], called_off["render_speed"]) == ("cancelled", None, None)


async def test_analytics_of_others_do_not_exist(creator: httpx.AsyncClient, other: httpx.AsyncClient, job: Job) -> None:
    assert creator is not other
    for path in (
        f"/projects/{job.project_id}/analytics",
        f"/jobs/{job.id}/analytics",
        f"/analytics?project={job.project_id}",
    ):
        answer = await other.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await other.get("/analytics")).json()["totals"]["outputs"]["completed"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-02-30"}, "query.from"),
        ({"from": str(TODAY + timedelta(days=2))}, "from"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"from": "9999-12-31", "to": "9999-12-31", "granularity": "hour"}, "query.granularity"),
    ],
)
async def test_days_that_are_none_are_told_by_field(
    creator: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await creator.get("/analytics", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
