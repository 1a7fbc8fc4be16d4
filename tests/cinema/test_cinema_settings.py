"""Settings come from the environment and are documented as they are."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from cinema.api_rules import edge_rules
from cinema.settings import Environment, Settings, SettingsError, variable
from cinema.settings_table import settings_table

pytestmark = pytest.mark.unit

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_setting_is_documented_as_it_is() -> None:
    assert settings_table() in DOCUMENT.read_text(encoding="utf-8")


def test_every_setting_has_a_meaning() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_variable_sets_its_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(variable("home"), str(tmp_path))
    monkeypatch.setenv(variable("encoder_crf"), "28")
    settings = Settings()
    assert settings.home == tmp_path
    assert settings.encoder_crf == 28
    assert settings.objects_folder == tmp_path / "objects"


def test_relative_folders_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(variable("home"), raising=False)
    assert Settings().home == tmp_path / ".cinema"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_port", "0"),
        ("encoder_crf", "52"),
        ("signing_key", "short"),
        ("render_slots", "0"),
        ("webhook_keys", "short"),
        ("webhook_keys", "A" * 43 + "=,"),
        ("webhook_ca_file", "/nowhere/ca.pem"),
        ("api_origins", "*"),
        ("api_origins", "https://*.example.com"),
        ("api_origins", "https://app.example.com/path"),
        ("api_hosts", "https://api.example.com"),
        ("api_trusted_proxies", "everyone"),
        ("rate_reads", "lots"),
        ("rate_reads", "0/minute"),
        ("audit_days", "29"),
        ("judge_url", "http://127.0.0.1:11434/v1"),
        ("judge_model", "small"),
        ("judge_key", "two\nlines"),
        ("judge_timeout_seconds", "61"),
    ],
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(ValidationError):
        Settings()


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("api_origins"), "https://app.example.com, http://localhost:3000")
    monkeypatch.setenv(variable("api_trusted_proxies"), "10.0.0.0/8,::1")
    assert Settings().api_origins == ("https://app.example.com", "http://localhost:3000")
    assert Settings().api_trusted_proxies == ("10.0.0.0/8", "::1")


def test_production_answers_for_names_of_its_own_alone() -> None:
    production = Settings(environment=Environment.PRODUCTION)
    with pytest.raises(SettingsError):
        edge_rules(production)
    assert edge_rules(production.model_copy(update={"api_url": "https://api.example.com"})).hosts == (
        "api.example.com",
    )
    assert edge_rules(production.model_copy(update={"api_hosts": ("a.example",)})).hosts == ("a.example",)
    assert edge_rules(Settings()).hosts == ()


def test_a_store_that_cannot_count_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("rate_store"), "postgres://host")
    with pytest.raises(SettingsError):
        edge_rules(Settings())


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("signing_key"), "a-very-secret-key-of-more-than-32-characters")
    assert "very-secret" not in repr(Settings())
