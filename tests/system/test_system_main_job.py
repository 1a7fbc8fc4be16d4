"""The main job as a creator runs it, its outputs measured from outside."""

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import opentimelineio as otio
import pytest
from PIL import Image

from demo import Footage
from schemas.edl import EDL, Variant
from schemas.jobs import JobStatus
from tests.system.conftest import Stack
from tests.system.measurement import Measured, measure, sha256
from tests.system.recutting import beginning_at

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

BT709 = (1, 1, 1)


@pytest.fixture(scope="module")
def job(stack: Stack, footage: Footage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All four outputs of the whole footage, kinds guessed where the file says enough."""
    out = tmp_path_factory.mktemp("out")
    status, report = stack.direct(
        footage.talk,
        f"{footage.city}:b_roll",
        f"{footage.screen}:screen",
        footage.microphone,
        "--title",
        "talk",
        "-o",
        out,
    )
    assert status == 0, report
    return report


def files_of(job: dict[str, Any], variant: Variant) -> dict[str, Path]:
    output = next(output for output in job["outputs"] if output["variant"] == variant)
    return {ending: Path(path) for ending, path in output["files"].items()}


def edl_of(job: dict[str, Any], variant: Variant) -> EDL:
    return EDL.model_validate_json(files_of(job, variant)["edl.json"].read_bytes())


@pytest.fixture(scope="module")
def measured(job: dict[str, Any]) -> dict[Variant, Measured]:
    return {variant: measure(files_of(job, variant)["mp4"]) for variant in Variant}


def test_every_output_is_there_and_named_after_its_variant(job: dict[str, Any]) -> None:
    assert job["status"] == "completed"
    for variant in Variant:
        files = files_of(job, variant)
        assert set(files) == {"mp4", "jpg", "srt", "vtt", "edl.json", "otio", "storyboard.jpg", "storyboard.vtt"}
        assert all(variant in path.name and path.stat().st_size for path in files.values())
    out = files_of(job, Variant.HOOK_CUT)["mp4"].parent
    assert not [path for path in out.iterdir() if path.name.startswith(".")], "no temporary file is left"


@pytest.mark.parametrize("variant", Variant)
def test_the_file_is_what_the_edit_says(
    job: dict[str, Any], measured: dict[Variant, Measured], variant: Variant
) -> None:
    edl, file = edl_of(job, variant), measured[variant]
    assert file.frames == edl.duration
    assert file.rate == edl.rate
    assert file.uneven_frames == 0
    assert (file.width, file.height) == (edl.canvas.width, edl.canvas.height)
    assert abs(file.sound_s - file.picture_s) < 1024 / 48_000
    assert (file.first_frame_s, file.first_sample_s) == (0, 0)


@pytest.mark.parametrize("variant", Variant)
def test_the_file_is_fit_for_delivery(measured: dict[Variant, Measured], variant: Variant) -> None:
    file = measured[variant]
    assert (file.pixel_format, file.tags, file.sample_rate) == ("yuv420p", BT709, 48_000)
    assert max(file.key_gaps) <= 2.001
    assert file.boxes.index("moov") < file.boxes.index("mdat")
    assert file.lufs == pytest.approx(-14, abs=1)
    assert file.true_peak_dbtp <= -1


@pytest.mark.parametrize("variant", Variant)
def test_the_report_proves_the_edit_as_well_as_the_file(job: dict[str, Any], variant: Variant) -> None:
    report = next(output["report"] for output in job["outputs"] if output["variant"] == variant)
    rows = {row["name"]: row for row in report["checks"]}
    assert all(row["passed"] for row in rows.values() if row["hard"])
    of_the_edit = {"A/V offset in the edit", "cuts inside a word", "longest silence in speech"}
    if variant is Variant.VERTICAL_REEL:
        of_the_edit.add("speaker's face in frame")
    assert of_the_edit <= set(rows)
    assert rows["cuts inside a word"]["measured"] == "0"


def test_lengths_and_shapes_are_those_of_the_variants(measured: dict[Variant, Measured]) -> None:
    assert 30 <= measured[Variant.SHORT_HIGHLIGHT].picture_s <= 60
    assert 3 <= measured[Variant.HOOK_CUT].picture_s <= 5
    assert measured[Variant.VERTICAL_REEL].picture_s <= 90
    assert measured[Variant.VERTICAL_REEL].width * 16 == measured[Variant.VERTICAL_REEL].height * 9
    assert measured[Variant.CINEMATIC_FULL].width * 9 == measured[Variant.CINEMATIC_FULL].height * 16


def test_no_cut_falls_into_a_word_that_was_really_said(job: dict[str, Any], footage: Footage) -> None:
    """Against the synthesiser's own word times, which the director never sees."""
    said = json.loads(footage.talk_words.read_text())["words"]
    edl = edl_of(job, Variant.CINEMATIC_FULL)
    talk = next(source for source in edl.sources if source.name == footage.talk.name)
    assert talk.video is not None
    cuts = [
        float(pts * talk.video.time_base - talk.origin)
        for clip in edl.video
        if clip.source == talk.id
        for pts in (clip.source_in, clip.source_out)
    ]
    inside = [
        (cut, word["text"]) for cut in cuts for word in said if word["start_s"] + 0.02 < cut < word["end_s"] - 0.02
    ]
    assert inside == []


def test_the_abandoned_take_is_gone_and_the_good_one_stays(job: dict[str, Any]) -> None:
    captions = " ".join(line for caption in edl_of(job, Variant.CINEMATIC_FULL).captions for line in caption.lines)
    assert len(re.findall("raise the lens", captions.lower())) == 1
    assert "eyes" in captions


def test_captions_come_as_files_and_the_thumbnail_is_a_picture(job: dict[str, Any]) -> None:
    files = files_of(job, Variant.VERTICAL_REEL)
    assert re.match(r"1\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n\S", files["srt"].read_text())
    assert files["vtt"].read_text().startswith("WEBVTT")
    with Image.open(files["jpg"]) as picture:
        picture.load()
        assert picture.height > picture.width


@pytest.mark.parametrize("variant", Variant)
def test_other_editors_open_the_same_edit(job: dict[str, Any], variant: Variant) -> None:
    timeline = otio.adapters.read_from_file(str(files_of(job, variant)["otio"]), adapter_name="otio_json")
    assert timeline.duration().value == edl_of(job, variant).duration


def test_the_same_job_again_analyses_and_renders_nothing(
    job: dict[str, Any], stack: Stack, footage: Footage, tmp_path: Path
) -> None:
    status, again = stack.direct(
        footage.talk,
        f"{footage.city}:b_roll",
        f"{footage.screen}:screen",
        footage.microphone,
        "--outputs",
        "hook_cut",
        "--title",
        "talk",
        "-o",
        tmp_path,
    )
    assert status == 0
    assert job["analyses"]["computed"] > 0
    assert again["analyses"] == {"computed": 0, "reused": sum(job["analyses"].values())}
    before, after = files_of(job, Variant.HOOK_CUT), files_of(again, Variant.HOOK_CUT)
    assert after["edl.json"].read_bytes() == before["edl.json"].read_bytes(), "the same facts give the same edit"
    assert sha256(after["mp4"]) == sha256(before["mp4"])
    reports = [next(o["report"] for o in run["outputs"] if o["variant"] == "hook_cut") for run in (job, again)]
    assert reports[1] == {**reports[0], "reused": True}, "a second render would have taken other times"


def test_an_edit_changed_by_hand_is_rendered_as_it_is(
    job: dict[str, Any], stack: Stack, footage: Footage, tmp_path: Path
) -> None:
    """A hook that begins a word later, and says something else; then the same again from files."""
    hook = next(output for output in job["outputs"] if output["variant"] == Variant.HOOK_CUT)
    edl = edl_of(job, Variant.HOOK_CUT)
    later = beginning_at(edl, round(edl.rate * first_word_s(edl, footage)))
    captions = (later.captions[0].model_copy(update={"lines": ("Changed by hand.",)}), *later.captions[1:])
    mine = EDL.model_validate({**dict(later), "captions": captions})
    with stack.signed_in() as api:
        judged = api.put(f"/outputs/{hook['id']}/edl", json=json.loads(mine.model_dump_json())).json()
        assert judged["renderable_if_accepted"], judged
        order = {"edl": json.loads(mine.model_dump_json())}
        answer = api.post(f"/outputs/{hook['id']}/revisions", json=order, params={"accept_findings": True})
        assert answer.status_code == 201, answer.text
        revision = settled(api, answer.json()["id"])
        assert revision["status"] == "completed", revision
        assert revision["analyses"] == {"computed": 0, "reused": sum(job["analyses"].values())}
        files = api.get(f"/outputs/{revision['outputs'][0]['id']}/files").json()
        video, edit = tmp_path / "revised.mp4", tmp_path / "revised.edl.json"
        for name, path in (("video", video), ("edl", edit)):
            path.write_bytes(api.get(files[name]["url"]).content)
        assert "Changed by hand." in api.get(files["srt"]["url"]).text
    rendered = measure(video)
    assert (rendered.frames, rendered.uneven_frames) == (mine.duration, 0)
    assert mine.duration < edl.duration
    adopted = EDL.model_validate_json(edit.read_bytes())
    assert adopted.model_copy(update={"decisions": edl.decisions}) == mine
    assert adopted.decisions[-1].kind == "edited_by_hand"
    names = {row["name"]: row for row in revision["outputs"][0]["report"]["checks"]}
    assert names["A/V offset in the edit"]["passed"]

    files_of_it = (footage.talk, footage.city, footage.screen, footage.microphone)
    done = stack.run("render", edit, *files_of_it, "--accept-findings", "--json", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["analyses"]["computed"] == 0
    assert sha256(Path(again["outputs"][0]["files"]["mp4"])) == sha256(video)
    lacking = stack.run("render", edit, footage.city, "-o", tmp_path / "out")
    assert lacking.returncode == 2
    assert footage.talk.name in lacking.stderr


def first_word_s(edl: EDL, footage: Footage) -> float:
    """How long the edit takes to get past its first word, in seconds, by the synthesiser's own word times."""
    first = edl.video[0]
    source = next(source for source in edl.sources if source.id == first.source)
    assert source.name == footage.talk.name
    assert source.video is not None
    begins = float(first.source_in * source.video.time_base - source.origin)
    said = json.loads(footage.talk_words.read_text())["words"]
    return next(float(word["end_s"]) - begins for word in said if word["end_s"] > begins + 0.1)


def settled(api: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""
    deadline = time.monotonic() + 1500
    while True:
        job: dict[str, Any] = api.get(f"/jobs/{job_id}").json()
        if JobStatus(job["status"]).settled:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.2)


def test_what_was_delivered_is_what_the_store_holds(job: dict[str, Any], stack: Stack) -> None:
    stored = {sha256(path) for path in stack.objects("outputs") if path.suffix == ".mp4"}
    assert {sha256(files_of(job, variant)["mp4"]) for variant in Variant} <= stored
