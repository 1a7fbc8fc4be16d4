"""How our values travel through Temporal: as JSON, and answered with the field where a client got an update wrong."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter

from activities.interception import application_error
from schemas.control import ApproveOutputs, CancelOutputs, RetryOutputs
from schemas.invalid_input import InvalidInput

#: What clients send to running workflows. Nothing else may be refused this way: a result of ours that cannot be decoded
#: must fail the workflow's task, which is tried again once the mistake is mended, and never the workflow.
_OF_UPDATES = frozenset({ApproveOutputs, CancelOutputs, RetryOutputs})


class ContractPayloadConverter(PydanticPayloadConverter):
    """Pydantic's, with our own error for the argument of an update that breaks the contract."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        try:
            return super().from_payloads(payloads, type_hints)
        except ValidationError as error:
            if _OF_UPDATES.isdisjoint(type_hints or ()):
                raise
            raise application_error(InvalidInput.from_validation(error)) from error


contract_data_converter = replace(pydantic_data_converter, payload_converter_class=ContractPayloadConverter)
