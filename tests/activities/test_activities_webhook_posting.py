"""One webhook request, to real receivers: signed, pinned to what was checked, bounded in time and size."""

import asyncio
import json
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import HttpUrl
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from activities.pinned_network import AddressRefused, PinnedBackend, Resolver
from activities.webhook_posting import WebhookPoster, parse_retry_after, signed_headers
from schemas.webhooks import DeliveryPolicy, checked_url
from tests.activities.receiver import Authority, answer, new_authority, receiving

pytestmark = pytest.mark.unit

SECRET = "whsec_" + "A" * 43 + "="
OLD_SECRET = "whsec_" + "B" * 43 + "="
DEVELOPMENT = DeliveryPolicy(allow_http=True, allow_private=True)
PATIENCE = timedelta(seconds=30)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Resolving:
    """A resolver whose answers are given beforehand, each once and the last for ever after."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        assert port > 0
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def poster(resolve: Resolver | None = None, ca: Path | None = None, seconds: float = 30) -> WebhookPoster:
    chosen = resolve or Resolving(["127.0.0.1"])
    return WebhookPoster(DEVELOPMENT, ca, resolve=chosen, timeout=timedelta(seconds=seconds))


def at(url: str) -> HttpUrl:
    return checked_url(url, DEVELOPMENT)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


# What is sent


async def test_a_receiver_verifies_what_it_got_with_the_standard_library() -> None:
    body = json.dumps({"type": "test.ping", "data": {"message": "grüße"}}, ensure_ascii=False)
    headers = signed_headers("evt_1", body, [SECRET, OLD_SECRET], datetime.now(UTC))
    async with receiving() as receiver:
        got = await poster().post(at(receiver.url + "?a=b%20c"), body, headers)
    assert (got.status_code, got.response, got.error) == (200, "thanks", None)
    (request,) = receiver.requests
    assert request.line == "POST /hook?a=b%20c HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OLD_SECRET):
        assert Webhook(secret).verify(request.body, request.headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "C" * 43 + "=").verify(request.body, request.headers)


# Where it goes


async def test_tls_proves_the_name_while_the_connection_goes_to_the_checked_address(
    authority: Authority, tmp_path: Path
) -> None:
    tls = authority.server(tmp_path, "hooks.example")
    resolve = Resolving(["127.0.0.1"])
    async with receiving(tls=tls) as receiver:
        got = await poster(resolve, authority.ca_file).post(at(f"https://hooks.example:{receiver.port}/"), "{}", {})
    assert got.status_code == 200
    assert receiver.server_names == ["hooks.example"]
    assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"
    assert resolve.asked == ["hooks.example"]


@pytest.mark.parametrize(("known", "name"), [(False, "hooks.example"), (True, "other.example")])
async def test_nothing_is_sent_to_whoever_cannot_prove_the_name(
    authority: Authority, tmp_path: Path, *, known: bool, name: str
) -> None:
    tls = authority.server(tmp_path, name)
    ca = authority.ca_file if known else None
    async with receiving(tls=tls) as receiver:
        got = await poster(ca=ca).post(at(f"https://hooks.example:{receiver.port}/"), "{}", {})
    assert got.error is not None
    assert got.error.startswith("The certificate of hooks.example cannot be trusted")
    assert receiver.requests == []


async def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    """DNS rebinding: public when asked first, the loopback ever after. The first answer is all that is ever used."""
    resolve = Resolving(["203.0.114.7"], ["127.0.0.1"])
    connected: list[str] = []

    class Recording(httpcore.AnyIOBackend):
        async def connect_tcp(self, host: str, port: int, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
            connected.append(f"{host}:{port}")
            raise httpcore.ConnectError("nobody is there")

    strict = WebhookPoster(DeliveryPolicy(), resolve=resolve)
    strict._network._network = Recording()
    async with receiving() as receiver:
        first = await strict.post(at(f"https://rebinding.example:{receiver.port}/"), "{}", {})
        again = await strict.post(at(f"https://rebinding.example:{receiver.port}/"), "{}", {})
    assert connected == [f"203.0.114.7:{receiver.port}"], "one look-up and one connection, to what was checked"
    assert first.error == "rebinding.example refused the connection or cannot be reached."
    assert again.error == "rebinding.example does not lead to a public address."
    assert resolve.asked == ["rebinding.example"] * 2
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%lo"],
        ["8.8.8.8", "10.0.0.1"],
    ],
)
async def test_a_name_with_any_address_that_is_not_public_is_not_connected_to(addresses: list[str]) -> None:
    async with receiving() as receiver:
        url = at(f"http://inside.example:{receiver.port}/")
        got = await WebhookPoster(DeliveryPolicy(allow_http=True), resolve=Resolving(addresses)).post(url, "{}", {})
    assert got.error == "inside.example does not lead to a public address."
    assert not any(address in got.error for address in addresses), "receivers' owners learn nothing of our network"
    assert receiver.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"])
async def test_the_machines_own_resolver_is_held_to_the_same(host: str) -> None:
    async with receiving() as receiver:
        url = at(f"http://{host}:{receiver.port}/")
        got = await WebhookPoster(DeliveryPolicy(allow_http=True)).post(url, "{}", {})
    assert got.error is not None
    assert got.error.endswith("does not lead to a public address.")
    assert receiver.connections == 0


async def test_no_socket_file_is_ever_connected_to() -> None:
    with pytest.raises(AddressRefused):
        await PinnedBackend(allow_private=True).connect_unix_socket("/run/postgresql/.s.PGSQL.5432")


async def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer() -> None:
    async with receiving() as receiver:
        url = at(f"http://hooks.example:{receiver.port}/")
        got = await poster(Resolving(["127.0.0.2", "127.0.0.1"])).post(url, "{}", {})
    assert got.status_code == 200


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.status_code == 200
    assert proxy.connections == 0


async def test_redirects_are_failures_and_not_followed() -> None:
    async with receiving() as inside, receiving(answer(302, headers=[("location", inside.url)])) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.error == "The receiver answered 302; redirects are not followed."
    assert inside.connections == 0


# What comes back


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_accepted(status: int) -> None:
    async with receiving(answer(status)) as receiver:
        assert (await poster().post(at(receiver.url), "{}", {})).error is None


@pytest.mark.parametrize("status", [300, 400, 404, 410, 429, 500, 503, 999])
async def test_everything_else_is_a_failure(status: int) -> None:
    async with receiving(answer(status, "why")) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert (got.status_code, got.response) == (status, "why")
    assert got.error is not None
    assert str(status) in got.error


async def test_an_endless_answer_is_read_no_further_than_needed() -> None:
    written = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            written += 65536
            await writer.drain()

    async with receiving(endless) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.error is None
    assert got.response == "x" * 512
    assert written < 50_000_000


async def test_a_compressed_answer_is_not_unpacked() -> None:
    packed = answer(200, "\x1f\x8b", headers=[("content-encoding", "gzip")])
    async with receiving(packed) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.error is None
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


async def test_a_receiver_that_drips_is_given_up_in_time() -> None:
    """Each byte comes within any timeout for one read; only a limit for the whole helps."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b"x" * 100:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.1)

    async with receiving(drip) as receiver:
        got = await poster(seconds=1).post(at(receiver.url), "{}", {})
    assert got.error == "No answer within 1 s."
    assert timedelta(seconds=1) <= got.duration < PATIENCE


async def test_a_resolver_that_never_answers_is_given_up_in_time() -> None:
    async def never(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(3600)
        return []

    got = await poster(never, seconds=0.5).post(at("https://hooks.example/"), "{}", {})
    assert got.error == "No answer within 0.5 s."


async def test_headers_without_end_are_a_failure() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            writer.write(b"x-header-%d: %s\r\n" % (number, b"y" * 100))
            await writer.drain()

    async with receiving(flood) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.error == "127.0.0.1 did not answer as HTTP asks."


@pytest.mark.parametrize(
    ("said", "reason"), [(b"", "did not answer as HTTP asks"), (b"SSH-2.0-OpenSSH\r\n\r\n", "did not answer as HTTP")]
)
async def test_what_speaks_no_http_is_a_failure(said: bytes, reason: str) -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with receiving(speak) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.error is not None
    assert reason in got.error


async def test_who_speaks_no_tls_is_a_failure() -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        got = await poster().post(at(f"https://127.0.0.1:{port}/"), "{}", {})
    assert got.error == "No secure connection to 127.0.0.1 could be made."


async def test_nobody_there_is_a_failure() -> None:
    async with receiving() as receiver:
        url = at(receiver.url)
    assert (await poster().post(url, "{}", {})).error == "127.0.0.1 refused the connection or cannot be reached."
    unknown = await WebhookPoster(DEVELOPMENT).post(at("https://nowhere.invalid/"), "{}", {})
    assert unknown.error == "There is no host nowhere.invalid."


async def test_old_tls_is_not_spoken(authority: Authority, tmp_path: Path) -> None:
    tls = authority.server(tmp_path, "127.0.0.1")
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with receiving(tls=tls) as receiver:
        got = await poster(ca=authority.ca_file).post(at(f"https://127.0.0.1:{receiver.port}/"), "{}", {})
    assert got.error is not None
    assert receiver.requests == []


# When to come back


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(seconds=120)),
        ("Thu, 01 Jan 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Wed, 31 Dec 2025 00:00:00 GMT", timedelta(0)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        (f"Thu, 01 Jan {'9' * 20} 12:10:00 GMT", None),
        (f"Thu, 01 Jan 2026 12:10:00 +{'9' * 20}", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_as_http_defines_it(value: str, wait: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == wait


@given(st.text(max_size=200))
def test_no_retry_after_breaks_anything(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or wait >= timedelta(0)


@pytest.mark.parametrize(("status", "heeded"), [(429, True), (503, True), (500, False), (200, False)])
async def test_only_who_is_throttled_may_ask_for_time(status: int, *, heeded: bool) -> None:
    async with receiving(answer(status, headers=[("Retry-After", "77")])) as receiver:
        got = await poster().post(at(receiver.url), "{}", {})
    assert got.retry_after == (timedelta(seconds=77) if heeded else None)
