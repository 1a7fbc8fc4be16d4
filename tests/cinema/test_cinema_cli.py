"""The command line: what it refuses before it does anything, and that it never waits to say so."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

pytestmark = pytest.mark.unit

HEAVY = ("temporalio", "asyncpg", "av", "cv2", "numpy", "fastapi", "faster_whisper")


def cinema(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cinema", *arguments]
    environment = {**os.environ, "CINEMA_HOME": str(home), "COLUMNS": "200"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("missing.mp4",), "There is no file missing.mp4"),
        (("{clip}", "missing.mp4:b_roll"), "There is no file missing.mp4"),
        (("{clip}", "--outputs", "hook_cut,trailer"), "trailer is no output"),
        (("{clip}", "--outputs", ","), "nothing is no output"),
        (("{clip}", "--only", "trailer"), "trailer"),
        (("{clip}", "--count", "hook_cut"), "'hook_cut' is no VARIANT=NUMBER"),
        (("{clip}", "--count", "hook_cut=99"), "less than or equal to 10"),
        (("{clip}", "--only", "hook_cut", "--count", "vertical_reel=2"), "vertical_reel is not made at all"),
        (("{clip}", "--preset", "social", "--only", "hook_cut"), "Name outputs or a preset, not both"),
        (("{clip}", "--pace", "hectic"), "hectic"),
        (("{clip}", "--language", "English"), "'English' is no language code"),
        (("{clip}", "-o", "{clip}"), "is no folder to write to"),
        ((), "Missing argument"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"x")
    done = cinema(tmp_path / "home", "direct", *(argument.format(clip=clip) for argument in arguments))
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("pause", "my job"), "should be a valid UUID"),
        (("retry", str(UUID(int=1)), "--outputs", "trailer"), "trailer is no output"),
        (("retry", str(UUID(int=1)), "--outputs", "hook_cut:second"), "hook_cut:second is no output"),
    ],
)
def test_steering_names_what_it_does_not_understand(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    done = cinema(tmp_path / "home", *arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "home").exists()


def test_a_job_is_not_steered_where_no_stack_runs(tmp_path: Path) -> None:
    paused = cinema(tmp_path, "pause", str(UUID(int=1)))
    assert paused.returncode == 1
    assert "No stack is running" in paused.stderr


def test_nothing_runs_in_an_empty_home(tmp_path: Path) -> None:
    status = cinema(tmp_path, "status")
    assert (status.returncode, status.stdout) == (3, f"No stack is running in {tmp_path}.\n")
    assert cinema(tmp_path, "status", "--json").stdout == "null\n"
    down = cinema(tmp_path, "down")
    assert (down.returncode, down.stdout) == (0, "No stack is running.\n")


def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMA_API_PORT", "many")
    done = cinema(tmp_path, "status")
    assert done.returncode == 2
    assert "CINEMA_API_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_finds_this_machine_well(tmp_path: Path) -> None:
    done = cinema(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    assert "embedded Postgres" in done.stdout


def test_the_doctor_says_what_is_missing() -> None:
    without = "import sys; sys.modules['av'] = None; "
    script = f"{without}from cinema.commands.doctor import doctor; sys.exit(doctor())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "not installed" in done.stdout


@pytest.mark.parametrize(
    "module", ["cinema.cli", "cinema.control_cli", "cinema.commands.stack", "cinema.directing.order", "cinema.tethered"]
)
def test_the_quick_commands_load_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
