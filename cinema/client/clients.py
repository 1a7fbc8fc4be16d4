"""The two clients: how steps are performed, waiting or awaited."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar

import httpx

from cinema.client.operations import (
    Analytics,
    Assets,
    AsyncAnalytics,
    AsyncAssets,
    AsyncJobs,
    AsyncOutputs,
    AsyncProjects,
    AsyncShares,
    AsyncTokens,
    AsyncWebhooks,
    Jobs,
    Outputs,
    Projects,
    Shares,
    Tokens,
    Webhooks,
)
from cinema.client.steps import Fetch, Flow, Pause, Send, Step, Work

Answer = TypeVar("Answer")

#: An access token, or what gives one: it is asked before each request, and best keeps the token until it expires.
Token: TypeAlias = str | Callable[[], str]
AsyncToken: TypeAlias = str | Callable[[], str | Awaitable[str]]

#: An event stream is silent for 15 s at most, and an upload's last request is answered when the file has been checked.
TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)


class Client:
    """Cinema AI at ``url``, for programs that wait. Thread-safe, as the HTTP client below is."""

    def __init__(self, url: str, token: Token, *, http: httpx.Client | None = None) -> None:
        """``http`` brings settings of its own (proxies, certificates, limits); it is closed with this client."""
        self._token = token
        self._http = http or httpx.Client(timeout=TIMEOUT)
        self._http.base_url = url
        self.projects = Projects(self)
        self.assets = Assets(self)
        self.jobs = Jobs(self)
        self.outputs = Outputs(self)
        self.analytics = Analytics(self)
        self.shares = Shares(self)
        self.tokens = Tokens(self)
        self.webhooks = Webhooks(self)

    def perform(self, flow: Flow[Answer]) -> Answer:
        """Carry a flow out to its end."""
        try:
            step = next(flow)
            while True:
                try:
                    given = self._done(step)
                except httpx.TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(given)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        finally:
            flow.close()

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _done(self, step: Step) -> object:
        match step:
            case Pause(seconds):
                time.sleep(seconds)
                return None
            case Work(do):
                return do()
            case Fetch():
                return self._fetched(step)
            case Send():
                return self._http.send(self._request(step))

    def _fetched(self, step: Fetch) -> httpx.Response:
        response = self._http.send(self._request(step.send), stream=True)
        try:
            if response.is_error:
                response.read()
                return response
            for chunk in response.iter_bytes():
                if step.into(chunk):
                    break
        finally:
            response.close()
        return response

    def _request(self, send: Send) -> httpx.Request:
        token = None if send.signed else self._token if isinstance(self._token, str) else self._token()
        return _request(self._http, send, token)


class AsyncClient:
    """The same for programs with asyncio. Callbacks are called in the event loop."""

    def __init__(self, url: str, token: AsyncToken, *, http: httpx.AsyncClient | None = None) -> None:
        """``http`` brings settings of its own (proxies, certificates, limits); it is closed with this client."""
        self._token = token
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT)
        self._http.base_url = url
        self.projects = AsyncProjects(self)
        self.assets = AsyncAssets(self)
        self.jobs = AsyncJobs(self)
        self.outputs = AsyncOutputs(self)
        self.analytics = AsyncAnalytics(self)
        self.shares = AsyncShares(self)
        self.tokens = AsyncTokens(self)
        self.webhooks = AsyncWebhooks(self)

    async def perform(self, flow: Flow[Answer]) -> Answer:
        """Carry a flow out to its end."""
        try:
            step = next(flow)
            while True:
                try:
                    given = await self._done(step)
                except httpx.TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(given)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        finally:
            flow.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _done(self, step: Step) -> object:
        match step:
            case Pause(seconds):
                await asyncio.sleep(seconds)
                return None
            case Work(do):
                return await asyncio.to_thread(do)
            case Fetch():
                return await self._fetched(step)
            case Send():
                return await self._http.send(await self._request(step))

    async def _fetched(self, step: Fetch) -> httpx.Response:
        response = await self._http.send(await self._request(step.send), stream=True)
        try:
            if response.is_error:
                await response.aread()
                return response
            async for chunk in response.aiter_bytes():
                if step.into(chunk):
                    break
        finally:
            await response.aclose()
        return response

    async def _request(self, send: Send) -> httpx.Request:
        return _request(self._http, send, None if send.signed else await self._current_token())

    async def _current_token(self) -> str:
        given = self._token if isinstance(self._token, str) else self._token()
        return await given if inspect.isawaitable(given) else given


def _request(http: httpx.Client | httpx.AsyncClient, send: Send, token: str | None) -> httpx.Request:
    headers = dict(send.headers)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    content = send.body
    if send.model is not None:
        content = send.model.model_dump_json(exclude_none=True).encode()
        headers["Content-Type"] = "application/json"
    return http.build_request(send.method, send.url, params=dict(send.query) or None, headers=headers, content=content)
