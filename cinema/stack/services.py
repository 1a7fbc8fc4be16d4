"""Our own programs as children: the API, the dispatcher and a worker for each task queue."""

import socket
import sys
from dataclasses import replace

from activities.declarations import TaskQueue
from cinema.gpu import has_gpu
from cinema.settings import Settings
from cinema.stack.child import ChildSpec
from cinema.stack.ports import LOOPBACK, port_of
from cinema.stack.state import Endpoints
from cinema.telemetry.descriptor import DESCRIPTOR

#: Seconds beyond its draining time that a worker gets to close what it has open.
CLOSING_SECONDS = 10.0

#: A worker with a version does nothing until that version is made current; in a stack there is only one.
UNVERSIONED = {"CINEMA_WORKER_DEPLOYMENT": "", "CINEMA_WORKER_BUILD_ID": ""}


def runtime_environment(endpoints: Endpoints) -> dict[str, str]:
    """Where things are, as settings for a child process."""
    return {
        "CINEMA_POSTGRES_DSN": endpoints.postgres_dsn,
        "CINEMA_TEMPORAL_ADDRESS": endpoints.temporal_address,
        "CINEMA_TEMPORAL_NAMESPACE": endpoints.temporal_namespace,
        "CINEMA_TEMPORAL_UI_URL": endpoints.temporal_ui_url or "",
        "CINEMA_API_URL": endpoints.api_url,
        "CINEMA_LOG_FORMAT": "json",
    }


def api_spec(endpoints: Endpoints, listener: int) -> ChildSpec:
    """``listener`` is a listening socket: while the API restarts, its clients wait instead of being refused."""
    return ChildSpec(
        name="api",
        command=(sys.executable, "-m", "cinema.serve", "--descriptor", str(listener)),
        descriptors=(listener,),
        environment=runtime_environment(endpoints),
    )


def codec_spec(endpoints: Endpoints, listener: int) -> ChildSpec:
    """Decrypts for the Temporal Web UI."""
    return ChildSpec(
        name="codec",
        command=(sys.executable, "-m", "cinema.codec_server", "--descriptor", str(listener)),
        descriptors=(listener,),
        environment=runtime_environment(endpoints),
    )


def watched_spec(spec: ChildSpec, listener: socket.socket) -> ChildSpec:
    """The same, answering operators on a listening socket that outlives it, so that its address never changes."""
    return replace(
        spec,
        descriptors=(*spec.descriptors, listener.fileno()),
        environment={**spec.environment, DESCRIPTOR: str(listener.fileno())},
        telemetry_url=f"http://{LOOPBACK}:{port_of(listener)}",
    )


def dispatcher_spec(endpoints: Endpoints) -> ChildSpec:
    return ChildSpec(
        name="dispatcher",
        command=(sys.executable, "-m", "cinema.dispatcher"),
        environment=runtime_environment(endpoints),
    )


def worker_specs(endpoints: Endpoints, settings: Settings) -> list[ChildSpec]:
    """A worker for each task queue; for those that need a GPU where there is one, or the settings say so."""
    with_gpu = has_gpu() if settings.gpu_workers is None else settings.gpu_workers
    return [
        ChildSpec(
            name=f"worker-{queue.name.lower().replace('_', '-')}",
            command=(sys.executable, "-m", "cinema.worker", "--queue", queue.value),
            environment={**runtime_environment(endpoints), **UNVERSIONED},
            stop_seconds=settings.worker_drain_seconds + CLOSING_SECONDS,
        )
        for queue in TaskQueue
        if with_gpu or not queue.needs_gpu
    ]
