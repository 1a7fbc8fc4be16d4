"""The whole API against input that it allows and that it does not: it answers as described, and nothing breaks."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.contract import LINKS
from schemas.resources.problem import Problem
from tests.api.gateway import Gateway

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

#: The same examples in every run; so many for each operation, valid ones and broken ones.
EXAMPLES = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

#: The type of a piece of an upload; any bytes will do.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

Headers = dict[str, str]


def _schema(gateway: Gateway, generation: Mapping[str, str] | None = None) -> BaseSchema:
    config = SchemathesisConfig.from_dict({"base-url": gateway.url, "generation": dict(generation or {})})
    return schemathesis.openapi.from_dict(gateway.app.openapi(), config=config)


@pytest.fixture
async def headers(gateway: Gateway) -> Headers:
    return {"Authorization": f"Bearer {gateway.issuer.token(UUID(int=7))}"}


@pytest.fixture
async def existing(gateway: Gateway, headers: Headers) -> dict[str, str]:
    """What this creator has, by the name of the parameter that stands for it."""
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client:
        project = (await client.post("/projects", json={"name": "Kitchen talk"})).json()
        job = (await client.post(f"/projects/{project['id']}/jobs", json={})).json()
    return {"project_id": project["id"], "job_id": job["id"], "output_id": job["outputs"][0]["id"]}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "broken"])
async def test_whatever_is_sent_is_answered_as_described(
    gateway: Gateway, headers: Headers, existing: dict[str, str], mode: GenerationMode
) -> None:
    for found in _schema(gateway).get_all_operations():
        operation = found.ok()
        # A stream of something that exists never ends.
        endless = operation.path.endswith("/events")
        cases = operation.as_strategy(generation_mode=mode)

        def sent(case: Case, real: bool, endless: bool = endless) -> None:
            if real and not endless:
                case.path_parameters = {**case.path_parameters, **_known(case.path_parameters, existing)}
            _check(case, headers)

        await asyncio.to_thread(_each(cases, sent))


async def test_what_follows_from_an_answer_is_answered_as_described(gateway: Gateway, headers: Headers) -> None:
    """Walks the links of the description: a project, jobs in it, calling them off, reading what became of them."""
    linked = sorted({*LINKS, *(name for links in LINKS.values() for name in links)})
    machine = _schema(gateway, {"mode": "positive"}).include(operation_id=linked).as_state_machine()

    class Walk(machine):  # type: ignore[misc, valid-type]
        def get_call_kwargs(self, _case: Case) -> dict[str, Any]:
            return {"headers": headers, "timeout": 60}

        def validate_response(self, response: Response, case: Case, **_options: object) -> None:
            _validate(case, response)

    walks = settings(EXAMPLES, max_examples=15, stateful_step_count=8)
    await asyncio.to_thread(lambda: Walk.run(settings=walks))
    jobs = await gateway.pool.fetchval("select count(*) from public.jobs")
    assert jobs > 0, "no walk came as far as a job"


DEEP = b"[" * 100_000 + b"]" * 100_000

BODIES = {
    "nothing": b"",
    "half": b"{",
    "no text": b"\xff\xfe",
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "NUL": b'{"name": "\\u0000"}',
    "control characters": b'{"name": "\\u202e\\u0007"}',
    "a number of 5000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "infinity": b'{"name": 1e999}',
    "no number": b'{"name": NaN}',
    "deep lists": DEEP,
    "a deep name": b'{"name": ' + DEEP + b"}",
    "a name twice": b'{"name": "a", "name": ["b"]}',
    "a hostile order": b'{"variants": ["\\ud800"], "language": "\\u0000"}',
    "a patient order": b'{"approval": {"timeout_seconds": 1e308}}',
    "a long id": b'{"outputs": ["' + b"0" * 100_000 + b'"]}',
}


async def test_a_body_of_any_bytes_is_refused_and_no_more(
    gateway: Gateway, headers: Headers, existing: dict[str, str]
) -> None:
    paths = ("/projects", f"/projects/{existing['project_id']}/jobs", f"/jobs/{existing['job_id']}/retry")
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client:
        for path, (name, body) in product(paths, BODIES.items()):
            answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in {400, 413, 422}, (path, name, answer.text[:500])
            assert answer.headers["content-type"] == "application/problem+json", (path, name)
            assert Problem.model_validate_json(answer.content).status == answer.status_code
            assert len(answer.content) < 5000, (path, name)


ADDRESSES = (
    "/jobs/%00",
    "/jobs/%ff%fe",
    "/jobs/../jobs%2f..",
    "/jobs?status=%00",
    "/jobs?project=%F0%9F%98%80",
    "/jobs?limit=99999999999999999999999999999999999999",
    "/jobs?limit=-1",
    "/jobs?cursor=%00",
    "/projects?cursor=" + "A" * 60,
    "/jobs/" + "a" * 8000,
    "/objects/outputs/..%2f..%2fetc%2fpasswd",
    "/objects/outputs/%00?expires=1&signature=%00",
    "/objects/outputs/a?expires=99999999999999999999&signature=" + "0" * 64,
    "/objects/%00/a",
    "/nothing",
)


async def test_an_address_of_any_bytes_is_refused_and_no_more(gateway: Gateway, headers: Headers) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client:
        for address in ADDRESSES:
            answer = await client.get(address)
            assert answer.status_code in {404, 422}, (address, answer.text[:500])
            assert answer.headers["content-type"] == "application/problem+json", address


def _known(parameters: dict[str, Any], existing: dict[str, str]) -> dict[str, str]:
    return {name: existing[name] for name in parameters if name in existing}


def _each(cases: st.SearchStrategy[Case], check: Callable[[Case, bool], None]) -> Callable[[], None]:
    @EXAMPLES
    @given(case=cases, real=st.booleans())
    def all_of_them(case: Case, real: bool) -> None:
        check(case, real)

    def run() -> None:
        with suppress(Unsatisfiable):  # Nothing that is taken could be broken.
            all_of_them()

    return run


def _check(case: Case, headers: Headers) -> None:
    _validate(case, case.call(headers=headers, timeout=60))


def _validate(case: Case, response: Response) -> None:
    # Steering needs Temporal, which is away here, and says so.
    away = response.status_code == 503 and (case.path == "/readyz" or response.json()["code"] == "stack_unavailable")
    case.validate_response(response, checks=CHECKS[1:] if away else CHECKS)
