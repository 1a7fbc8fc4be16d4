"""An API with something of a creator's behind every address, and another creator who wants it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stores import Pool
from tests.api.gateway import Gateway, serving
from tests.security.belongings import Belongings, belongings_of
from tests.stores.conftest import dsn, pool

__all__ = ["dsn", "pool"]


@pytest.fixture
async def gateway(pool: Pool, tmp_path: Path) -> AsyncIterator[Gateway]:
    """The API over a database of this test's own; Temporal is away."""
    async with serving(pool, tmp_path / "objects") as served:
        yield served


@pytest.fixture
async def belongings(gateway: Gateway) -> Belongings:
    """What one creator has: something of each kind."""
    return await belongings_of(gateway)
