"""``cinema setup supabase``: make a Supabase project ready for our objects and rows."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from cinema.commands.setup_database import migrations_line
from cinema.settings import Settings, SettingsError, load_settings, variable
from stores import migrate
from stores.supabase_storage import BucketsMade, secure_storage, set_up_buckets


@dataclass(frozen=True)
class _Done:
    """``migrations`` and ``secured`` are ``None`` where no database is named."""

    buckets: BucketsMade
    migrations: tuple[str, ...] | None
    secured: bool | None


def setup_supabase() -> int:
    """Say what had to be done; may be run again.

    Raises:
        SettingsError: No project is named.
        CinemaError: The project refuses, or its file limit is below ours.
        TransientError: The project or its database does not answer.
    """
    settings = load_settings()
    done = asyncio.run(_set_up(settings))
    for line in _lines(done, settings):
        Console().print(line, highlight=False)
    return 0


async def _set_up(settings: Settings) -> _Done:
    if settings.supabase_url is None or settings.supabase_key is None:
        raise SettingsError(f"set {variable('supabase_url')} and {variable('supabase_key')}; see supabase.md")
    key = settings.supabase_key.get_secret_value()
    buckets = await set_up_buckets(settings.supabase_url, key, file_size_limit=settings.supabase_file_bytes)
    if settings.postgres_dsn is None:
        return _Done(buckets, migrations=None, secured=None)
    dsn = settings.postgres_dsn.get_secret_value()
    return _Done(buckets, migrations=await migrate(dsn), secured=await secure_storage(dsn))


def _lines(done: _Done, settings: Settings) -> Iterator[str]:
    if done.buckets.created:
        yield f"Made buckets {', '.join(done.buckets.created)}, private."
    if done.buckets.changed:
        yield f"Made buckets {', '.join(done.buckets.changed)} private, for files up to our limit."
    if not done.buckets.created and not done.buckets.changed:
        yield f"All buckets of {settings.supabase_url} are there."
    if done.migrations is None:
        yield f"The database was left alone: {variable('postgres_dsn')} is not set."
        return
    yield migrations_line(done.migrations)
    if done.secured:
        yield "Creators may read their own objects in the database's Storage, and write none."
    else:
        yield "No policies for Storage: this database has none, or its role may not change it. See supabase.md."
