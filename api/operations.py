"""What each route does, by the names that the API's description gives it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts


@dataclass(frozen=True, slots=True)
class Operation:
    """``jobs.cancel`` is the ``id``, and ``jobs`` the ``subject``: the route's first tag."""

    id: str
    subject: str


def operations_of(app: FastAPI) -> Mapping[Callable[..., Any], Operation]:
    """By the function that answers. A tag may come from any router around a route, so they are read from outside."""
    return {
        route.endpoint: Operation(route.unique_id, str(route.tags[0]))
        for route in iter_route_contexts(app.routes)
        if route.endpoint is not None and getattr(route, "tags", None)
    }
