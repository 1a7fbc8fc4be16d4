"""``cinema setup image-text``, against a hub on this machine that has a model small enough for it."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from analysis import find_image_text, image_text
from analysis.image_text import DECLARATION, FOLDER
from analysis.models import PinnedFile
from cinema.commands.doctor import Finding, Verdict, examine
from cinema.commands.setup_image_text import setup_image_text
from cinema.settings import load_settings
from schemas.errors import CinemaError, ErrorCode
from tests.analysis.image_text_models import install

pytestmark = pytest.mark.unit


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has there)
        """Says nothing."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that it serves; what it has there now is what is pinned."""
    folder = tmp_path / "hub"
    model = install(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder / FOLDER))) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        files = tuple(PinnedFile(one.name, one.sha256, f"{address}/{one.name}") for one in model.files)
        monkeypatch.setattr(image_text, "CLIP", model)
        monkeypatch.setattr(image_text, "CLIP_FILES", files)
        monkeypatch.setenv("CINEMA_MODELS", str(tmp_path / "models"))
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder / FOLDER
        server.shutdown()


def diagnosis() -> Finding:
    return next(finding for finding in examine(load_settings()) if finding.subject == "image-text model")


def test_a_model_is_fetched_declared_and_found(hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnosis().verdict is Verdict.LESS
    assert "cinema setup image-text" in diagnosis().remedy
    assert setup_image_text() == 0
    assert find_image_text(tmp_path / "models") == image_text.CLIP
    assert diagnosis() == Finding("image-text model", Verdict.FINE, "colours")
    assert "colours is in" in capsys.readouterr().out
    for file in hub.iterdir():
        file.unlink()
    assert setup_image_text() == 0, "what is there is not fetched again"


def test_what_is_not_the_pinned_file_is_not_taken(hub: Path, tmp_path: Path) -> None:
    (hub / "tokenizer.json").write_text("{}")
    with pytest.raises(CinemaError, match=r"Could not be fetched: http://[^,]*/tokenizer\.json\. Put") as refused:
        setup_image_text()
    assert refused.value.code is ErrorCode.MODEL_UNAVAILABLE
    assert str(tmp_path / "models" / FOLDER) in refused.value.message
    assert find_image_text(tmp_path / "models") is None
    install(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / FOLDER / "tokenizer.json").rename(tmp_path / "models" / FOLDER / "tokenizer.json")
    assert setup_image_text() == 0, "a file that was put there by hand will do"


def test_a_model_of_the_operators_own_is_left_alone(hub: Path, tmp_path: Path) -> None:
    own = install(tmp_path / "models", name="own")
    with pytest.raises(CinemaError, match="declares another model"):
        setup_image_text()
    assert find_image_text(tmp_path / "models") == own
    assert hub.is_dir()


def test_a_damaged_model_is_found_by_the_doctor(hub: Path, tmp_path: Path) -> None:
    setup_image_text()
    (tmp_path / "models" / FOLDER / "tokenizer.json").write_bytes((hub / DECLARATION).read_bytes())
    found = diagnosis()
    assert found.verdict is Verdict.MISSING
    assert "tokenizer.json is not the file that model.json declares" in found.remedy
