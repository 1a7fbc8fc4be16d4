"""The API's description: complete, the one that is checked in, and free of promises nobody made."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cinema.api_description import api_description
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

Operation = dict[str, Any]

ANY = {"400", "429", "500", "503"}


@pytest.fixture(scope="module")
async def description() -> dict[str, Any]:
    return await api_description()


def operations(description: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_the_description_on_file_is_the_one_that_is_served(description: dict[str, Any]) -> None:
    on_file = json.loads((REPOSITORY / "docs" / "openapi.json").read_text())
    assert on_file == description, "run `make schema`, and see whether a client would notice the difference"


def test_every_operation_is_named_summarised_and_sorted(description: dict[str, Any]) -> None:
    known = {tag["name"] for tag in description["tags"]}
    for name, operation in operations(description):
        assert operation.get("summary"), name
        assert set(operation["tags"]) <= known, name
        assert operation["operationId"].partition(".")[0] == operation["tags"][0].replace("-", "_"), name


def test_no_two_operations_are_called_alike(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(description)]
    assert sorted(names) == sorted(set(names))
    assert {"projects.create", "projects.list", "jobs.create", "jobs.read", "events.of_job"} <= set(names)


def test_every_error_answer_is_a_problem(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert errors.keys() >= ANY, name
        if operation.get("security"):
            assert errors.keys() >= {"401", "403"}, name
        for status, answer in errors.items():
            assert answer["description"], (name, status)
            if (name, status) != ("get /readyz", "503"):
                assert list(answer.get("content", {})) in ([], ["application/problem+json"]), (name, status)


def test_no_answer_is_untyped(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                assert content.get("schema"), (name, status, media_type)
            if status in {"200", "201", "202"} and not name.startswith("head"):
                assert answer.get("content"), (name, status)


def test_every_body_has_an_example(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for name, operation in operations(description):
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            if media_type != "application/json" or "examples" in body:
                continue
            model = schemas[body["schema"]["$ref"].rpartition("/")[2]]
            for field, shape in model["properties"].items():
                if shape.get("format") == "password":
                    continue
                choice = {"enum", "$ref", "anyOf", "allOf"} & shape.keys() or shape.get("type") == "boolean"
                assert shape.get("examples") or "default" in shape or choice, (name, model["title"], field)


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for reference in _references(description):
        assert reference.rpartition("/")[2] in schemas, reference


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        found = part.get("$ref")
        if isinstance(found, str):
            yield found
        for item in part.values():
            yield from _references(item)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)
