"""Finished outputs in the creator's folder, and what the command says of a job."""

import errno
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from cinema.directing.delivering import Delivery, deliver
from cinema.directing.display import JsonDisplay, outcome_lines
from cinema.directing.following import StageClock
from cinema.directing.report import DirectReport, report_of
from schemas.delivery import DeliveryReport, RenderMetrics
from schemas.edl import Variant
from schemas.errors import ErrorCode, ErrorInfo
from schemas.jobs import (
    ArtifactCounts,
    Asset,
    AssetStatus,
    Job,
    JobRequest,
    JobStatus,
    Output,
    OutputFiles,
    OutputStatus,
)
from schemas.media import AssetKind
from schemas.storyboard import Storyboard
from stores import Bucket, LocalObjects
from tests.activities.kept_things import GRID

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VIDEO = b"not really a video"
TOO_SHORT = ErrorInfo(code=ErrorCode.SOURCE_TOO_SHORT, message="There is too [little] of it.", retryable=False)


def report(*, reused: bool = False) -> DeliveryReport:
    metrics = RenderMetrics(
        duration_s=4.0,
        cuts_per_minute=0.0,
        mean_shot_s=4.0,
        b_roll_share=0.0,
        words_per_minute=120.0,
        removed_s=1.0,
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.5,
    )
    return DeliveryReport(engine="test", frames=100, samples=192_000, checks=(), metrics=metrics, reused=reused)


def output(variant: Variant, status: OutputStatus, *, sha256: str = hashlib.sha256(VIDEO).hexdigest()) -> Output:
    completed = status is OutputStatus.COMPLETED
    files = OutputFiles(
        render_key="cd" * 32,
        video_key="o.mp4",
        video_bytes=len(VIDEO),
        video_sha256=sha256,
        edl_key="o.edl.json",
        otio_key="o.otio",
        srt_key="o.srt",
        vtt_key="o.vtt",
        thumbnail_key="o.jpg",
        report=report(),
    )
    return Output(
        id=uuid4(),
        job_id=uuid4(),
        variant=variant,
        status=status,
        attempt=1,
        progress=1.0 if completed else 0.5,
        stage="",
        error=TOO_SHORT if status is OutputStatus.FAILED else None,
        files=files if completed else None,
        updated_at=NOW,
    )


def job(status: JobStatus, *outputs: Output) -> Job:
    return Job(
        id=uuid4(),
        owner_id=uuid4(),
        project_id=uuid4(),
        status=status,
        request=JobRequest(),
        artifacts=ArtifactCounts(computed=0, reused=12),
        outputs=outputs,
        created_at=NOW,
        updated_at=NOW,
    )


def refused_asset() -> Asset:
    return Asset(
        id=uuid4(),
        owner_id=uuid4(),
        project_id=uuid4(),
        name="notes.txt",
        kind=AssetKind.A_ROLL,
        status=AssetStatus.REFUSED,
        object_key="a",
        size_bytes=3,
        sha256="0" * 64,
        position=0,
        error=ErrorInfo(code=ErrorCode.MEDIA_UNREADABLE, message="This is a text file.", retryable=False),
        created_at=NOW,
    )


def reported(
    finished: Job, delivery: Delivery | None = None, *assets: Asset, before: ArtifactCounts | None = None
) -> DirectReport:
    delivered = delivery or Delivery({"mp4": Path("film.mp4")})
    deliveries = {made.id: delivered for made in finished.outputs if made.files is not None}
    return report_of(
        finished,
        before=before or ArtifactCounts(),
        title="Kitchen talk",
        assets=assets,
        deliveries=deliveries,
        stages={"analysing": 1.0},
        seconds=2.0,
        temporal_ui_url="http://127.0.0.1:8233/namespaces/default/workflows/job-1",
    )


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def objects(tmp_path: Path) -> LocalObjects:
    store = LocalObjects(tmp_path / "objects", base_url="http://x", signing_key=b"k" * 32)
    for extension in ("edl.json", "otio", "srt", "vtt"):
        await store.put(Bucket.OUTPUTS, f"o.{extension}", once(extension.encode()))
    await store.put(Bucket.OUTPUTS, "o.mp4", once(VIDEO))
    await store.put(Bucket.THUMBS, "o.jpg", once(b"jpg"))
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


async def test_every_file_arrives_and_its_name_says_what_it_is(objects: LocalObjects, folder: Path) -> None:
    delivery = await deliver(objects, output(Variant.HOOK_CUT, OutputStatus.COMPLETED), folder, "talk")
    assert delivery.error is None
    assert {path.name for path in folder.iterdir()} == {
        f"talk_hook_cut.{extension}" for extension in ("mp4", "jpg", "srt", "vtt", "edl.json", "otio")
    }
    assert delivery.files["mp4"].read_bytes() == VIDEO


async def test_several_of_one_variant_do_not_take_each_others_names(objects: LocalObjects, folder: Path) -> None:
    one = output(Variant.HOOK_CUT, OutputStatus.COMPLETED).model_copy(update={"count": 3})
    for number in (1, 2, 3):
        await deliver(objects, one.model_copy(update={"number": number}), folder, "talk")
    videos = sorted(path.name for path in folder.glob("*.mp4"))
    assert videos == ["talk_hook_cut_1.mp4", "talk_hook_cut_2.mp4", "talk_hook_cut_3.mp4"]


async def test_a_video_other_than_the_one_checked_is_not_delivered(objects: LocalObjects, folder: Path) -> None:
    made = output(Variant.HOOK_CUT, OutputStatus.COMPLETED, sha256="0" * 64)
    delivery = await deliver(objects, made, folder, "talk")
    assert delivery.error is not None
    assert delivery.error.code is ErrorCode.OBJECT_CORRUPT
    assert list(folder.iterdir()) == []


async def test_a_missing_file_is_named_and_leaves_nothing_half_done(objects: LocalObjects, folder: Path) -> None:
    await objects.delete(Bucket.THUMBS, "o.jpg")
    delivery = await deliver(objects, output(Variant.HOOK_CUT, OutputStatus.COMPLETED), folder, "talk")
    assert delivery.error is not None
    assert delivery.error.code is ErrorCode.OBJECT_MISSING
    assert [path.name for path in folder.iterdir()] == ["talk_hook_cut.mp4"]


async def test_a_disk_that_fills_up_amid_the_cues_leaves_no_half_of_them(
    objects: LocalObjects, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await objects.put(Bucket.THUMBS, "o.storyboard.jpg", once(b"storyboard"))
    made = output(Variant.HOOK_CUT, OutputStatus.COMPLETED)
    assert made.files is not None
    files = made.files.model_copy(update={"storyboard": Storyboard(image_key="o.storyboard.jpg", grid=GRID)})

    def write_half(path: Path, text: str, **_: str) -> None:
        path.write_bytes(text.encode()[: len(text) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_half)
    delivery = await deliver(objects, made.model_copy(update={"files": files}), folder, "talk")
    assert delivery.error is not None
    assert delivery.error.code is ErrorCode.DISK_FULL
    assert not [path.name for path in folder.iterdir() if path.name.endswith((".storyboard.vtt", ".part"))]


async def test_a_folder_that_went_away_is_an_error_with_its_reason(objects: LocalObjects, folder: Path) -> None:
    folder.rmdir()
    delivery = await deliver(objects, output(Variant.HOOK_CUT, OutputStatus.COMPLETED), folder, "talk")
    assert delivery.error is not None
    assert "No such file or directory" in delivery.error.message


DONE, FAILED = OutputStatus.COMPLETED, OutputStatus.FAILED


@pytest.mark.parametrize(
    ("status", "outputs", "expected"),
    [
        (JobStatus.COMPLETED, (DONE, DONE), 0),
        (JobStatus.PARTIAL, (DONE, FAILED), 3),
        (JobStatus.PARTIAL, (DONE, DONE), 3),  # a file could not be used
        (JobStatus.FAILED, (FAILED, FAILED), 1),
        (JobStatus.CANCELLED, (OutputStatus.CANCELLED,), 1),
    ],
)
def test_exit_status(status: JobStatus, outputs: tuple[OutputStatus, ...], expected: int) -> None:
    made = [output(variant, each) for variant, each in zip(Variant, outputs, strict=False)]
    assert reported(job(status, *made)).exit_status == expected


def test_an_output_that_could_not_be_written_does_not_count_as_made() -> None:
    finished = job(JobStatus.COMPLETED, output(Variant.HOOK_CUT, DONE))
    assert reported(finished, Delivery({}, TOO_SHORT)).exit_status == 1


def test_people_read_every_reason() -> None:
    finished = job(JobStatus.PARTIAL, output(Variant.HOOK_CUT, DONE), output(Variant.SHORT_HIGHLIGHT, FAILED))
    text = "\n".join(outcome_lines(reported(finished, None, refused_asset())))
    assert "notes.txt: This is a text file. (media_unreadable)" in text
    assert "short_highlight: There is too \\[little] of it. (source_too_short)" in text
    assert "hook_cut (4.0 s): film.mp4" in text
    assert "analyses: 0 computed, 12 reused" in text
    assert "http://127.0.0.1:8233/namespaces/default/workflows/job-1" in text


def test_a_retry_counts_what_it_made_itself() -> None:
    again = job(JobStatus.COMPLETED, output(Variant.HOOK_CUT, DONE))
    again = again.model_copy(update={"artifacts": ArtifactCounts(computed=11, reused=1)})
    assert reported(again).analyses == ArtifactCounts(computed=11, reused=1)
    assert reported(again, before=again.artifacts).analyses == ArtifactCounts(computed=0, reused=12)
    one_missing = reported(again, before=ArtifactCounts(computed=10, reused=2))
    assert "analyses: 1 computed, 11 reused" in "\n".join(outcome_lines(one_missing))


def test_people_read_that_a_video_was_there() -> None:
    made = output(Variant.HOOK_CUT, DONE)
    assert made.files is not None
    files = made.files.model_copy(update={"report": report(reused=True)})
    found = job(JobStatus.COMPLETED, made.model_copy(update={"files": files}))
    assert "hook_cut (4.0 s, the video was there): film.mp4" in "\n".join(outcome_lines(reported(found)))


def test_programs_read_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    told = reported(job(JobStatus.COMPLETED, output(Variant.HOOK_CUT, DONE)))
    display = JsonDisplay()
    display.say("Importing")
    display.finish(told)
    assert DirectReport.model_validate_json(capsys.readouterr().out) == told


def test_the_clock_counts_each_stage_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.0, 2.0, 5.0, 5.5, 6.0])
    monkeypatch.setattr("cinema.directing.following.time.monotonic", lambda: next(now))
    clock = StageClock()
    for status in (JobStatus.QUEUED, JobStatus.ANALYSING, JobStatus.ANALYSING, JobStatus.RENDERING, JobStatus.PARTIAL):
        clock.see(job(status))
    assert clock.seconds == {"queued": 2.0, "analysing": 3.5, "rendering": 0.5}
