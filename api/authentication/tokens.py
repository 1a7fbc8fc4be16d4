"""Access tokens (RFC 7519) verified by the rules of RFC 8725: one algorithm per key, every claim checked."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import jwt
from jwt.exceptions import PyJWTError

from api.authentication.keys import ALGORITHMS, KeyRing
from schemas.errors import CinemaError, ErrorCode

#: Longer than any token of Supabase's; what is longer is not looked at.
LONGEST_TOKEN: Final = 8192
#: Seconds that two clocks may differ by.
LEEWAY_S: Final = 30
#: Seconds for which a verified token is not verified again: so long a key taken back may still be of use.
REMEMBERED_S: Final = 10.0
MOST_REMEMBERED: Final = 4096
#: The role of a signed-in creator; Supabase's other roles (``anon``, ``service_role``) are not people.
ROLE: Final = "authenticated"
REQUIRED: Final = ("exp", "iss", "aud", "sub")


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Whose tokens are accepted, and for whom they must be meant."""

    issuer: str
    audience: str = "authenticated"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says that we act on."""

    subject: UUID


def unauthenticated(message: str = "Sign in again: this token is not valid or has expired.") -> CinemaError:
    return CinemaError(ErrorCode.UNAUTHENTICATED, message)


class RecentTokens:
    """Tokens verified a moment ago: checking a signature takes longer than all else that reading a job takes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[Claims, float]] = OrderedDict()

    def find(self, token: str) -> Claims | None:
        kept = self._kept.get(_digest(token))
        return kept[0] if kept is not None and time.monotonic() < kept[1] else None

    def keep(self, token: str, claims: Claims, seconds: float) -> None:
        self._kept[_digest(token)] = claims, time.monotonic() + seconds
        if len(self._kept) > MOST_REMEMBERED:
            self._kept.popitem(last=False)


def _digest(token: str) -> bytes:
    """What a memory dump may hold of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class TokenVerifier:
    """Tells a creator's token from everything else."""

    def __init__(self, keys: KeyRing, rules: TokenRules) -> None:
        self._keys = keys
        self._rules = rules
        self._recent = RecentTokens()

    async def verify(self, token: str) -> Claims:
        """The claims of a token that is genuine, current and meant for us.

        Raises:
            CinemaError: it is not (``UNAUTHENTICATED``); the answer never says which check it failed.
            TransientError: the issuer's keys cannot be had (``STORE_UNAVAILABLE``).
        """
        if len(token) > LONGEST_TOKEN:
            raise unauthenticated()
        known = self._recent.find(token)
        if known is None:
            known, left_s = await self._verified(token)
            self._recent.keep(token, known, min(left_s, REMEMBERED_S))
        return known

    async def _verified(self, token: str) -> tuple[Claims, float]:
        """The claims, and how many seconds they are valid for."""
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError as error:
            raise unauthenticated() from error
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not isinstance(key_id, str | None):
            raise unauthenticated()
        key = await self._keys.find(key_id, algorithm)
        if key is None:
            raise unauthenticated()
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=LEEWAY_S,
                options={"require": list(REQUIRED)},
            )
            subject = UUID(claims["sub"])
        except (PyJWTError, ValueError, TypeError, AttributeError) as error:
            raise unauthenticated() from error
        if claims.get("role") != ROLE:
            raise unauthenticated()
        return Claims(subject), int(claims["exp"]) + LEEWAY_S - time.time()
