import json

import pytest

from director import edl_json_schema
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit


def test_the_schema_clients_read_is_the_one_we_check() -> None:
    exported = json.loads((REPOSITORY / "docs" / "edl.schema.json").read_text())
    assert exported == edl_json_schema(), "run `make schema`"
