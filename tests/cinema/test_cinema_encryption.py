"""What Temporal keeps of a job is unreadable without the key, and readable with it, also after a change of keys."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from google.protobuf import json_format
from temporalio import activity
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Replayer

from activities.declarations import TaskQueue
from cinema.codec_app import LARGEST_REQUEST, create_codec_app
from cinema.codec_server import origins
from cinema.encryption import DecryptionError, EncryptionCodec, KeyRing, payload_codec
from cinema.hosting import worker_for
from cinema.settings import Settings, SettingsError
from schemas.errors import ErrorCode, MediaRefused
from tests.cinema.calling_workers import jobs_worker, start_calling
from tests.cinema.conftest import RestartableTemporal
from tests.workflows.calling import WORK, Call, Calling, Done, Piece, Work
from workflows.plugin import cinema_plugin

pytestmark = pytest.mark.temporal

UI = "http://127.0.0.1:8233"


def key(fill: bytes) -> str:
    return base64.b64encode(fill * 32).decode()


OLD, NEW = f"old:{key(b'o')}", f"new:{key(b'n')}"


def codec(*keys: str) -> EncryptionCodec:
    return EncryptionCodec(KeyRing.parse(",".join(keys)))


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RestartableTemporal]:
    server = RestartableTemporal(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield server
    await server.stop()


async def connected(server: RestartableTemporal, *keys: str) -> Client:
    return await Client.connect(server.address, plugins=[cinema_plugin(codec(*keys))])


class Refusal:
    """Fails with a sentence that names a creator's file."""

    @activity.defn(name=WORK.name)
    async def work(self, _: Piece) -> Done:
        raise MediaRefused(ErrorCode.MEDIA_EMPTY, "Private holiday.mp4 is empty.")


async def test_no_plaintext_reaches_the_history(server: RestartableTemporal) -> None:
    client = await connected(server, OLD)
    asked = Call()
    async with jobs_worker(client), worker_for(TaskQueue.RENDER, client, [Refusal().work], Settings()):
        handle = await start_calling(client, asked)
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert "Private holiday.mp4 is empty." in repr(caught.value.cause.cause), "the caller reads what went wrong"
    kept = await kept_history(server, handle.id)
    assert "holiday" not in kept
    for payload in payloads_in(json.loads(kept)):
        sealed = base64.b64decode(payload["data"])
        assert b"holiday" not in sealed
        assert payload["metadata"]["encoding"] == base64.b64encode(b"binary/encrypted").decode()


async def test_a_new_key_encrypts_and_the_old_one_still_reads(server: RestartableTemporal) -> None:
    work = Work()
    before, after = await connected(server, OLD), await connected(server, NEW, OLD)
    async with jobs_worker(before), worker_for(TaskQueue.RENDER, before, [work.work], Settings()):
        handle = await start_calling(before, Call())
        await handle.result()
    seen_later = after.get_workflow_handle(handle.id, result_type=type(await handle.result()))
    assert (await seen_later.result()).done == (await handle.result()).done
    (sealed,) = await codec(NEW, OLD).encode([Payload(data=b"x")])
    assert sealed.metadata["encryption-key-id"] == b"new"


async def test_histories_from_before_encryption_stay_readable(server: RestartableTemporal) -> None:
    work = Work()
    plain = await Client.connect(server.address, plugins=[cinema_plugin()])
    async with jobs_worker(plain), worker_for(TaskQueue.RENDER, plain, [work.work], Settings()):
        handle = await start_calling(plain, Call())
        await handle.result()
    history = await (await connected(server, NEW)).get_workflow_handle(handle.id).fetch_history()
    await Replayer(workflows=[Calling], plugins=[cinema_plugin(codec(NEW))]).replay_workflow(history)


async def test_another_key_is_a_clear_error() -> None:
    sealed = await codec(OLD).encode([Payload(data=b"secret")])
    with pytest.raises(DecryptionError, match="key 'old', which is not among the keys"):
        await codec(NEW).decode(sealed)
    with pytest.raises(DecryptionError, match="another key 'old'"):
        await codec(f"old:{key(b'x')}").decode(sealed)
    sealed[0].data = sealed[0].data[:-1] + bytes([sealed[0].data[-1] ^ 1])
    with pytest.raises(DecryptionError, match="altered"):
        await codec(OLD).decode(sealed)
    sealed[0].data = b"short"
    with pytest.raises(DecryptionError):
        await codec(OLD).decode(sealed)


async def test_equal_values_do_not_look_equal() -> None:
    one, two = await codec(OLD).encode([Payload(data=b"same"), Payload(data=b"same")])
    assert one.data != two.data


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "no key"),
        ("nothing", "not 32 bytes"),
        ("a:c2hvcnQ=", "key a is not 32 bytes"),
        (f"a:{key(b'1')},a:{key(b'2')}", "twice"),
        (f"ä:{key(b'1')}", "id:base64"),
    ],
)
def test_keys_that_make_no_sense_are_refused_without_showing_them(written: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(SettingsError, match=complaint) as caught:
        payload_codec(Settings(payload_keys_file=file))
    assert "CINEMA_PAYLOAD_KEYS_FILE" in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)


def test_keys_come_from_a_file_or_a_variable_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{NEW}\n{OLD}\n", encoding="utf-8")
    assert payload_codec(Settings()) is None
    assert payload_codec(Settings(payload_keys_file=file)) is not None
    assert payload_codec(Settings.model_validate({"payload_keys": f"{NEW},{OLD}"})) is not None
    with pytest.raises(SettingsError, match="FILE"):
        payload_codec(Settings(payload_keys_file=tmp_path / "none"))


def codec_server(token: str | None = None) -> httpx.AsyncClient:
    app = create_codec_app(codec(NEW, OLD), origins(UI), token)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8710")


def body(*payloads: Payload) -> str:
    return json_format.MessageToJson(Payloads(payloads=payloads))


async def test_the_codec_server_decrypts_for_the_web_ui() -> None:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"hello"')
    (sealed,) = await codec(OLD).encode([plain])
    async with codec_server() as http:
        for origin in (UI, "http://localhost:8233"):
            headers = {"Origin": origin, "X-Namespace": "default", "Content-Type": "application/json"}
            answer = await http.post("/decode", content=body(sealed), headers=headers)
            assert answer.headers["access-control-allow-origin"] == origin
            assert json_format.Parse(answer.content, Payloads()).payloads == [plain]
        preflight = {
            "Origin": UI,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-namespace",
        }
        assert (await http.options("/decode", headers=preflight)).status_code == 200
        encoded = await http.post("/encode", content=body(plain))
        (sealed_again,) = json_format.Parse(encoded.content, Payloads()).payloads
        assert await codec(NEW).decode([sealed_again]) == [plain]


async def test_the_codec_server_answers_nobody_else() -> None:
    sealed = body(*await codec(OLD).encode([Payload(data=b"secret")]))
    async with codec_server() as http:
        foreign = await http.post("/decode", content=sealed, headers={"Origin": "https://evil.example"})
        assert (foreign.status_code, "secret" in foreign.text) == (403, False)
        assert "access-control-allow-origin" not in foreign.headers
    async with codec_server(token="t" * 20) as http:
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "t" * 20}):
            assert (await http.post("/decode", content=sealed, headers=given)).status_code == 401
        right = {"Authorization": f"Bearer {'t' * 20}"}
        assert (await http.post("/decode", content=sealed, headers=right)).status_code == 200


async def test_the_codec_server_says_what_is_wrong_with_a_request() -> None:
    foreign = body(*await codec(f"other:{key(b'y')}").encode([Payload(data=b"x")]))
    async with codec_server() as http:
        assert (await http.post("/decode", content="no JSON")).status_code == 400
        assert (await http.post("/decode", content=b"\xff\xfe")).status_code == 400
        unknown = await http.post("/decode", content=foreign)
        assert (unknown.status_code, "'other'" in unknown.text) == (422, True)
        assert (await http.post("/decode", content=b" " * (LARGEST_REQUEST + 1))).status_code == 413


async def kept_history(server: RestartableTemporal, workflow_id: str) -> str:
    """The history as JSON, as the server keeps it."""
    client = await Client.connect(server.address)
    return (await client.get_workflow_handle(workflow_id).fetch_history()).to_json()


def payloads_in(node: object) -> list[dict[str, object]]:
    """Every payload below a JSON value of protobuf's."""
    if isinstance(node, list):
        return [found for item in node for found in payloads_in(item)]
    if not isinstance(node, dict):
        return []
    if "metadata" in node and "data" in node:
        return [node]
    return [found for item in node.values() for found in payloads_in(item)]
