"""Temporal's runtime of this process: its log lines among ours, and its metrics where ours can fetch them."""

import logging
from collections.abc import Mapping, Sequence

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from cinema.stack.ports import LOOPBACK, choose_port

#: How often another port is tried when somebody took the chosen one in the meantime.
PORT_TRIES = 5

#: Upper bounds in seconds: tasks wait for milliseconds or, when workers are missing, for hours.
WAITING = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600)
BUCKETS: Mapping[str, Sequence[float]] = {
    "temporal_activity_schedule_to_start_latency": WAITING,
    "temporal_workflow_task_schedule_to_start_latency": WAITING,
}


def use_logging_runtime() -> None:
    """For a command: every Temporal client of this process logs through our loggers."""
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=_logging())))


def use_measured_runtime() -> str:
    """For a service: the same, and its metrics can be fetched from the loopback address returned."""
    runtime, address = measured_runtime()
    Runtime.set_default(runtime)
    return address


def measured_runtime() -> tuple[Runtime, str]:
    """A runtime that logs through our loggers, and the loopback address of its metrics.

    Raises:
        ValueError: No port could be had.
    """
    for tries_left in reversed(range(PORT_TRIES)):
        address = f"{LOOPBACK}:{choose_port(0)}"
        try:
            return Runtime(telemetry=TelemetryConfig(logging=_logging(), metrics=_prometheus(address))), address
        except ValueError:
            if tries_left == 0:
                raise
    raise AssertionError("unreachable")


def _prometheus(address: str) -> PrometheusConfig:
    return PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=BUCKETS,
    )


def _logging() -> LoggingConfig:
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    return LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
