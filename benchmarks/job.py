"""A whole job through the real stack, started fresh in a folder of its own: seconds per minute of talk by stage."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.footage import demo_footage, minutes_of
from benchmarks.frame import BenchmarkError, Figures
from cinema.settings import Settings
from demo import Footage

NAME = "job"

LIMIT_S = 1800
_COMPLAINT = 2000


def run() -> Figures:
    """Direct the demo footage twice: all outputs with nothing known, then one with every analysis remembered."""
    footage = demo_footage()
    minutes = minutes_of(footage.talk)
    with TemporaryDirectory(prefix="cinema-job-") as folder:
        home = Path(folder)
        began = perf_counter()
        _cinema(home, "up", "--detach")
        started_s = perf_counter() - began
        try:
            first = _direct(home, footage)
            again = _direct(home, footage, "--only", "hook_cut")
        finally:
            _cinema(home, "down")
    return {
        "job.source_minutes": minutes,
        "job.stack_start_s": started_s,
        **_figures("job", first, minutes),
        "job.again_s_per_min": _number(again, "seconds") / minutes,
        "job.again_analyses_computed": _number(again, "analyses", "computed"),
        "job.again_analyses_reused": _number(again, "analyses", "reused"),
    }


def _cinema(home: Path, *arguments: str | Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CINEMA_")}
    environment |= {"CINEMA_HOME": str(home), "CINEMA_MODELS": str(Settings().models)}
    command = [sys.executable, "-m", "cinema", *map(str, arguments)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"cinema {arguments[0]} took longer than {LIMIT_S} s.") from error
    if done.returncode != 0:
        complaint = (done.stderr + done.stdout)[-_COMPLAINT:]
        raise BenchmarkError(f"cinema {arguments[0]} ended with status {done.returncode}: {complaint}")
    return done.stdout


def _direct(home: Path, footage: Footage, *options: str) -> dict[str, Any]:
    files = (
        f"{footage.talk}:a_roll",
        f"{footage.city}:b_roll",
        f"{footage.screen}:screen",
        f"{footage.microphone}:audio",
    )
    said = _cinema(home, "direct", *files, "--json", "-o", home / "out", *options)
    try:
        report: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise BenchmarkError(f"cinema direct --json did not print one JSON document: {error}") from error
    return report


def _figures(prefix: str, report: dict[str, Any], minutes: float) -> Figures:
    figures = {
        f"{prefix}.total_s_per_min": _number(report, "seconds") / minutes,
        f"{prefix}.analyses_computed": _number(report, "analyses", "computed"),
        f"{prefix}.analyses_reused": _number(report, "analyses", "reused"),
    }
    for stage, seconds in _part(report, "stages").items():
        figures[f"{prefix}.{_name(stage)}_s_per_min"] = seconds / minutes
    for output in _part(report, "outputs"):
        metrics = _part(output, "report", "metrics")
        variant = _part(output, "variant")
        figures[f"{prefix}.{variant}.duration_s"] = _number(metrics, "duration_s")
        for stage in _part(metrics, "stages"):
            figures[f"{prefix}.{variant}.{_name(stage['stage'])}_s_per_min"] = stage["seconds"] / minutes
    return figures


def _part(document: Any, *path: str) -> Any:
    """What lies at a path of a JSON document.

    Raises:
        BenchmarkError: There is nothing.
    """
    for key in path:
        if not isinstance(document, dict) or document.get(key) is None:
            raise BenchmarkError(f"The report of cinema direct has no {'.'.join(path)}.")
        document = document[key]
    return document


def _number(document: Any, *path: str) -> float:
    return float(_part(document, *path))


def _name(stage: str) -> str:
    return stage.replace(" ", "_")
