"""The walk: every route, with every kind of token that must not be let in. A new route needs no naming here."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.authentication import LocalIssuer
from api.operations import Operation
from api.scopes import scope_of
from schemas.resources.tokens import NewToken
from schemas.scopes import Scope, allows
from stores.service_tokens import ServiceTokens
from tests.api.gateway import Gateway
from tests.security.belongings import Belongings, state_of
from tests.security.routes import Call, calls

pytestmark = pytest.mark.postgres

#: What anyone may ask: whether we live, what uploads can do, and what a signed address or a share link opens.
PUBLIC = {
    "health.live",
    "health.ready",
    "files.download_object",
    "files.describe_object",
    "uploads.options",
    "shares.open",
    "shares.open_with_password",
    "sign_in.sign_in",
}

#: Parts of addresses that are no ids: what they name is open to whoever knows it, and these know nothing.
NOT_IDS = {"bucket": "outputs", "key": "a/b.mp4", "token": "a-guess"}

Forge = Callable[[Gateway, UUID], str]


def expired(gateway: Gateway, owner_id: UUID) -> str:
    return gateway.issuer.token(owner_id, lifetime=-timedelta(hours=1))


def of_another_issuer(_gateway: Gateway, owner_id: UUID) -> str:
    return LocalIssuer(LocalIssuer.new_key()).token(owner_id)


def unsigned(gateway: Gateway, owner_id: UUID) -> str:
    return jwt.encode(_claims(gateway, owner_id), None, algorithm="none")


def signed_with_the_public_key_as_secret(gateway: Gateway, owner_id: UUID) -> str:
    public = gateway.issuer._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": gateway.issuer.verification_key.key_id}
    signed = f"{_encoded(header)}.{_encoded(_claims(gateway, owner_id))}"
    signature = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _claims(gateway: Gateway, owner_id: UUID) -> dict[str, Any]:
    return jwt.decode(gateway.issuer.token(owner_id), options={"verify_signature": False})


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def client_with(gateway: Gateway, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def walk(gateway: Gateway, belongings: Belongings) -> list[Call]:
    return [call for call in calls(gateway.app, {**belongings.ids, **NOT_IDS}) if call.operation not in PUBLIC]


async def statuses(client: httpx.AsyncClient, walked: list[Call]) -> dict[str, int]:
    return {f"{call.method} {call.path}": (await call.sent(client)).status_code for call in walked}


def all_are(status: int, found: dict[str, int]) -> None:
    assert found
    assert {call: got for call, got in found.items() if got != status} == {}


async def test_without_a_token_nothing_is_told(gateway: Gateway, belongings: Belongings) -> None:
    before = await state_of(gateway, belongings.owner_id)
    async with gateway.stranger() as client:
        all_are(401, await statuses(client, walk(gateway, belongings)))
    assert await state_of(gateway, belongings.owner_id) == before


async def test_no_token_that_is_not_genuine_and_current_is_let_in(gateway: Gateway, belongings: Belongings) -> None:
    before = await state_of(gateway, belongings.owner_id)
    forges: tuple[Forge, ...] = (expired, of_another_issuer, unsigned, signed_with_the_public_key_as_secret)
    for forge in forges:
        async with client_with(gateway, forge(gateway, belongings.owner_id)) as client:
            all_are(401, await statuses(client, walk(gateway, belongings)))
    assert await state_of(gateway, belongings.owner_id) == before


async def test_no_programs_token_is_let_in_once_it_has_ended(gateway: Gateway, belongings: Belongings) -> None:
    tokens = ServiceTokens(gateway.pool)
    wanted = NewToken(name="All", scopes=tuple(Scope))
    revoked, ended = [await tokens.issue(belongings.owner_id, wanted) for _ in range(2)]
    await tokens.revoke(belongings.owner_id, revoked.token.id)
    await gateway.pool.execute(
        "update public.service_tokens set expires_at = now() - interval '1 second' where id = $1", ended.token.id
    )
    before = await state_of(gateway, belongings.owner_id)
    for issued in (revoked, ended):
        async with client_with(gateway, issued.secret) as client:
            all_are(401, await statuses(client, walk(gateway, belongings)))
    assert await state_of(gateway, belongings.owner_id) == before


async def test_what_is_one_creators_does_not_exist_for_another(gateway: Gateway, belongings: Belongings) -> None:
    before = await state_of(gateway, belongings.owner_id)
    walked = walk(gateway, belongings)
    async with gateway.client() as other:
        # First, as the log of who did what names what they ask for afterwards.
        for call in [call for call in walked if not call.named]:
            answer = await call.sent(other)
            assert answer.status_code < 500, call
            assert not [name for name, found in belongings.ids.items() if found in answer.text], call
        all_are(404, await statuses(other, [call for call in walked if call.named]))
    assert await state_of(gateway, belongings.owner_id) == before


async def test_a_programs_token_does_only_what_it_says(gateway: Gateway, belongings: Belongings) -> None:
    for scope in Scope:
        issued = await ServiceTokens(gateway.pool).issue(belongings.owner_id, NewToken(name=scope, scopes=(scope,)))
        before = await state_of(gateway, belongings.owner_id)
        beyond = [call for call in walk(gateway, belongings) if not _within(call, scope)]
        async with client_with(gateway, issued.secret) as client:
            all_are(403, await statuses(client, beyond))
        after = await state_of(gateway, belongings.owner_id)
        assert {**after, "service_tokens": ""} == {**before, "service_tokens": ""}


def _within(call: Call, scope: Scope) -> bool:
    needed = scope_of(Operation(call.operation, call.subject), call.method)
    return needed is not None and allows({scope}, needed)


def test_only_people_manage_tokens_and_read_the_log(gateway: Gateway, belongings: Belongings) -> None:
    """A new subject is either put into the table of scopes, or here."""
    walked = walk(gateway, belongings)
    closed = {call.subject for call in walked if scope_of(Operation(call.operation, call.subject), "GET") is None}
    assert closed == {"tokens", "audit"}
