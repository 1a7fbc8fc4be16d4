"""Which URLs an endpoint may have, and that receivers can rely on the published payload schema."""

import json

import pytest

from schemas.errors import CinemaError, ErrorCode
from schemas.webhooks import DeliveryPolicy, checked_url, webhook_json_schema
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

PRODUCTION = DeliveryPolicy()
DEVELOPMENT = DeliveryPolicy(allow_http=True, allow_private=True)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://EXAMPLE.com:443/Hook?a=B", "https://example.com/Hook?a=B"),
        ("https://exämple.com/", "https://xn--exmple-cua.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://example.com/a b\r\n", "https://example.com/a%20b"),
    ],
)
def test_a_public_https_url_is_kept_in_its_normal_form(url: str, normal: str) -> None:
    assert str(checked_url(url, PRODUCTION)) == normal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "only sent over https"),
        ("ftp://example.com/", "no URL"),
        ("file:///etc/passwd", "no URL"),
        ("example.com/hook", "no URL"),
        ("https://", "no URL"),
        ("https://user:secret@example.com/", "user name"),
        ("https://user@example.com/", "user name"),
        ("https://example.com/#top", "fragment"),
        ("https://example.com:22/", "port 443 or 8443"),
        ("https://example.com:80/", "port 443 or 8443"),
        ("https://127.0.0.1/", "public address"),
        ("https://0x7f.1/", "public address"),
        ("https://2130706433/", "public address"),
        ("https://017700000001/", "public address"),
        ("https://127.0.0.1./", "public address"),
        ("https://１２７.0.0.1/", "public address"),  # noqa: RUF001 (full-width digits on purpose)
        ("https://[::1]/", "public address"),
        ("https://[::ffff:8.8.8.8]/", "public address"),
        ("https://169.254.169.254/latest/meta-data/", "public address"),
        ("https://" + "a" * 3000 + ".com/", "no URL"),
    ],
)
def test_any_other_url_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(CinemaError, match=reason) as refused:
        checked_url(url, PRODUCTION)
    assert refused.value.code is ErrorCode.WEBHOOK_REFUSED


def test_development_may_allow_http_and_its_own_machine() -> None:
    assert str(checked_url("http://127.0.0.1:9999/hook", DEVELOPMENT)) == "http://127.0.0.1:9999/hook"
    with pytest.raises(CinemaError, match="public address"):
        checked_url("http://127.0.0.1/hook", DeliveryPolicy(allow_http=True))


def test_the_schema_receivers_read_is_the_one_we_send() -> None:
    exported = json.loads((REPOSITORY / "docs" / "webhooks.schema.json").read_text(encoding="utf-8"))
    assert exported == webhook_json_schema(), "run `make schema`"
