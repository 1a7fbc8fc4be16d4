"""``cinema setup database``: bring the Postgres of the settings to the shape that this version needs."""

import asyncio

from rich.console import Console

from cinema.settings import SettingsError, load_settings, variable
from stores import migrate


def setup_database() -> int:
    """Say which migrations were applied; may be run again.

    Raises:
        SettingsError: No Postgres is named; the embedded one is migrated by ``cinema up``.
        CinemaError: A migration was changed since it was applied, or is refused.
        TransientError: The database does not answer.
    """
    settings = load_settings()
    if settings.postgres_dsn is None:
        raise SettingsError(f"set {variable('postgres_dsn')}; the embedded Postgres is migrated by `cinema up`")
    applied = asyncio.run(migrate(settings.postgres_dsn.get_secret_value()))
    Console().print(migrations_line(applied), highlight=False)
    return 0


def migrations_line(applied: tuple[str, ...]) -> str:
    return f"Applied {', '.join(applied)}." if applied else "The database has all migrations."
