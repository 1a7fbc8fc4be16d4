"""A Postgres and an object store, as the stores' own tests have them."""

from tests.stores.conftest import dsn, job, local_objects, owner_id, pool, project, server_dsn, template

__all__ = ["dsn", "job", "local_objects", "owner_id", "pool", "project", "server_dsn", "template"]
