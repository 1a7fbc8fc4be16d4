"""Starts a job with nothing but Temporal, approves its plans once they are there, and prints how it went.

python direct.py localhost:7233 OWNER_ID OBJECT_KEY
"""

import asyncio
import json
import os
import sys
from datetime import timedelta
from uuid import uuid4

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy


async def main(address: str, owner_id: str, object_key: str) -> None:
    client = await Client.connect(address)
    job_id = str(uuid4())
    job = await client.start_workflow(
        "DirectJob",
        {
            "contract_version": 1,
            "job_id": job_id,
            "new_job": {
                "owner_id": owner_id,
                "project": {"name": "Kitchen talk"},
                "assets": [{"object_key": object_key, "name": "talk.mp4", "kind": "a_roll"}],
                "request": {
                    "variants": ["vertical_reel", "hook_cut"],
                    "pace": "fast",
                    "approval": {"default": "cancel"},
                },
            },
        },
        id=f"job-{job_id}",
        task_queue="cinema-jobs",
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        execution_timeout=timedelta(days=30),
        static_summary="Kitchen talk: vertical_reel, hook_cut",
    )
    state = await job.query("job_state")
    while state["status"] != "awaiting_approval" and await runs(job):
        await asyncio.sleep(0.2)
        state = await job.query("job_state")
    approved = None
    if state["status"] == "awaiting_approval":
        approved = await job.execute_update("approve", {})
    result = await job.result()
    print(json.dumps({"state": state, "approved": approved, "result": result}))


async def runs(job: WorkflowHandle) -> bool:
    return (await job.describe()).status is WorkflowExecutionStatus.RUNNING


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.stdout.flush()
    # All is done. Without this, threads of the SDK now and then abort an interpreter that is being taken down.
    os._exit(0)
