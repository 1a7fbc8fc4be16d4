"""What the running parts answer when they are asked how they are."""

import asyncio
from collections.abc import Iterable

import httpx

from cinema.stack.state import ChildStatus
from schemas.model import Model

#: Seconds that a part gets: longer than it waits for what it depends on itself.
PATIENCE = 4.0

#: What is missing of a part that is alive and gives no account of itself.
NO_ANSWER = "no answer"


class ChildHealth(Model):
    """``live`` says that its work goes on, and ``missing`` what it would need to take new work, by name."""

    live: bool
    missing: tuple[str, ...] = ()


async def health_of(children: Iterable[ChildStatus]) -> dict[str, ChildHealth]:
    """The health of every part that can be asked, by its name."""
    asked = [child for child in children if child.telemetry_url is not None]
    # Not through a proxy of the environment's: these are our own processes on this machine.
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        answers = await asyncio.gather(*(_health(client, child.telemetry_url or "") for child in asked))
    return {child.name: health for child, health in zip(asked, answers, strict=True)}


async def _health(client: httpx.AsyncClient, url: str) -> ChildHealth:
    live, ready = await asyncio.gather(_missing(client, f"{url}/livez"), _missing(client, f"{url}/readyz"))
    return ChildHealth(live=not live, missing=ready)


async def _missing(client: httpx.AsyncClient, url: str) -> tuple[str, ...]:
    """The checks that fail."""
    try:
        answer = await client.get(url)
        checks: dict[str, str] = answer.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError):
        return (NO_ANSWER,)
    return tuple(name for name, result in checks.items() if result != "ok")
