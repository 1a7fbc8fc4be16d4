"""Starts a workflow for each ``[id, input]`` in a JSON list, and prints why each was refused.

python refused.py localhost:7233 LIST
"""

import asyncio
import json
import sys
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError


async def refusal(client: Client, workflow_id: str, job: Any) -> dict[str, Any]:
    try:
        await client.execute_workflow("DirectJob", job, id=workflow_id, task_queue="cinema-jobs")
    except WorkflowFailureError as error:
        if not isinstance(error.cause, ApplicationError):
            raise
        info, problems = error.cause.details
        return {
            "type": error.cause.type,
            "message": error.cause.message,
            "non_retryable": error.cause.non_retryable,
            "info": info,
            "problems": problems,
        }
    raise SystemExit("it was not refused")


async def main(address: str, starts: str) -> None:
    client = await Client.connect(address)
    print(json.dumps([await refusal(client, *start) for start in json.loads(starts)]))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
