"""The row-level security of stored objects, in the project's database."""

import asyncpg

from stores.database import database_errors


async def secure_storage(dsn: str) -> bool:
    """Makes the policies of migration 0017 anew, which found no Storage if that came later.

    Returns:
        Whether they are in place; not where the database has no Storage, or the role may not change it.

    Raises:
        TransientError: the server cannot be reached (``STORE_UNAVAILABLE``).
    """
    with database_errors():
        connection = await asyncpg.connect(dsn, statement_cache_size=0)
        try:
            return bool(await connection.fetchval("select cinema.secure_storage()"))
        finally:
            await connection.close()
