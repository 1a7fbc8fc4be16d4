"""``cinema render``: what it refuses before it does anything."""

import hashlib
from pathlib import Path

import pytest

from director import PlanOptions, plan
from schemas.edl import Variant
from tests.cinema.test_cinema_cli import cinema
from tests.director.test_director_review import talk_of_two_lines

pytestmark = pytest.mark.unit

TALK = b"the bytes of a talk"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An edit of ``talk.mp4``, that file, and some others."""
    footage = talk_of_two_lines().model_copy(update={"sha256": hashlib.sha256(TALK).hexdigest()})
    edl = plan([footage], Variant.VERTICAL_REEL, PlanOptions())
    (tmp_path / "edit.json").write_text(edl.model_dump_json())
    (tmp_path / "gap.json").write_text(edl.model_dump_json().replace('"start":0,', '"start":1,', 1))
    (tmp_path / "renamed.mp4").write_bytes(TALK)
    (tmp_path / "other.mp4").write_bytes(b"something else")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("missing.json", "renamed.mp4"), "missing.json cannot be read"),
        (("other.mp4", "renamed.mp4"), "is no edit: Invalid JSON"),
        (("gap.json", "renamed.mp4"), "is no edit: clip"),
        (("edit.json", "other.mp4"), "None of the files is the edit's talk.mp4"),
        (("edit.json", "missing.mp4"), "There is no file"),
        (("edit.json", "renamed.mp4", "-o", "other.mp4"), "is no folder to write to"),
        (("edit.json",), "Missing argument"),
    ],
)
def test_what_cannot_be_rendered_is_refused_at_once(folder: Path, arguments: tuple[str, ...], reason: str) -> None:
    paths = [name if name.startswith("-") else str(folder / name) for name in arguments]
    done = cinema(folder / "home", "render", *paths)
    assert done.returncode == 2
    assert reason in " ".join(done.stderr.replace("│", " ").split())
    assert not (folder / "home").exists()
