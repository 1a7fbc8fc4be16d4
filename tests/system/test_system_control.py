"""A job steered from outside while it runs and after it has closed, on the whole stack."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from demo.small import make_small_talk
from tests.cinema.cinema_processes import command_line, descendants
from tests.system.conftest import Stack
from tests.system.measurement import measure, sha256

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

MADE = ("hook_cut", "vertical_reel")
ORDERED = ("--outputs", ",".join(MADE))


def line_of(process: subprocess.Popen[str], pattern: str) -> str:
    """What the first line that matches says in its first group."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.fullmatch(pattern, line.strip()):
            return found[1]
    raise AssertionError(process.communicate())


def renders_of(worker: int) -> list[int]:
    """The processes that render for a worker."""
    return [pid for pid in descendants(worker) if b"activities.render_child" in command_line(pid)]


def hang_render(worker: int) -> int:
    """Stop the process that renders, as a codec that hangs would be."""
    deadline = time.monotonic() + 400
    while not (found := renders_of(worker)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(found[0], signal.SIGSTOP)
    return found[0]


def only_rendered(api: httpx.Client, job_id: str) -> str:
    """The one output that is being rendered, once nothing else of the job is."""
    deadline = time.monotonic() + 400
    while True:
        outputs = api.get(f"/jobs/{job_id}").raise_for_status().json()["outputs"]
        rendered: list[str] = [output["variant"] for output in outputs if output["status"] == "rendering"]
        if len(rendered) == 1:
            return rendered[0]
        assert time.monotonic() < deadline, outputs
        time.sleep(0.05)


def test_one_output_is_called_off_and_made_again_after_the_job_has_closed(stack: Stack, tmp_path: Path) -> None:
    talk, out = tmp_path / "talk.mp4", tmp_path / "out"
    make_small_talk(talk)
    worker = stack.pid_of("worker-render")
    with stack.signed_in() as api, stack.started("direct", f"{talk}:a_roll", *ORDERED, "-o", out) as directing:
        job_id = line_of(directing, r"Job (\S+)")
        render = hang_render(worker)
        called_off = only_rendered(api, job_id)
        kept = next(variant for variant in MADE if variant != called_off)
        line_of(directing, f"({called_off}) rendering")

        cancelled = stack.run("cancel", job_id, "--outputs", called_off)
        assert cancelled.returncode == 0, cancelled.stderr
        assert not Path(f"/proc/{render}").exists(), "it is answered when the render has ended"
        assert f"{called_off} cancelled" in cancelled.stdout
        directing.communicate(timeout=1500)
    assert directing.returncode == 3, "the other output was made"
    assert [path.name for path in out.glob("*.mp4")] == [f"talk_{kept}.mp4"]
    assert list(stack.scratch.iterdir()) == []
    untouched = sha256(out / f"talk_{kept}.mp4")

    refused = stack.run("retry", job_id, "--outputs", kept, "-o", out)
    assert refused.returncode == 1
    assert f"{kept} is completed" in refused.stderr

    retried = stack.run("retry", job_id, "-o", out, "--json")
    assert retried.returncode == 0, retried.stderr
    report = json.loads(retried.stdout)
    outputs = {output["variant"]: output for output in report["outputs"]}
    assert report["status"] == "completed"
    assert report["analyses"]["computed"] == 0, "it tells of this retry"
    assert outputs[kept]["attempt"] == 1, "what had succeeded was not made again"
    assert sha256(out / f"talk_{kept}.mp4") == untouched
    assert measure(out / f"talk_{called_off}.mp4").frames > 0


def test_nothing_is_rendered_before_its_plan_is_approved(stack: Stack, tmp_path: Path) -> None:
    talk, out = tmp_path / "talk.mp4", tmp_path / "out"
    make_small_talk(talk)
    with stack.started("direct", f"{talk}:a_roll", *ORDERED, "--approve", "-o", out) as directing:
        assert "From " in line_of(directing, r"Likely finished in .+\. ((?:From|Nothing) .+)"), (
            "what was made here before says how long"
        )
        job_id = line_of(directing, r"Job (\S+)")
        line_of(directing, r"job (awaiting_approval)")
        time.sleep(1)
        assert list(stack.scratch.iterdir()) == []
        approved = stack.run("approve", job_id, "--outputs", "hook_cut")
        assert approved.stdout.strip() == "Approved: hook_cut."
        directing.communicate(timeout=1500)
    assert directing.returncode == 3
    assert [path.name for path in out.glob("*.mp4")] == ["talk_hook_cut.mp4"]
