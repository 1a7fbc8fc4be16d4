"""What every process of ours tells Prometheus besides what its activities count (``activities.metrics``)."""

import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from stores import Pool

#: Seconds that Temporal's part of this very process gets to answer.
PATIENCE = 1.0

log = structlog.get_logger(__name__)


class TemporalMetrics(Collector):
    """What Temporal's SDK counts, which it offers on a port of its own, among ours."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/metrics"

    def collect(self) -> Iterator[Metric]:
        try:
            with urllib.request.urlopen(self._url, timeout=PATIENCE) as answer:  # noqa: S310 (our own address)
                exposition = answer.read().decode()
        except OSError as error:
            log.warning("Temporal's metrics cannot be read", error=str(error))
            return
        yield from text_string_to_metric_families(exposition)


class PoolMetrics(Collector):
    """Connections of this process to Postgres."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        idle = self._pool.get_idle_size()
        connections = GaugeMetricFamily(
            "cinema_database_connections", "Open connections to Postgres.", labels=["state"]
        )
        connections.add_metric(["used"], self._pool.get_size() - idle)
        connections.add_metric(["idle"], idle)
        yield connections
        yield GaugeMetricFamily(
            "cinema_database_connections_max",
            "Most connections to Postgres that this process opens.",
            value=self._pool.get_max_size(),
        )


class DiskMetrics(Collector):
    """Room on the disks that the process writes to, by what it writes there."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    def collect(self) -> Iterator[Metric]:
        free = GaugeMetricFamily("cinema_disk_free_bytes", "Room left on the folder's disk.", labels=["folder"])
        size = GaugeMetricFamily("cinema_disk_size_bytes", "Size of the folder's disk.", labels=["folder"])
        for name, folder in self._folders.items():
            if folder.is_dir():
                usage = shutil.disk_usage(folder)
                free.add_metric([name], usage.free)
                size.add_metric([name], usage.total)
        yield free
        yield size


class BuildInfo(Collector):
    """Which process of which version this is."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "cinema_build", "This process.", value={"service": self._service, "version": version("cinema-ai")}
        )


def register(*collectors: Collector, registry: CollectorRegistry = REGISTRY) -> None:
    """Offer what these collect for the rest of the process's life."""
    for collector in collectors:
        registry.register(collector)
