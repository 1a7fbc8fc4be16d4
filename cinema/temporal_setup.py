"""What any Temporal needs before our workflows can run on it: the namespace and our search attributes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cinema.stack.errors import StackError
from workflows.contract import SEARCH_ATTRIBUTES

#: A server's own processes learn of a new namespace or search attribute within seconds.
SPREAD_SECONDS = 60.0
SPREAD_INTERVAL = 0.3

#: What to do about a namespace that is not ready.
MEND = "To mend that: cinema setup temporal"

#: Answers to who may not ask, or of a server that has no such service.
_FORBIDDEN = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED})

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TemporalSetup:
    """What had to be done."""

    namespace_made: bool
    retention_changed: bool
    attributes_added: tuple[str, ...]


async def set_up_temporal(address: str, namespace: str, retention: timedelta) -> TemporalSetup:
    """Have the namespace, with closed workflows kept for ``retention``, and our search attributes. Twice is no harm.

    Raises:
        RPCError: The server refuses.
        RuntimeError: Nothing answers at ``address``.
    """
    client = await Client.connect(address, namespace=namespace)
    kept = await _retention(client)
    if kept is None:
        await _make_namespace(client, retention)
    elif kept != retention:
        await _keep_for(client, retention)
    return TemporalSetup(
        namespace_made=kept is None,
        retention_changed=kept not in {None, retention},
        attributes_added=await _add_search_attributes(client),
    )


async def register_search_attributes(address: str, namespace: str) -> None:
    """Add those of our search attributes that the namespace does not have, and nothing else."""
    await _add_search_attributes(await Client.connect(address, namespace=namespace))


async def require_search_attributes(client: Client) -> None:
    """Add those of our search attributes that the client's namespace lacks; who may not even ask for them goes on.

    Raises:
        StackError: There is no such namespace, or attributes are missing that may not be added here.
        RPCError: Temporal does not answer.
    """
    try:
        missing = await missing_search_attributes(client)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise StackError(f"There is no Temporal namespace {client.namespace}. {MEND}") from error
        if error.status not in _FORBIDDEN:
            raise
        log.warning("which search attributes there are may not be asked", error=str(error))
        return
    try:
        await _add(client, missing)
    except RPCError as error:
        raise StackError(f"{lacking(client, missing)} They could not be added: {error}.") from error


async def missing_search_attributes(client: Client) -> tuple[str, ...]:
    """Those of ours that the client's namespace does not have.

    Raises:
        RPCError: Temporal does not say.
    """
    request = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(request)).custom_attributes
    return tuple(key.name for key in SEARCH_ATTRIBUTES if key.name not in known)


def lacking(client: Client, missing: Sequence[str]) -> str:
    """What operators read of it."""
    return f"The Temporal namespace {client.namespace} lacks the search attributes {', '.join(missing)}. {MEND}"


async def _retention(client: Client) -> timedelta | None:
    """How long the namespace keeps closed workflows; ``None`` where there is no such namespace."""
    try:
        found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return found.config.workflow_execution_retention_ttl.ToTimedelta()


async def _make_namespace(client: Client, retention: timedelta) -> None:
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=client.namespace,
                description="Cinema AI",
                workflow_execution_retention_period=duration(retention),
            )
        )
    except RPCError as error:
        # Somebody else was quicker.
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _keep_for(client: Client, retention: timedelta) -> None:
    config = NamespaceConfig(workflow_execution_retention_ttl=duration(retention))
    await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, config=config))


async def _add_search_attributes(client: Client) -> tuple[str, ...]:
    """Also to a namespace that was made a moment ago."""
    async with asyncio.timeout(SPREAD_SECONDS):
        while True:
            try:
                missing = await missing_search_attributes(client)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            else:
                await _add(client, missing)
                return missing
            await asyncio.sleep(SPREAD_INTERVAL)


async def _add(client: Client, names: Sequence[str]) -> None:
    if names:
        types = {
            key.name: IndexedValueType.ValueType(key.indexed_value_type.value)
            for key in SEARCH_ATTRIBUTES
            if key.name in names
        }
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=types)
        await client.operator_service.add_search_attributes(request)


def duration(length: timedelta) -> Duration:
    """As Temporal's messages have it."""
    answer = Duration()
    answer.FromTimedelta(length)
    return answer
