"""Tokens: what is genuine is let in, and everything that only looks like it is not."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api.authentication import KeyRing, LocalIssuer, RemoteKeys, TokenRules, TokenVerifier, VerificationKey
from api.authentication.tokens import LEEWAY_S
from schemas.errors import CinemaError, ErrorCode, TransientError

pytestmark = pytest.mark.unit

ISSUER = "https://project.example/auth/v1"
RULES = TokenRules(ISSUER)
SECRET = b"a shared secret of more than thirty-two bytes"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CREATOR = uuid4()


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"iss": ISSUER, "aud": "authenticated", "sub": str(CREATOR), "role": "authenticated", "exp": now + 60}
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


def published(key: Any, key_id: str, **more: str) -> dict[str, Any]:
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    alg = "ES256" if algorithm is ECAlgorithm else "RS256"
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "alg": alg, **more}


class Issuer:
    """A sign-in service's published keys, behind a real HTTP client with the network cut off beneath it."""

    def __init__(self) -> None:
        self.keys = [published(EC_KEY, "ec-1"), published(RSA_KEY, "rsa-1")]
        self.asked = 0
        self.away = False

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            return httpx.Response(503)
        return httpx.Response(200, json={"keys": self.keys})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def verifier(issuer: Issuer) -> AsyncIterator[TokenVerifier]:
    async with issuer.client() as client:
        keys = KeyRing([VerificationKey.shared_secret(SECRET)], RemoteKeys(f"{ISSUER}/jwks", client))
        yield TokenVerifier(keys, RULES)


async def refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(CinemaError) as caught:
        await verifier.verify(token)
    assert caught.value.code is ErrorCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(EC_KEY, "ES256", "ec-1"), (RSA_KEY, "RS256", "rsa-1"), (SECRET, "HS256", None)]
)
async def test_a_creators_token_is_theirs(verifier: TokenVerifier, key: Any, algorithm: str, key_id: str) -> None:
    token = jwt.encode(claims(), key, algorithm, headers={"kid": key_id} if key_id else None)
    assert (await verifier.verify(token)).subject == CREATOR


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"iss": "https://other.example/auth/v1"},
        {"iss": None},
        {"aud": "someone-else"},
        {"aud": None},
        {"sub": None},
        {"sub": "root"},
        {"role": "anon"},
        {"role": "service_role"},
        {"role": None},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(verifier: TokenVerifier, changed: dict[str, Any]) -> None:
    await refused(verifier, jwt.encode(claims(**changed), EC_KEY, "ES256", headers={"kid": "ec-1"}))


def unsigned() -> str:
    return jwt.encode(claims(), None, algorithm="none")


def signed_with_the_public_key_as_secret() -> str:
    """The confusion of algorithms: the public key, which anyone has, taken for HS256's secret."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header, payload = (_encoded(part) for part in ({"alg": "HS256", "typ": "JWT", "kid": "rsa-1"}, claims()))
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return f"{header}.{payload}.{_encoded_bytes(signature.sign(f'{header}.{payload}'.encode(), pem))}"


def signed_by_another_key() -> str:
    return jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "ec-1"})


def of_an_algorithm_the_key_is_not_for() -> str:
    return jwt.encode(claims(), RSA_KEY, "RS512", headers={"kid": "rsa-1"})


def with_a_key_of_its_own() -> str:
    stranger = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims(), stranger, "ES256", headers={"jwk": published(stranger, "own"), "kid": "own"})


def with_another_payload() -> str:
    head, _, signature = jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "ec-1"}).split(".")
    return f"{head}.{_encoded(claims(sub=str(uuid4())))}.{signature}"


def _encoded(part: dict[str, Any]) -> str:
    return _encoded_bytes(json.dumps(part).encode())


def _encoded_bytes(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_the_public_key_as_secret,
        signed_by_another_key,
        of_an_algorithm_the_key_is_not_for,
        with_a_key_of_its_own,
        with_another_payload,
        lambda: "",
        lambda: "a.b.c",
        lambda: "x" * 100_000,
        lambda: _encoded({"alg": ["ES256"], "kid": {}}) + ".e30.AA",
    ],
)
async def test_a_forged_token_is_refused(verifier: TokenVerifier, forge: Callable[[], str]) -> None:
    await refused(verifier, forge())


async def test_keys_rotate_without_a_restart(
    verifier: TokenVerifier, issuer: Issuer, later: Callable[..., None]
) -> None:
    await verifier.verify(jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "ec-1"}))
    fresh = ec.generate_private_key(ec.SECP256R1())
    issuer.keys = [published(fresh, "ec-2")]
    token = jwt.encode(claims(), fresh, "ES256", headers={"kid": "ec-2"})
    later(seconds=31)
    assert (await verifier.verify(token)).subject == CREATOR
    await refused(verifier, jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "ec-1"}))


async def test_invented_key_ids_do_not_make_us_ask_the_issuer_again_and_again(
    verifier: TokenVerifier, issuer: Issuer
) -> None:
    for number in range(50):
        await refused(verifier, jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": f"invented-{number}"}))
    assert issuer.asked == 1


async def test_an_issuer_that_is_away_is_believed_for_a_day(
    verifier: TokenVerifier, issuer: Issuer, later: Callable[..., None]
) -> None:
    token = jwt.encode(claims(exp=int(time.time()) + 10**6), EC_KEY, "ES256", headers={"kid": "ec-1"})
    await verifier.verify(token)
    issuer.away = True
    later(hours=23)
    await verifier.verify(token)
    later(hours=2)
    with pytest.raises(TransientError):
        await verifier.verify(token)


async def test_without_any_keys_yet_it_is_a_matter_of_trying_again(verifier: TokenVerifier, issuer: Issuer) -> None:
    issuer.away = True
    with pytest.raises(TransientError):
        await verifier.verify(jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "ec-1"}))


@pytest.mark.parametrize(
    "useless",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "ec-1", "alg": "HS256"},
        published(EC_KEY, "ec-1", use="enc"),
        {"kty": "EC", "kid": "ec-1"},
        {"nonsense": True},
    ],
)
async def test_published_keys_that_are_for_something_else_verify_nothing(
    verifier: TokenVerifier, issuer: Issuer, useless: dict[str, Any]
) -> None:
    issuer.keys = [useless]
    await refused(verifier, jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "ec-1"}))


async def test_a_local_token_is_verified_like_any_other() -> None:
    local = LocalIssuer(LocalIssuer.new_key())
    verifier = TokenVerifier(KeyRing([local.verification_key]), local.rules)
    owner = UUID(int=7)
    assert (await verifier.verify(local.token(owner))).subject == owner
    await refused(verifier, local.token(owner, lifetime=timedelta(minutes=-5)))
    await refused(verifier, LocalIssuer(LocalIssuer.new_key()).token(owner))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Moves the clock that keys age by."""
    real, moved = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + moved[0])

    def move(**by: float) -> None:
        moved[0] += timedelta(**by).total_seconds()

    return move


async def test_a_token_verified_a_moment_ago_still_ends_in_time(verifier: TokenVerifier) -> None:
    lasts_s = 4
    token = jwt.encode(claims(exp=int(time.time()) - LEEWAY_S + lasts_s), EC_KEY, "ES256", headers={"kid": "ec-1"})
    await verifier.verify(token)
    await asyncio.sleep(lasts_s)
    await refused(verifier, token)
