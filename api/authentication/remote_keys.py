"""Keys published as a JWKS (RFC 7517), fetched when they are needed and no oftener than is polite."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from api.authentication.keys import ASYMMETRIC, VerificationKey, matching
from schemas.errors import TransientError

#: Keys are fetched again after this, so that a withdrawn one is not believed for long.
FRESH_S: Final = 600.0
#: An unknown key id fetches them at once, but not oftener than this: anyone can invent key ids.
MIN_INTERVAL_S: Final = 30.0
#: When the issuer is away, the keys it last published are believed for so long.
STALE_S: Final = 24 * 3600.0
TIMEOUT_S: Final = 5.0
LARGEST_ANSWER: Final = 256 << 10
MOST_KEYS: Final = 100

log = structlog.get_logger(__name__)


class RemoteKeys:
    """The keys at one JWKS address; any number of requests may ask at once, and one of them fetches."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client
        self._keys: tuple[VerificationKey, ...] = ()
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key, or ``None`` where the issuer does not publish it.

        Raises:
            TransientError: the issuer cannot be reached, and has not been for too long (``STORE_UNAVAILABLE``).
        """
        if not self._is_fresh():
            await self._fetch()
        found = matching(self._keys, key_id, algorithm)
        if found is None and self._may_try():
            await self._fetch()
            found = matching(self._keys, key_id, algorithm)
        if self._fetched_at is None or time.monotonic() - self._fetched_at > STALE_S:
            raise TransientError.store("Sign-in cannot be checked at the moment.")
        return found

    def _is_fresh(self) -> bool:
        return self._fetched_at is not None and time.monotonic() - self._fetched_at < FRESH_S

    def _may_try(self) -> bool:
        return self._tried_at is None or time.monotonic() - self._tried_at >= MIN_INTERVAL_S

    async def _fetch(self) -> None:
        async with self._fetching:
            if not self._may_try():
                return
            self._tried_at = time.monotonic()
            try:
                published = await self._published()
                self._keys = tuple(_usable(published))
            except (httpx.HTTPError, ValueError, TypeError, AttributeError) as error:
                log.warning("the keys that verify tokens cannot be fetched", url=self._url, error=str(error))
            else:
                self._fetched_at = time.monotonic()

    async def _published(self) -> list[dict[str, Any]]:
        async with self._client.stream("GET", self._url, timeout=TIMEOUT_S) as answer:
            answer.raise_for_status()
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise ValueError("the key set is too large")
        keys: list[dict[str, Any]] = httpx.Response(200, content=content).json()["keys"]
        return keys[:MOST_KEYS]


def _usable(published: list[dict[str, Any]]) -> Iterator[VerificationKey]:
    """The published keys that verify tokens; what is meant for something else is passed over."""
    for one in published:
        if one.get("use", "sig") != "sig" or one.get("kty") == "oct":
            continue
        try:
            key = VerificationKey.of(PyJWK(one))
        except (PyJWTError, ValueError):
            continue
        if key.algorithm in ASYMMETRIC:
            yield key
