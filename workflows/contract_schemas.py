"""The workflow contract as JSON Schemas, for clients in other languages: every message, one file each.

Kept in ``schemas/contract/`` as they were exported last; a test compares.
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core.core_schema import DataclassField, ModelField, TypedDictField

from schemas.control import ApproveOutputs, CancelOutputs, JobState, RetryOutputs, Steered
from schemas.errors import ErrorInfo
from schemas.invalid_input import FieldProblem
from workflows.contract import (
    APPROVE,
    CANCEL_OUTPUTS,
    CONTRACT_VERSION,
    DIRECT_JOB,
    JOB_STATE,
    RETRY_OUTPUTS,
    DirectJobInput,
    DirectJobResult,
)

#: What a client sends may leave out what has a default, and nothing may be added to it. What it gets is always whole,
#: and may come with more fields than a client knows.
_SENT: Literal["validation"] = "validation"
_GOT: Literal["serialization"] = "serialization"


class _Generator(GenerateJsonSchema):
    def field_is_required(self, field: ModelField | DataclassField | TypedDictField, total: bool) -> bool:  # noqa: FBT001 (pydantic's)
        return self.mode == _GOT or super().field_is_required(field, total)


_MESSAGES: dict[str, tuple[Any, JsonSchemaMode]] = {
    f"{DIRECT_JOB}.input": (DirectJobInput, _SENT),
    f"{DIRECT_JOB}.result": (DirectJobResult, _GOT),
    f"{JOB_STATE}.answer": (JobState, _GOT),
    f"{RETRY_OUTPUTS}.argument": (RetryOutputs, _SENT),
    f"{CANCEL_OUTPUTS}.argument": (CancelOutputs, _SENT),
    f"{APPROVE}.argument": (ApproveOutputs, _SENT),
    "update.answer": (Steered, _GOT),
    "error.info": (ErrorInfo, _GOT),
    "error.problems": (tuple[FieldProblem, ...], _GOT),
}


def contract_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) of each message by its name."""
    return {name: _schema(name, message, mode) for name, (message, mode) in _MESSAGES.items()}


def export_schemas(folder: Path) -> None:
    """Write each schema to ``{name}.schema.json`` in ``folder``, and remove those of messages that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{name}.schema.json": json.dumps(schema, indent=1) + "\n" for name, schema in contract_schemas().items()}
    for file in folder.glob("*.schema.json"):
        if file.name not in texts:
            file.unlink()
    for file_name, text in texts.items():
        (folder / file_name).write_text(text, encoding="utf-8")


def _schema(name: str, message: Any, mode: JsonSchemaMode) -> dict[str, Any]:
    schema = TypeAdapter(message).json_schema(mode=mode, schema_generator=_Generator)
    if mode == _GOT:
        _allow_more(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:cinema-ai:workflow-contract:{CONTRACT_VERSION}:{name}",
        "x-contract-version": CONTRACT_VERSION,
        **schema,
    }


def _allow_more(schema: dict[str, Any]) -> None:
    for described in (schema, *schema.get("$defs", {}).values()):
        described.pop("additionalProperties", None)
