"""``cinema explain``, ``diff``, ``lint`` and ``export`` on edits that lie in files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cinema.cli import app
from director import export_otio
from schemas.jobs import Pace
from tests.director.test_director_grammar import edit

pytestmark = pytest.mark.unit


@pytest.fixture
def cinema(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command in this process, which it would else leave by its own way."""
    monkeypatch.setattr("cinema.editing_cli.leave", _leave)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def _leave(status: int) -> None:
    raise SystemExit(status)


@pytest.fixture
def natural(tmp_path: Path) -> Path:
    path = tmp_path / "Glass_cinematic_full.edl.json"
    path.write_text(edit().model_dump_json())
    return path


def test_an_edit_is_explained(cinema: Callable[..., Result], natural: Path) -> None:
    told = cinema("explain", natural)
    assert told.exit_code == 0
    assert told.output.startswith("Glass: cinematic full")


def test_two_edits_are_compared_and_the_exit_status_says_whether_they_differ(
    cinema: Callable[..., Result], natural: Path, tmp_path: Path
) -> None:
    fast = tmp_path / "fast.edl.json"
    fast.write_text(edit(Pace.FAST).model_dump_json())
    same, other = cinema("diff", natural, natural), cinema("diff", natural, fast, "--json")
    assert (same.exit_code, same.output) == (0, "")
    assert other.exit_code == 1
    assert json.loads(other.output)[0]["sentence"].startswith("lasts ")


def test_what_others_have_written_does_not_steer_the_terminal(
    cinema: Callable[..., Result], natural: Path, tmp_path: Path
) -> None:
    hostile = tmp_path / "hostile.edl.json"
    hostile.write_text(
        edit().model_copy(update={"title": "Gl\x1b[2J\x1b]0;mine\x07\u202eass\x9b31m"}).model_dump_json()
    )
    for told in (cinema("explain", hostile), cinema("diff", natural, hostile)):
        assert "ass" in told.output
        assert all(sign.isprintable() for sign in told.output.replace("\n", ""))


def test_a_timeline_gets_a_score_with_its_reasons(cinema: Callable[..., Result], natural: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.otio"
    theirs.write_text(export_otio(edit(), media_url=lambda source: source.name))
    assert "of 100" in cinema("lint", natural).output
    verdict = json.loads(cinema("lint", theirs, "--json").output)
    assert 0 <= verdict["score"] <= 100
    assert {finding["rule"] for finding in verdict["findings"]} <= set(verdict["costs"])


@pytest.mark.parametrize(("to", "ending"), [("fcpxml", "fcpxml"), ("premiere", "premiere.xml"), ("cmx3600", "edl")])
def test_an_edit_is_written_for_another_program(
    cinema: Callable[..., Result], natural: Path, to: str, ending: str
) -> None:
    assert cinema("export", natural, "--to", to).exit_code == 0
    assert "talk.mp4" in natural.with_name(f"Glass_cinematic_full.{ending}").read_text()


def test_media_can_be_named_by_its_folder(cinema: Callable[..., Result], natural: Path, tmp_path: Path) -> None:
    assert cinema("export", natural, "--to", "fcpxml", "--media", tmp_path / "my footage").exit_code == 0
    assert "my%20footage/talk.mp4" in natural.with_name("Glass_cinematic_full.fcpxml").read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("explain", "{folder}/none.edl.json"), "cannot be read"),
        (("lint", "{folder}/text.otio"), "is no OpenTimelineIO JSON"),
        (("diff", "{edit}", "{folder}/text.edl.json"), "is no edit"),
        (("export", "{edit}", "--to", "avid"), "avid is none of"),
        (("export", "{edit}", "--to", "otio", "-o", "{edit}"), "is the edit itself"),
    ],
)
def test_what_cannot_be_read_or_written_is_refused_with_the_reason(
    cinema: Callable[..., Result], natural: Path, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "text.otio").write_text("hello")
    (tmp_path / "text.edl.json").write_text("{}")
    done = cinema(*(argument.format(folder=tmp_path, edit=natural) for argument in arguments))
    assert done.exit_code == 2
    assert reason in " ".join(done.output.replace("│", " ").split())
