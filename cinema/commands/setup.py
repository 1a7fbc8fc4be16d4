"""``cinema setup temporal``: make a Temporal ready for our workflows."""

import asyncio
from datetime import timedelta

from rich.console import Console
from temporalio.service import RPCError

from cinema.settings import Settings, load_settings, variable
from cinema.stack.errors import StackError
from cinema.stack.launch import running_stack
from cinema.temporal_setup import TemporalSetup, set_up_temporal


def setup_temporal() -> int:
    """Say what had to be done.

    Raises:
        StackError: No Temporal is known, or it does not answer or refuses.
    """
    settings = load_settings()
    address = _address(settings)
    retention = timedelta(days=settings.temporal_retention_days)
    try:
        done = asyncio.run(set_up_temporal(address, settings.temporal_namespace, retention))
    except (RPCError, RuntimeError, TimeoutError) as error:
        raise StackError(f"The Temporal at {address} could not be set up: {error}") from error
    for line in _lines(done, settings):
        Console().print(line, highlight=False)
    return 0


def _address(settings: Settings) -> str:
    if settings.temporal_address is not None:
        return settings.temporal_address
    stack = running_stack(settings)
    if stack is None or stack.endpoints is None:
        raise StackError(f"No Temporal is known: set {variable('temporal_address')}, or start one with `cinema up`.")
    return stack.endpoints.temporal_address


def _lines(done: TemporalSetup, settings: Settings) -> list[str]:
    namespace, days = settings.temporal_namespace, settings.temporal_retention_days
    lines = []
    if done.namespace_made:
        lines.append(f"Made namespace {namespace}; it keeps closed workflows for {days} days.")
    if done.retention_changed:
        lines.append(f"Namespace {namespace} now keeps closed workflows for {days} days.")
    if done.attributes_added:
        lines.append(f"Added search attributes {', '.join(done.attributes_added)}.")
    return lines or [f"Namespace {namespace} has all it needs."]
