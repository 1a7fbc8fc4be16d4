"""One webhook request: signed, sent to a public address alone, and its answer read no further than needed."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpcore
import httpx
from pydantic import HttpUrl
from standardwebhooks import Webhook

from activities.pinned_network import AddressRefused, NameUnknown, PinnedBackend, Resolver, system_resolver
from schemas.webhooks import DeliveryPolicy, bare_host

#: Everything together: the look-up, connecting, TLS, sending, and as much of the answer as we read.
TOTAL_TIMEOUT: Final = timedelta(seconds=15)

#: Bytes of the answer's body that are read; the connection is closed then.
RESPONSE_BYTES = 512

USER_AGENT = "Cinema-AI-Webhooks/1"

GONE = 410
#: Answers that may say when to come back (RFC 9110, 10.2.3, and RFC 6585, 4).
_THROTTLED = frozenset({429, 503})


@dataclass(frozen=True)
class Answer:
    """What came of a request. ``error`` is ``None`` if the receiver accepted it, and else a sentence for its owner."""

    duration: timedelta
    status_code: int | None = None
    response: str | None = None
    retry_after: timedelta | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Received:
    status_code: int
    response: str
    retry_after: timedelta | None


def signed_headers(event_id: str, body: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks: one signature for each secret, in their order. ``now`` is in UTC."""
    signatures = [Webhook(secret).sign(msg_id=event_id, timestamp=now, data=body) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class WebhookPoster:
    """Posts to receivers. Follows no redirect, uses no proxy, keeps no cookie and no connection."""

    def __init__(
        self,
        policy: DeliveryPolicy,
        ca_file: Path | None = None,
        *,
        resolve: Resolver = system_resolver,
        timeout: timedelta = TOTAL_TIMEOUT,
    ) -> None:
        self._network = PinnedBackend(resolve, allow_private=policy.allow_private)
        self._timeout = timeout
        self._tls = httpx.create_ssl_context(trust_env=False)
        if ca_file is not None:
            self._tls.load_verify_locations(cafile=ca_file)

    async def post(self, url: HttpUrl, body: str, headers: dict[str, str]) -> Answer:
        """Send the body; whatever goes wrong out there is an answer, not an exception."""
        started = time.monotonic()
        host = bare_host(url)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                received = await self._exchange(url, body, headers)
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(_since(started), error=f"No answer within {self._timeout.total_seconds():g} s.")
        except NameUnknown:
            return Answer(_since(started), error=f"There is no host {host}.")
        except AddressRefused:
            return Answer(_since(started), error=f"{host} does not lead to a public address.")
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Answer(_since(started), error=_network_sentence(host, error))
        return Answer(
            _since(started),
            status_code=received.status_code,
            response=received.response,
            retry_after=received.retry_after,
            error=_status_sentence(received.status_code),
        )

    async def _exchange(self, url: HttpUrl, body: str, headers: dict[str, str]) -> _Received:
        request = _request(url, body, headers)
        async with httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=self._network) as pool:
            response = await pool.handle_async_request(request)
            try:
                beginning = await _beginning(response)
            finally:
                await response.aclose()
        return _Received(
            response.status, beginning.decode("utf-8", errors="replace"), _retry_after(response, datetime.now(UTC))
        )


def _request(url: HttpUrl, body: str, headers: dict[str, str]) -> httpcore.Request:
    """The URL's parts are handed on as they were checked; nobody parses it a second time."""
    content = body.encode()
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    default_port = 443 if url.scheme == "https" else 80
    authority = (url.host or "") + (f":{url.port}" if url.port not in {None, default_port} else "")
    return httpcore.Request(
        "POST",
        httpcore.URL(scheme=url.scheme, host=bare_host(url), port=url.port, target=target),
        headers=[
            ("host", authority),
            ("user-agent", USER_AGENT),
            ("accept", "*/*"),
            ("accept-encoding", "identity"),
            ("connection", "close"),
            ("content-type", "application/json"),
            ("content-length", str(len(content))),
            *headers.items(),
        ],
        content=content,
    )


async def _beginning(response: httpcore.Response) -> bytes:
    beginning = b""
    async for part in response.aiter_stream():
        beginning += part
        if len(beginning) >= RESPONSE_BYTES:
            break
    return beginning[:RESPONSE_BYTES]


def _retry_after(response: httpcore.Response, now: datetime) -> timedelta | None:
    if response.status not in _THROTTLED:
        return None
    for name, value in response.headers:
        if name.lower() == b"retry-after":
            return parse_retry_after(value.decode("latin-1").strip(), now)
    return None


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3) as the time to wait; ``None`` for anything else."""
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return timedelta(seconds=int(value))
    try:
        wait = parsedate_to_datetime(value) - now
    except (TypeError, ValueError, OverflowError):
        return None
    return max(wait, timedelta(0))


def _status_sentence(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The receiver answered {status}; redirects are not followed."
    if status == GONE:
        return "The receiver answered 410 Gone: it wants no more events."
    return f"The receiver answered {status}."


def _network_sentence(host: str, error: Exception) -> str:
    match _tls_failure(error):
        case ssl.SSLCertVerificationError(verify_message=reason):
            return f"The certificate of {host} cannot be trusted: {reason}."
        case ssl.SSLError():
            return f"No secure connection to {host} could be made."
    if isinstance(error, httpcore.ConnectError):
        return f"{host} refused the connection or cannot be reached."
    if isinstance(error, httpcore.ProtocolError):
        return f"{host} did not answer as HTTP asks."
    return f"The connection to {host} broke."


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    """What TLS said, below the layers that passed it on."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _since(started: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - started)
