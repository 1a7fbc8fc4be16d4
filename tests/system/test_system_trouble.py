"""The same job when something is wrong: a bad file, a killed worker, an impatient creator."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo import Footage
from tests.system.conftest import Stack
from tests.system.measurement import measure
from tests.working_files import has_bytes

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]


def until(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rendering(stack: Stack) -> bool:
    """Whether a render is well under way: its working folder has bytes in it."""
    return has_bytes(stack.scratch)


def test_a_corrupt_file_is_named_and_the_rest_is_made(stack: Stack, footage: Footage, tmp_path: Path) -> None:
    corrupt = tmp_path / "broken.mp4"
    corrupt.write_bytes(os.urandom(100_000))
    status, report = stack.direct(footage.talk, corrupt, "--outputs", "hook_cut", "-o", tmp_path / "out")
    assert status == 3
    assert report["status"] == "partial"
    assert report["outputs"][0]["status"] == "completed"
    refused = next(asset for asset in report["assets"] if asset["name"] == "broken.mp4")
    assert refused["status"] == "refused"
    assert refused["error"]["code"] == "media_unreadable"
    assert refused["error"]["message"].endswith(".")


def test_an_output_that_cannot_be_made_leaves_its_siblings_alone(
    stack: Stack, footage: Footage, tmp_path: Path
) -> None:
    """Screen and b-roll alone have no speech: no short and no hook, but a film of them all the same."""
    status, report = stack.direct(
        f"{footage.city}:b_roll", f"{footage.screen}:screen", "--outputs", "cinematic_full,hook_cut", "-o", tmp_path
    )
    outcome = {output["variant"]: output for output in report["outputs"]}
    assert (status, report["status"]) == (3, "partial")
    assert outcome["cinematic_full"]["status"] == "completed"
    assert outcome["hook_cut"]["error"]["retryable"] is False
    assert measure(tmp_path / f"{report['title']}_cinematic_full.mp4").frames > 0


def test_nothing_usable_is_a_failure_with_a_reason(stack: Stack, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    status, report = stack.direct(empty, "--outputs", "hook_cut", "-o", tmp_path / "out")
    assert (status, report["status"]) == (1, "failed")
    assert report["assets"][0]["error"]["code"] == "media_empty"


def test_a_killed_render_worker_costs_one_attempt_and_leaves_nothing(
    stack: Stack, footage: Footage, tmp_path: Path
) -> None:
    order = ("--outputs", "vertical_reel", "--title", "killed", "--json")
    worker = stack.pid_of("worker-render")
    with stack.started("direct", footage.talk, *order, "-o", tmp_path) as directing:
        until(lambda: rendering(stack), directing)
        os.kill(worker, signal.SIGKILL)
        out, err = directing.communicate(timeout=1500)
    assert directing.returncode == 0, out + err
    report = json.loads(out)
    assert report["outputs"][0]["attempt"] == 2
    assert measure(tmp_path / "killed_vertical_reel.mp4").uneven_frames == 0
    assert list(stack.scratch.iterdir()) == [], "the dead worker's folder was swept"
    videos = [path for path in stack.objects("outputs") if path.suffix == ".mp4" and report["job_id"] in path.parts]
    assert len(videos) == 1


def test_control_c_calls_the_job_off_and_leaves_nothing(stack: Stack, footage: Footage, tmp_path: Path) -> None:
    order = ("--outputs", "vertical_reel", "--pace", "relaxed", "--title", "off")
    with stack.started("direct", footage.talk, *order, "-o", tmp_path) as directing:
        until(lambda: rendering(stack), directing)
        directing.send_signal(signal.SIGINT)
        directing.communicate(timeout=200)
    assert directing.returncode == 130
    assert list(stack.scratch.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
