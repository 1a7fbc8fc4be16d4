"""HTTP to the Storage of one Supabase project."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from storage3 import AsyncStorageClient

from stores.objects import Bucket
from stores.retrying import Backoff
from stores.supabase_storage.refusals import refusal, storage_errors

#: Seconds to connect, and to wait for the next bytes in either direction.
CONNECT_S = 10.0
SILENCE_S = 60.0


class StorageConnection:
    """Sends requests with the service key; opened by the first of them, closed by :meth:`aclose`.

    ``control`` is Supabase's own client, for all but the bytes: its download holds whole objects in memory.
    """

    def __init__(self, url: str, key: str, *, backoff: Backoff) -> None:
        self.url = f"{url.rstrip('/')}/storage/v1"
        self.backoff = backoff
        # A secret key of the new kind is no token; the gateway takes it in both headers, as it does an older JWT.
        self._headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        self._client: httpx.AsyncClient | None = None
        self._control: AsyncStorageClient | None = None

    @property
    def control(self) -> AsyncStorageClient:
        if self._control is None:
            self._control = AsyncStorageClient(f"{self.url}/", self._headers, http_client=self._opened())
        return self._control

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: AsyncIterable[bytes] | None = None,
    ) -> httpx.Response:
        """The answer, read whole, to a request whose ``headers`` give the length of its ``content``.

        Raises:
            CinemaError: it is a refusal, or there is none; ``PassingTrouble`` where asking again may help.
        """
        with storage_errors():
            response = await self._opened().request(method, f"{self.url}{path}", headers=headers, content=content)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise refusal(response)
        return response

    @asynccontextmanager
    async def streaming(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """The answer to a GET, whose body is still on its way; errors as of :meth:`request`, also in its midst."""
        with storage_errors():
            async with self._opened().stream("GET", f"{self.url}{path}", headers=headers) as response:
                if response.status_code >= HTTPStatus.BAD_REQUEST:
                    await response.aread()
                    raise refusal(response)
                yield response

    def blocking(self) -> httpx.Client:
        """A client of its own for whoever reads in a thread, and closes it."""
        return httpx.Client(headers=self._headers, timeout=_timeout(), base_url=self.url)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
        self._client = self._control = None

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(headers=self._headers, timeout=_timeout())
        return self._client


def object_path(route: str, bucket: Bucket, name: str) -> str:
    """``/object/{route}/{bucket}/{name}``; names need no quoting (see :mod:`stores.supabase_storage.keys`)."""
    return f"/object/{route}/{bucket}/{name}"


def _timeout() -> httpx.Timeout:
    return httpx.Timeout(SILENCE_S, connect=CONNECT_S)
