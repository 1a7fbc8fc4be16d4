"""A Postgres and an object store as the stores' own tests have them, and a source as the renderer's have it."""

from pathlib import Path

import pytest

from activities.context import ActivityContext
from activities.webhook_sending import WebhookSending
from stores import LocalObjects, Pool
from stores.sealing import Seal, new_key
from tests.render.conftest import counted
from tests.stores.conftest import dsn, job, local_objects, owner_id, pool, project

__all__ = ["counted", "dsn", "job", "local_objects", "owner_id", "pool", "project"]


@pytest.fixture
def context(pool: Pool, local_objects: LocalObjects, tmp_path: Path) -> ActivityContext:
    return ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path / "models",
        scratch=tmp_path / "scratch",
        webhooks=WebhookSending(Seal([new_key()])),
    )
