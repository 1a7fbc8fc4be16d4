"""A Postgres and an object store as the stores' own tests have them, and a source as the renderer's have it."""

from tests.render.conftest import counted
from tests.stores.conftest import dsn, job, local_objects, owner_id, pool, project

__all__ = ["counted", "dsn", "job", "local_objects", "owner_id", "pool", "project"]
