"""``cinema estimate``: an answer from the footage alone, before anything runs and while something does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import av
import numpy as np
import pytest

from cinema.directing.plain_time import about, plain_time
from schemas.analysing import AnalysisPass
from schemas.cost import Outcome, Usage
from schemas.estimate import Spread
from schemas.jobs import JobRequest
from stores import AnalysisWork, Jobs, Ledger, Pool, Projects

pytestmark = pytest.mark.postgres


def cinema(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cinema", "estimate", *arguments]
    variables = {**os.environ, "COLUMNS": "200", **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)


#: Of the clip, each second.
PIXELS = 64 * 64 * 25


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of grey."""
    path = tmp_path_factory.mktemp("clip") / "talk.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(np.full((96, 64), 128, np.uint8), format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def test_without_a_stack_the_estimate_goes_by_known_speeds(clip: Path, tmp_path: Path) -> None:
    environment = {"CINEMA_HOME": str(tmp_path / "home")}
    told = cinema(environment, f"{clip}:a_roll", "--outputs", "hook_cut")
    assert told.returncode == 0, told.stderr
    assert "talk.mp4: a_roll, 2 s" in told.stdout
    assert "Nothing has been made here yet" in told.stdout
    assert not (tmp_path / "home").exists(), "looking starts nothing"


async def test_what_was_measured_and_what_waits_is_counted(pool: Pool, postgres_dsn: str, clip: Path) -> None:
    owner = uuid4()
    await Projects(pool).ensure_profile(owner)
    project = await Projects(pool).create(owner, "Kitchen talk")
    job = await Jobs(pool).create(owner, project.id, JobRequest())
    for _ in range(5):
        entry = await Ledger(pool).begin_analysis(AnalysisWork(job.id, uuid4(), AnalysisPass.SEEING))
        await Ledger(pool).end(entry, Outcome.SUCCEEDED, Usage(wall_s=5000, cpu_s=4000), 2_000_000, pixel_rate=PIXELS)
    document = json.loads(
        cinema({"CINEMA_POSTGRES_DSN": postgres_dsn}, f"{clip}:a_roll", "--outputs", "hook_cut", "--json").stdout
    )
    estimate = document["estimate"]
    assert estimate["measured"] >= 5
    assert estimate["analysis_compute_s"]["typical"] > 3900
    assert estimate["waiting_s"]["typical"] > 0
    assert [output["variant"] for output in estimate["outputs"]] == ["hook_cut"]


def test_a_file_that_cannot_be_used_is_named_and_left_out(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "notes.txt"
    broken.write_text("no film")
    environment = {"CINEMA_HOME": str(tmp_path / "home")}
    some = cinema(environment, str(clip), str(broken))
    assert some.returncode == 3
    assert "not used notes.txt:" in some.stdout
    none = cinema(environment, str(broken), "--json")
    assert none.returncode == 1
    assert json.loads(none.stdout)["estimate"] is None
    assert cinema(environment, "missing.mp4").returncode == 2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (65, "1 min 5 s"),
        (1500, "25 min"),
        (3600, "1 h"),
        (7900, "2 h 11 min"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert plain_time(seconds) == said
    assert about(Spread.exactly(seconds)) == f"{said} ({said} to {said})"
