"""What a program of ours works with, opened as its settings say."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr
from temporalio.client import Client

from cinema.encryption import payload_codec
from cinema.made_once import made_once
from cinema.settings import Settings
from cinema.stack.errors import StackError
from cinema.stack.launch import running_stack
from cinema.stack.layout import Layout
from cinema.stack.state import Endpoints
from stores import LocalObjects, ObjectStore, Pool, open_pool
from stores.arrivals import Arrivals
from stores.local_arrivals import LocalArrivals
from stores.object_cache import ObjectCache
from workflows.plugin import cinema_plugin

#: Bytes of a signing key that we make ourselves.
SIGNING_KEY_BYTES = 48


@asynccontextmanager
async def database(settings: Settings, *, held: int = 0) -> AsyncIterator[Pool]:
    """A pool on the Postgres of the settings.

    Args:
        settings: where it is, and the most connections for short work.
        held: connections that long work holds besides, so that it can never leave none for the short.

    Raises:
        StackError: No address is known.
        TransientError: Nothing answers there.
    """
    if settings.postgres_dsn is None:
        raise StackError("No Postgres is known: set CINEMA_POSTGRES_DSN, or run this below `cinema up`.")
    most = settings.postgres_connections + held
    pool = await open_pool(settings.postgres_dsn.get_secret_value(), max_size=most)
    try:
        yield pool
    finally:
        await pool.close()


async def temporal(settings: Settings) -> Client:
    """A client of the Temporal of the settings, connected when it is first used, so that Temporal may be down now.

    Raises:
        SettingsError: The encryption keys make no sense.
        StackError: No address is known.
    """
    return await _connect(settings, lazy=True)


async def connected_temporal(settings: Settings) -> Client:
    """A client that is connected already, as workers need it.

    Raises:
        SettingsError: The encryption keys make no sense.
        StackError: No address is known, or nothing answers there.
    """
    try:
        return await _connect(settings, lazy=False)
    except RuntimeError as error:  # the SDK's own
        raise StackError(f"The Temporal at {settings.temporal_address} cannot be reached: {error}") from error


async def _connect(settings: Settings, *, lazy: bool) -> Client:
    if settings.temporal_address is None:
        raise StackError("No Temporal is known: set CINEMA_TEMPORAL_ADDRESS, or run this below `cinema up`.")
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        plugins=[cinema_plugin(payload_codec(settings))],
        lazy=lazy,
    )


def objects(settings: Settings) -> ObjectStore:
    """The object store of the settings: Supabase Storage where a project is named, else a local folder."""
    if settings.supabase_url is None or settings.supabase_key is None:
        return embedded_objects(settings)
    # Its client is heavy, and few installations need it.
    from stores.supabase_storage import SupabaseObjects  # noqa: PLC0415

    cache = ObjectCache(settings.object_cache_folder, limit_bytes=settings.object_cache_bytes)
    return SupabaseObjects(settings.supabase_url, settings.supabase_key.get_secret_value(), cache=cache)


def arrivals(store: ObjectStore) -> Arrivals:
    """Where uploads to this store arrive."""
    if isinstance(store, LocalObjects):
        return LocalArrivals(store)
    # As above: whoever has such a store has loaded this already.
    from stores.supabase_storage import StorageArrivals, SupabaseObjects  # noqa: PLC0415

    if not isinstance(store, SupabaseObjects):
        raise TypeError("uploads cannot arrive there")
    return StorageArrivals(store)


def embedded_objects(settings: Settings) -> LocalObjects:
    """The object store in a local folder."""
    base_url = settings.api_url or f"http://127.0.0.1:{settings.api_port}"
    return LocalObjects(settings.objects_folder, base_url=base_url, signing_key=_signing_key(settings))


def with_endpoints(settings: Settings, endpoints: Endpoints) -> Settings:
    """The settings with a running stack's addresses in them."""
    return settings.model_copy(
        update={
            "postgres_dsn": SecretStr(endpoints.postgres_dsn),
            "temporal_address": endpoints.temporal_address,
            "temporal_namespace": endpoints.temporal_namespace,
            "temporal_ui_url": endpoints.temporal_ui_url,
            "api_url": endpoints.api_url,
        }
    )


def installed(settings: Settings) -> Settings:
    """The settings with the running stack's addresses in them, unless they name a Postgres of their own.

    Raises:
        StackError: No Postgres is named and no stack runs.
    """
    if settings.postgres_dsn is not None:
        return settings
    state = running_stack(settings)
    if state is None or state.endpoints is None:
        raise StackError(f"No stack is running in {settings.home}; start it with: cinema up")
    return with_endpoints(settings, state.endpoints)


def _signing_key(settings: Settings) -> bytes:
    if settings.signing_key is not None:
        return settings.signing_key.get_secret_value().encode()
    return made_once(Layout(settings.home).signing_key, lambda: secrets.token_urlsafe(SIGNING_KEY_BYTES)).encode()
