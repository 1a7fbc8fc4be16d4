"""What clients in other languages read of the contract is what we hold them to."""

import json
import re

import pytest
from temporalio import workflow

from tests.conftest import REPOSITORY
from workflows.contract import CONTRACT_VERSION, DIRECT_JOB, JOBS_QUEUE, SEARCH_ATTRIBUTES
from workflows.contract_schemas import contract_schemas
from workflows.direct_job import DirectJob

pytestmark = pytest.mark.unit

FOLDER = REPOSITORY / "schemas" / "contract"
GUIDE = REPOSITORY / "docs" / "workflows.md"
CLIENTS = REPOSITORY / "tests" / "clients"

DEFINITION = workflow._Definition.must_from_class(DirectJob)


def test_the_exported_schemas_are_those_of_our_models() -> None:
    exported = {file.name.removesuffix(".schema.json"): json.loads(file.read_text()) for file in FOLDER.iterdir()}
    assert exported == contract_schemas(), "run `make schema`"


def test_each_schema_states_the_version_of_the_contract() -> None:
    for name, schema in contract_schemas().items():
        assert schema["x-contract-version"] == CONTRACT_VERSION
        assert schema["$id"].endswith(f":{CONTRACT_VERSION}:{name}")


def test_every_update_is_checked_before_it_is_accepted() -> None:
    """Else one with the wrong number of arguments would stop its workflow until it is taken back."""
    assert [name for name, update in DEFINITION.updates.items() if update.validator is None] == []


def test_the_guide_names_everything_a_client_can_use() -> None:
    guide = GUIDE.read_text()
    named = [DIRECT_JOB, JOBS_QUEUE, *DEFINITION.updates, *DEFINITION.queries]
    named += [attribute.name for attribute in SEARCH_ATTRIBUTES]
    named += [f"{name}.schema.json" for name in contract_schemas()]
    assert [name for name in named if f"`{name}`" not in guide] == []


@pytest.mark.parametrize(("language", "program"), [("python", "python/direct.py"), ("ts", "typescript/direct.ts")])
def test_the_examples_in_the_guide_are_the_programs_that_are_tried(language: str, program: str) -> None:
    examples = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert (CLIENTS / program).read_text() in examples
