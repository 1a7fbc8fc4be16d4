"""Signing in at this machine: for programs and pages of this machine alone."""

import httpx
import pytest

from api.authentication import KeyRing, LocalIssuer, TokenVerifier
from tests.api.conftest import OWNER

pytestmark = pytest.mark.unit


async def test_a_program_here_gets_a_token_of_the_owners(client: httpx.AsyncClient, issuer: LocalIssuer) -> None:
    answer = await client.post("/auth/local")
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 12 * 3600)
    verifier = TokenVerifier(KeyRing([issuer.verification_key]), issuer.rules)
    assert (await verifier.verify(answer.json()["access_token"])).subject == OWNER


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
async def test_a_page_from_elsewhere_gets_none(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/auth/local", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
