"""A database of one's own is brought to this version's shape by a command, which may be given again."""

import asyncio

import pytest

from cinema.commands.setup_database import setup_database
from cinema.settings import SettingsError, variable
from schemas.errors import CinemaError
from stores import bootstrap_embedded
from stores.migration import shipped_migrations
from tests.stores.conftest import bare_dsn

__all__ = ["bare_dsn"]

pytestmark = pytest.mark.postgres


def test_what_is_missing_is_applied_once(
    bare_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable("postgres_dsn"), bare_dsn)
    with pytest.raises(CinemaError, match=r"supabase_base\.sql"):
        setup_database()
    asyncio.run(bootstrap_embedded(bare_dsn))
    assert setup_database() == 0
    told = "".join(capsys.readouterr().out.split())
    assert all(migration.name in told for migration in shipped_migrations())
    assert setup_database() == 0
    assert capsys.readouterr().out == "The database has all migrations.\n"


def test_without_an_address_it_says_who_migrates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable("postgres_dsn"), raising=False)
    with pytest.raises(SettingsError, match="cinema up"):
        setup_database()
