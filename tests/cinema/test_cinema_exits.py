"""A process that cannot do its work says why in a sentence, and ends with a status that a supervisor can tell apart."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

NOWHERE = "127.0.0.1:1"
WORKER = ("cinema.worker", "--queue", "cinema-render")


def ended(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A process of ours that has ended, started with these settings and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CINEMA_")}
    given = {f"CINEMA_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={**environment, "CINEMA_HOME": str(folder), **given},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "settings", "code", "words"),
    [
        pytest.param(WORKER, {}, "stack_unavailable", "CINEMA_TEMPORAL_ADDRESS", id="no address"),
        pytest.param(WORKER, {"temporal_address": NOWHERE}, "stack_unavailable", NOWHERE, id="Temporal away"),
        pytest.param(
            ("cinema.dispatcher",),
            {"temporal_address": NOWHERE, "postgres_dsn": f"postgresql://nobody@{NOWHERE}/none"},
            "store_unavailable",
            "database",
            id="Postgres away",
        ),
    ],
)
def test_what_is_away_is_one_line_of_the_log(
    tmp_path: Path, command: tuple[str, ...], settings: dict[str, str], code: str, words: str
) -> None:
    done = ended(tmp_path, *command, **settings)
    assert done.returncode == 1
    told = json.loads(done.stderr.splitlines()[-1])
    assert (told["level"], told["code"]) == ("error", code)
    assert words in told["error"]
    assert "exception" not in told


@pytest.mark.parametrize(
    ("command", "settings", "words"),
    [
        (WORKER, {"render_slots": "0"}, "CINEMA_RENDER_SLOTS"),
        (("cinema.codec_server",), {}, "CINEMA_PAYLOAD_KEYS"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    tmp_path: Path, command: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    done = ended(tmp_path, *command, **settings)
    assert done.returncode == 2
    assert done.stderr.startswith("cinema: ")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_defect_leaves_its_traceback() -> None:
    program = "from cinema.exits import leaving\nwith leaving():\n    1 / 0"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout + done.stderr
