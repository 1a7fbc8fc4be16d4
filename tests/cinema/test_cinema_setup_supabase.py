"""A Supabase project is made ready once, and asking again changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cinema.commands.doctor import Finding, Verdict, examine
from cinema.commands.setup_supabase import setup_supabase
from cinema.settings import SettingsError, load_settings, variable
from schemas.errors import CinemaError, ErrorCode, TransientError
from stores import Bucket
from tests.stores.storage_server import KEY, StorageServer

pytestmark = pytest.mark.unit

LIMIT = 10 * 10**9


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """An empty project, named in the environment."""
    server = StorageServer(tmp_path / "project")
    with server.running():
        values = {"home": tmp_path, "supabase_url": server.url, "supabase_key": KEY, "supabase_file_bytes": LIMIT}
        for name, value in values.items():
            monkeypatch.setenv(variable(name), str(value))
        monkeypatch.delenv(variable("postgres_dsn"), raising=False)
        yield server


def test_private_buckets_are_made_once(project: StorageServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_supabase() == 0
    assert set(project.buckets) == set(Bucket)
    for bucket in project.buckets.values():
        assert (bucket["public"], bucket["file_size_limit"]) == (False, LIMIT)
    assert "assets, outputs, analysis, thumbs" in capsys.readouterr().out
    project.requests.clear()
    assert setup_supabase() == 0
    assert project.requests == ["GET /bucket"]
    assert "are there" in capsys.readouterr().out


def test_a_public_bucket_is_made_private(project: StorageServer) -> None:
    setup_supabase()
    project.buckets["outputs"]["public"] = True
    setup_supabase()
    assert project.buckets["outputs"]["public"] is False


def test_a_project_with_a_lower_limit_says_so(project: StorageServer) -> None:
    project.largest = 50 * 10**6
    with pytest.raises(CinemaError, match="raise its limit") as refused:
        setup_supabase()
    assert refused.value.code is ErrorCode.MEDIA_TOO_LARGE


@pytest.mark.usefixtures("project")
def test_a_wrong_key_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("supabase_key"), "wrong")
    with pytest.raises(TransientError, match="let us in"):
        setup_supabase()
    assert object_store().verdict is Verdict.MISSING


@pytest.mark.usefixtures("project")
def test_the_doctor_looks_for_the_buckets() -> None:
    assert "cinema setup supabase" in object_store().remedy
    setup_supabase()
    assert object_store().verdict is Verdict.FINE


@pytest.mark.usefixtures("project")
def test_a_project_without_a_key_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable("supabase_key"))
    with pytest.raises(SettingsError, match="both, or neither"):
        load_settings()


def object_store() -> Finding:
    return next(finding for finding in examine(load_settings()) if finding.subject == "object store")
