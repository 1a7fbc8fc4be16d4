"""The compose file and its scripts agree with the code, as far as that can be told without a container engine."""

import os
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from temporalio.client import Client

from cinema.stack.temporal import DYNAMIC_CONFIG
from cinema.temporal_setup import set_up_temporal
from tests.cinema.conftest import RestartableTemporal
from tests.cinema.test_cinema_temporal_setup import RETENTION
from tests.conftest import REPOSITORY, TEMPORAL

pytestmark = pytest.mark.temporal

COMPOSE = REPOSITORY / "temporal-compose.yml"
SCRIPTS = REPOSITORY / "deploy" / "temporal"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return services


def test_only_this_machine_reaches_what_it_opens(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_image_has_a_version(services: dict[str, Any]) -> None:
    for service in services.values():
        name, _, version = service["image"].rpartition(":")
        assert name
        assert version[0].isdigit(), service["image"]


def test_no_secret_is_written_down_and_the_password_must_be_given(services: dict[str, Any]) -> None:
    given = [value for service in services.values() for value in _environment(service).items()]
    secrets = [value for name, value in given if "PASSWORD" in name or "PWD" in name]
    assert secrets
    assert all(value.startswith("${TEMPORAL_POSTGRES_PASSWORD") for value in secrets)
    assert "${TEMPORAL_POSTGRES_PASSWORD:?" in COMPOSE.read_text(encoding="utf-8")


def test_every_file_it_mounts_is_there(services: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    files = [REPOSITORY / path for path in mounted if path.startswith("./")]
    assert DYNAMIC_CONFIG in files
    assert all(file.is_file() for file in files)


async def test_its_namespace_script_leaves_nothing_for_our_own_setup_to_do(
    temporal_server: RestartableTemporal,
) -> None:
    namespace = f"cinema-{uuid4()}"
    for _ in range(2):
        run_script(SCRIPTS / "set-up-namespace.sh", temporal_server.address, namespace)
    done = await set_up_temporal(temporal_server.address, namespace, RETENTION)
    assert (done.namespace_made, done.retention_changed, done.attributes_added) == (False, False, ())
    assert await (await Client.connect(temporal_server.address, namespace=namespace)).count_workflows(
        "CinemaVariants = 'x'"
    )


def run_script(script: Path, address: str, namespace: str) -> None:
    environment = {
        "PATH": f"{TEMPORAL.parent}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": namespace,
        "TEMPORAL_RETENTION_DAYS": str(RETENTION.days),
    }
    done = subprocess.run(["sh", script], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def _environment(service: dict[str, Any]) -> dict[str, str]:
    environment: dict[str, str] = service.get("environment", {})
    return environment
