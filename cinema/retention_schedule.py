"""The Temporal Schedule that starts retention sweeps: one per namespace, brought to what the settings say."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from temporalio.api.common.v1 import Payloads, WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import IntervalSpec, Schedule, ScheduleAction, SchedulePolicies, ScheduleSpec
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeScheduleRequest,
    UpdateScheduleRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cinema.settings import Settings, SweepInterval
from cinema.temporal_setup import duration
from schemas.retention import RetentionPolicy
from workflows.contract import JOBS_QUEUE
from workflows.retention_contract import RETENTION_SCHEDULE, RETENTION_SWEEP, RetentionSweepInput

#: A sweep at night (UTC), where it is daily.
_DAY, _NIGHT = timedelta(days=1), timedelta(hours=3)
INTERVALS = {
    SweepInterval.HOURLY: IntervalSpec(interval=duration(timedelta(hours=1))),
    SweepInterval.DAILY: IntervalSpec(interval=duration(_DAY), phase=duration(_NIGHT)),
}

#: Several installations on one machine do not all begin at the same second.
JITTER = timedelta(minutes=5)

#: Seconds in which a change of the schedule is carried out, and between two looks whether it has been.
CHANGE_SECONDS = 20.0
LOOK_INTERVAL = 0.1


def retention_policy(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        notice=timedelta(days=settings.retention_notice_days), grace=timedelta(days=settings.retention_grace_days)
    )


async def keep_retention_schedule(client: Client, settings: Settings) -> None:
    """Have the schedule as the settings say, or none if they say so. Twice is no harm, nor many at once.

    A schedule that an operator pauses stays paused, be it at the same moment.

    Raises:
        RPCError: Temporal refuses, or does not answer.
        TimeoutError: It does not carry the change out.
    """
    if settings.retention_sweep is SweepInterval.OFF:
        try:
            await client.get_schedule_handle(RETENTION_SCHEDULE).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    kept = _KeptSchedule(client, await _schedule(client, settings, INTERVALS[settings.retention_sweep]))
    if not await kept.create():
        async with asyncio.timeout(CHANGE_SECONDS):
            await kept.change()


@dataclass(frozen=True)
class _KeptSchedule:
    """In Temporal's own messages: only there does a change say what it is a change of."""

    client: Client
    wanted: Schedule

    async def create(self) -> bool:
        """Make it; ``False`` where there is one."""
        request = CreateScheduleRequest(
            namespace=self.client.namespace,
            schedule_id=RETENTION_SCHEDULE,
            schedule=self.wanted,
            identity=self.client.identity,
            request_id=str(uuid4()),
        )
        try:
            await self.client.workflow_service.create_schedule(request, retry=True)
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise
            return False
        return True

    async def change(self) -> None:
        """Bring the one there is to what is wanted, but for its state, which is the operators'.

        Temporal takes an order before it carries it out, and drops it without a word where the schedule is no longer
        what it was meant for. So look again until it says what it should.
        """
        asked = DescribeScheduleRequest(namespace=self.client.namespace, schedule_id=RETENTION_SCHEDULE)
        meant_for: bytes | None = None
        while True:
            found = await self.client.workflow_service.describe_schedule(asked, retry=True)
            if _meaning(found.schedule) == _meaning(self.wanted):
                return
            if found.conflict_token == meant_for:
                await asyncio.sleep(LOOK_INTERVAL)
                continue
            meant_for = found.conflict_token
            changed = Schedule(state=found.schedule.state)
            changed.MergeFrom(self.wanted)
            request = UpdateScheduleRequest(
                namespace=self.client.namespace,
                schedule_id=RETENTION_SCHEDULE,
                schedule=changed,
                conflict_token=meant_for,
                identity=self.client.identity,
                request_id=str(uuid4()),
            )
            await self.client.workflow_service.update_schedule(request, retry=True)


def _meaning(schedule: Schedule) -> tuple[ScheduleSpec, SchedulePolicies, str, str, Payloads]:
    """All that we set, without what a server adds. Encrypted anew, the same input is another one."""
    begun = schedule.action.start_workflow
    return schedule.spec, schedule.policies, begun.workflow_type.name, begun.task_queue.name, begun.input


async def _schedule(client: Client, settings: Settings, interval: IntervalSpec) -> Schedule:
    policy = RetentionSweepInput(policy=retention_policy(settings))
    (summary,) = await client.data_converter.encode(["let go of what plans no longer keep"])
    return Schedule(
        action=ScheduleAction(
            start_workflow=NewWorkflowExecutionInfo(
                workflow_id=RETENTION_SCHEDULE,
                workflow_type=WorkflowType(name=RETENTION_SWEEP),
                task_queue=TaskQueue(name=JOBS_QUEUE),
                input=Payloads(payloads=await client.data_converter.encode([policy])),
                user_metadata=UserMetadata(summary=summary),
            )
        ),
        spec=ScheduleSpec(interval=[interval], jitter=duration(JITTER)),
        policies=SchedulePolicies(
            # The one that runs does the work of the one left out.
            overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP,
            # After an outage one sweep does for all that were missed, so only the latest of them is caught up on.
            catchup_window=interval.interval,
        ),
    )
