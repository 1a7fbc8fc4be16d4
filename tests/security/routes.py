"""Every route of the app as a request that could be sent to it, made from the app's own description."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")

#: What is in no description, or would not fit the others: the protocol of uploads.
HEADERS = {
    "uploads": {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Upload-Length": "7",
        "Content-Type": "application/offset+octet-stream",
    }
}


@dataclass(frozen=True)
class Call:
    """One operation, with a body that its schema allows. ``named``: it is about one thing, which has an owner."""

    operation: str
    subject: str
    method: str
    path: str
    named: bool
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    async def sent(self, client: httpx.AsyncClient) -> httpx.Response:
        content = {} if self.body is None else {"json": self.body}
        headers = HEADERS.get(self.subject, {}) if self.body is None else {}
        async with client.stream(self.method, self.path, params=self.query, headers=headers, **content) as answer:
            # An answer that streams is let in already by its status.
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                await answer.aread()
        return answer


def calls(app: FastAPI, ids: Mapping[str, str]) -> Iterator[Call]:
    """Every operation, about the things with these ids. Fails for a path parameter that none of them is for."""
    description = app.openapi()
    for template, item in description["paths"].items():
        for method in METHODS:
            if method in item:
                yield _call(template, method, item[method], ids, description)


def _call(
    template: str, method: str, operation: Mapping[str, Any], ids: Mapping[str, str], description: Mapping[str, Any]
) -> Call:
    path, named, query = template, False, {}
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if parameter["in"] == "path":
            assert name in ids, f"{template} names something new: put it among the belongings"
            path = path.replace(f"{{{name}}}", ids[name])
            named = named or name.endswith("_id")
        elif parameter["in"] == "query" and parameter.get("required"):
            query[name] = example(parameter["schema"], description)
    content = operation.get("requestBody", {}).get("content", {})
    body = example(content["application/json"]["schema"], description) if "application/json" in content else None
    return Call(operation["operationId"], operation["tags"][0], method.upper(), path, named, query, body)


def example(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Any:
    """The smallest value that fits."""
    if "$ref" in schema:
        return example(description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], description)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    for several in ("examples", "enum"):
        if several in schema:
            return schema[several][0]
    for alternatives in ("anyOf", "oneOf", "allOf"):
        if alternatives in schema:
            return example(schema[alternatives][0], description)
    return _of_type(schema, description)


def _of_type(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            # Where nothing is needed, something is: an order without content may be refused as such.
            needed = schema.get("required") or list(schema.get("properties", ()))[:1]
            return {name: example(schema["properties"][name], description) for name in needed}
        case "array":
            return [example(schema["items"], description) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return max(schema.get("minimum", 1), 1)
        case "boolean":
            return False
        case "string":
            return _text(schema)
        case other:
            raise AssertionError(f"no example of {other}: {schema}")


def _text(schema: Mapping[str, Any]) -> str:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    texts = {"uuid": str(UUID(int=1)), "date-time": tomorrow.isoformat()}
    return texts.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
