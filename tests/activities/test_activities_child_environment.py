"""What a process that decodes media knows of its worker."""

import pytest

from activities.child_environment import CHILD_LIBRARIES, child_environment

pytestmark = pytest.mark.unit

SECRETS = {
    "CINEMA_SIGNING_KEY": "secret",
    "OTEL_EXPORTER_OTLP_HEADERS": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "PGPASSWORD": "secret",
    "SUPABASE_SERVICE_ROLE_KEY": "secret",
    "HTTPS_PROXY": "http://user:secret@proxy",
    "SOMETHING_NEW": "secret",
}
NEEDED = {
    "PATH": "/usr/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": "/opt/lib",
    "PYTHONPATH": "/srv/cinema",
    "CUDA_VISIBLE_DEVICES": "1",
    "NVIDIA_DRIVER_CAPABILITIES": "video",
    "OMP_NUM_THREADS": "4",
}


def test_a_child_knows_where_its_libraries_are_and_no_secret() -> None:
    assert child_environment({**SECRETS, **NEEDED}, {}) == {**NEEDED, **CHILD_LIBRARIES}


def test_a_child_may_see_what_its_operator_names() -> None:
    seen = child_environment({**SECRETS, "LIBVA_DRIVER_NAME": "iHD"}, {}, ("LIBVA_DRIVER_NAME", "NOT_SET"))
    assert seen == {"LIBVA_DRIVER_NAME": "iHD", **CHILD_LIBRARIES}


def test_what_a_task_tells_its_libraries_goes_before_what_the_worker_has() -> None:
    assert child_environment({"ORT_THREADS": "8"}, {"ORT_THREADS": "1"})["ORT_THREADS"] == "1"
