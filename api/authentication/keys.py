"""The keys that tokens are verified with, each for one algorithm alone."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from jwt import PyJWK

#: Signatures by a key pair (RFC 7518): what Supabase signs with now, and what a JWKS may hold.
ASYMMETRIC: Final = frozenset({"ES256", "RS256"})
#: Supabase's legacy shared secret.
SHARED_SECRET: Final = "HS256"  # noqa: S105 (the name of an algorithm)
ALGORITHMS: Final = ASYMMETRIC | {SHARED_SECRET}

#: RFC 7518, section 3.2: a key for HS256 is at least as long as its hash.
SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key and the one algorithm it verifies: a public key is never taken for a shared secret (RFC 8725, 3.1)."""

    key_id: str | None
    algorithm: str
    key: PyJWK

    @classmethod
    def of(cls, key: PyJWK) -> "VerificationKey":
        """Raises ``ValueError`` for an algorithm that is not one of ours."""
        if key.algorithm_name not in ALGORITHMS:
            raise ValueError(f"tokens are not signed with {key.algorithm_name}")
        return cls(key.key_id, key.algorithm_name, key)

    @classmethod
    def shared_secret(cls, secret: bytes) -> "VerificationKey":
        """Raises ``ValueError`` for a secret that is too short to be one."""
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the secret that signs tokens has at least {SHORTEST_SECRET} bytes")
        return cls(None, SHARED_SECRET, PyJWK({"kty": "oct", "k": _base64url(secret), "alg": SHARED_SECRET}))


class KeySource(Protocol):
    """Where keys come from that may change while we run."""

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None: ...


class KeyRing:
    """Keys that are known from the start, and then those of a source."""

    def __init__(self, fixed: Sequence[VerificationKey] = (), source: KeySource | None = None) -> None:
        self._fixed = tuple(fixed)
        self._source = source

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key that verifies a token with this header, or ``None``.

        Raises:
            TransientError: the source has no keys yet and cannot be reached (``STORE_UNAVAILABLE``).
        """
        found = matching(self._fixed, key_id, algorithm)
        if found is None and self._source is not None and algorithm in ASYMMETRIC:
            return await self._source.find(key_id, algorithm)
        return found


def matching(keys: Sequence[VerificationKey], key_id: str | None, algorithm: str) -> VerificationKey | None:
    """The key with this id; a key without an id, or a token that names none, matches by algorithm."""
    fitting = [key for key in keys if key.algorithm == algorithm]
    named = [key for key in fitting if key_id is not None and key.key_id == key_id]
    anonymous = [key for key in fitting if key.key_id is None or key_id is None]
    return next(iter(named or anonymous), None)


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
