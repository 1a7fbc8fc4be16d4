"""The Temporal Schedule that starts retention sweeps: one per namespace, brought to what the settings say."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from cinema.settings import Settings, SweepInterval
from schemas.retention import RetentionPolicy
from workflows.contract import JOBS_QUEUE
from workflows.retention_contract import RETENTION_SCHEDULE, RETENTION_SWEEP, RetentionSweepInput

#: A sweep at night (UTC), where it is daily.
SPECS = {
    SweepInterval.HOURLY: ScheduleIntervalSpec(every=timedelta(hours=1)),
    SweepInterval.DAILY: ScheduleIntervalSpec(every=timedelta(days=1), offset=timedelta(hours=3)),
}

#: Several installations on one machine do not all begin at the same second.
JITTER = timedelta(minutes=5)


def retention_policy(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        notice=timedelta(days=settings.retention_notice_days), grace=timedelta(days=settings.retention_grace_days)
    )


async def keep_retention_schedule(client: Client, settings: Settings) -> None:
    """Have the schedule as the settings say, or none if they say so. Twice is no harm, nor many at once.

    A schedule that an operator has paused stays paused.

    Raises:
        RPCError: Temporal refuses, or does not answer.
    """
    handle = client.get_schedule_handle(RETENTION_SCHEDULE)
    if settings.retention_sweep is SweepInterval.OFF:
        try:
            await handle.delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    wanted = _schedule(settings, SPECS[settings.retention_sweep])
    try:
        await client.create_schedule(RETENTION_SCHEDULE, wanted)
    except ScheduleAlreadyRunningError:
        await handle.update(lambda found: _updated(found, wanted))


def _schedule(settings: Settings, interval: ScheduleIntervalSpec) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RETENTION_SWEEP,
            RetentionSweepInput(policy=retention_policy(settings)),
            id=RETENTION_SCHEDULE,
            task_queue=JOBS_QUEUE,
            static_summary="let go of what plans no longer keep",
        ),
        spec=ScheduleSpec(intervals=[interval], jitter=JITTER),
        policy=SchedulePolicy(
            # The one that runs does the work of the one left out.
            overlap=ScheduleOverlapPolicy.SKIP,
            # After an outage one sweep does for all that were missed, so only the latest of them is caught up on.
            catchup_window=interval.every,
        ),
    )


def _updated(found: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    wanted.state = found.description.schedule.state
    return ScheduleUpdate(schedule=wanted)
