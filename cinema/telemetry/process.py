"""Making a process of ours observable, before it does anything else."""

from prometheus_client import disable_created_metrics

from cinema.logs import configure_logs
from cinema.settings import Settings
from cinema.telemetry.metrics import BuildInfo, DiskMetrics, TemporalMetrics, register
from cinema.telemetry.temporal_runtime import use_logging_runtime, use_measured_runtime
from cinema.telemetry.tracing import start_tracing


def observe_command(settings: Settings, *, service: str) -> None:
    """For a command that a person runs: logs and traces."""
    configure_logs(settings, service=service)
    start_tracing(service)
    use_logging_runtime()


def observe_service(settings: Settings, *, service: str) -> None:
    """For a process that stays: logs, traces and metrics. ``cinema.telemetry.endpoint`` offers the metrics."""
    configure_logs(settings, service=service)
    start_tracing(service)
    # When a series began is told by Prometheus's own records; as series of their own these would double ours.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    register(
        BuildInfo(service),
        TemporalMetrics(use_measured_runtime()),
        DiskMetrics({"scratch": settings.scratch_folder, "objects": settings.objects_folder}),
    )
