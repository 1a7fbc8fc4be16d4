"""The activity that tells a workflow which of its activities nobody has begun."""

from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState

from activities.declarations import FIND_QUEUED_WORK, Nothing, QueuedWork


@activity.defn(name=FIND_QUEUED_WORK.name)
async def find_queued_work(_: Nothing) -> QueuedWork:
    """Ask the server, which alone knows whether a worker has taken a task; waiting for another try counts as not."""
    info = activity.info()
    if info.workflow_id is None:
        raise RuntimeError(f"{info.activity_type} is of use to a workflow only")
    workflow = activity.client().get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
    described = await workflow.describe()
    return QueuedWork(
        activity_ids=tuple(
            pending.activity_id
            for pending in described.raw_description.pending_activities
            if pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
        )
    )
