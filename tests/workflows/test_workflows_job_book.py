"""A job's status and stage follow from how its outputs are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from activities.declarations import Artifact, AssetRef, LoadedJob, PlannedOutput
from schemas.analysing import ArtifactRef
from schemas.control import OutputState
from schemas.edl import Variant
from schemas.errors import ConflictError
from schemas.jobs import ApprovalPolicy, ArtifactCounts, JobRequest, JobStatus, OutputStatus
from schemas.media import AssetKind
from workflows.job_book import JobBook

pytestmark = pytest.mark.unit

HOOK, REEL = UUID(int=1), UUID(int=2)
SOON = datetime(2026, 1, 1, tzinfo=UTC)


def book(*, hook: OutputStatus = OutputStatus.QUEUED, counts: ArtifactCounts | None = None) -> JobBook:
    """A job with two outputs, as its rows say."""
    loaded = LoadedJob(
        job_id=uuid4(),
        owner_id=uuid4(),
        project_id=uuid4(),
        project_name="Kitchen talk",
        status=JobStatus.QUEUED,
        request=JobRequest(approval=ApprovalPolicy()),
        assets=(),
        outputs=(
            OutputState(output_id=HOOK, variant=Variant.HOOK_CUT, status=hook),
            OutputState(output_id=REEL, variant=Variant.VERTICAL_REEL, status=OutputStatus.RENDERING),
        ),
        artifacts=counts or ArtifactCounts(),
    )
    opened = JobBook(loaded.job_id)
    opened.load(loaded)
    return opened


def test_whatever_an_earlier_run_left_unfinished_begins_anew() -> None:
    assert [output.status for output in book().outputs] == [OutputStatus.QUEUED] * 2
    assert [output.output_id for output in book(hook=OutputStatus.COMPLETED).open] == [REEL]


def test_the_stage_is_where_the_furthest_output_is_and_waiting_only_when_all_wait() -> None:
    job = book()
    job.preparing = True
    assert job.stage is JobStatus.ANALYSING
    job.preparing = False
    assert job.stage is JobStatus.PLANNING
    job.planned(HOOK, PlannedOutput(edl_key="hook.json", duration_us=1))
    job.await_approval(HOOK, SOON)
    assert job.stage is JobStatus.PLANNING
    job.await_approval(REEL, SOON + timedelta(hours=1))
    assert (job.stage, job.approve_by) == (JobStatus.AWAITING_APPROVAL, SOON), "one deadline for all that wait"
    job.approve([job.output(HOOK).model_copy(update={"approved": True})])
    assert job.stage is JobStatus.RENDERING


def test_a_pause_hides_the_stage_from_the_row_and_not_from_the_query() -> None:
    job = book()
    job.paused_until = SOON
    state = job.state()
    assert (state.status, state.stage, state.paused) == (JobStatus.PAUSED, JobStatus.PLANNING, True)


def test_a_render_that_is_held_back_is_not_called_rendering() -> None:
    job = book(hook=OutputStatus.COMPLETED)
    job.render(REEL)
    job.hold(REEL)
    assert (job.output(REEL).status, job.stage) == (OutputStatus.PLANNED, JobStatus.RENDERING)


def test_a_retry_of_everything_leaves_out_what_has_expired() -> None:
    job = book()
    failed = {"status": OutputStatus.FAILED}
    job.see(
        [job.output(HOOK).model_copy(update=failed | {"expired": True}), job.output(REEL).model_copy(update=failed)]
    )
    assert job.to_retry(()) == (REEL,)


def test_reopening_touches_only_what_had_ended() -> None:
    job = book(hook=OutputStatus.FAILED)
    queued = [output.model_copy(update={"status": OutputStatus.QUEUED}) for output in job.outputs]
    job.render(REEL)
    job.reopen(queued, "order")
    assert job.output(HOOK).status is OutputStatus.QUEUED
    assert job.output(REEL).status is OutputStatus.RENDERING
    with pytest.raises(ConflictError, match="vertical_reel is rendering"):
        job.to_retry([REEL])


@pytest.mark.parametrize(
    ("earlier", "made_again", "total"),
    [
        pytest.param(ArtifactCounts(), True, ArtifactCounts(computed=1), id="first run"),
        pytest.param(ArtifactCounts(computed=1), False, ArtifactCounts(computed=1), id="found what the first run made"),
        pytest.param(ArtifactCounts(reused=1), False, ArtifactCounts(reused=1), id="found what another job made"),
        pytest.param(ArtifactCounts(computed=1), True, ArtifactCounts(computed=2), id="had to be made again"),
    ],
)
def test_an_analysis_counts_once_for_the_job(earlier: ArtifactCounts, made_again: bool, total: ArtifactCounts) -> None:
    job = book(counts=earlier)
    asset = AssetRef(asset_id=uuid4(), name="talk.mp4", kind=AssetKind.A_ROLL, object_key="k", sha256="ab" * 32)
    ref = ArtifactRef(analyzer="sound", key="ab" * 32, object_key="ab/ab.json")
    job.analysed(asset, Artifact(ref=ref, computed=made_again))
    job.analysed(asset, Artifact(ref=ref, computed=False))
    assert job.artifacts == total
