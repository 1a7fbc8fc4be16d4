"""Finds jobs whose workflow has ended before their outputs had, and says so in their rows. Part of the dispatcher.

A workflow settles its job itself, however it goes; but an operator may terminate it, Temporal ends one that has run for
longer than any job may, and a server that was set up anew has never heard of it. Without this such a job would say for
ever that it is being worked on, and could not be tried again.
"""

import asyncio
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from cinema.dispatch_loop import START_TIMEOUT
from schemas.errors import ErrorCode, ErrorInfo, TransientError
from stores import Pool
from stores.stranded import StrandedJobs
from workflows.contract import direct_job_id

#: How long a job says nothing before its workflow is asked for: what is rendered says something every few seconds.
QUIET = timedelta(minutes=1)

LOOK_EVERY_SECONDS = 20.0

#: Jobs asked for at a time; where more of them wait for their turn, the others are asked for the next time.
BATCH = 100

_BY_OPERATOR = "The work on this was ended by whoever runs this service before it was done; it can be tried again."
_TOO_LONG = "This was not done within the longest time that a job may take; it can be tried again."
_ENDED = "The work on this ended before it was done, for reasons on our side; it can be tried again."
_SENTENCES: Final = MappingProxyType(
    {WorkflowExecutionStatus.TERMINATED: _BY_OPERATOR, WorkflowExecutionStatus.TIMED_OUT: _TOO_LONG}
)

log = structlog.get_logger("cinema.stranded_jobs")


class StrandedJobWatch:
    """Any number may run: what one has settled, the others leave alone."""

    def __init__(self, pool: Pool, client: Client, quiet: timedelta = QUIET) -> None:
        self._stranded = StrandedJobs(pool)
        self._client = client
        self._quiet = quiet
        self._after: UUID | None = None

    async def run(self) -> None:
        """Look now and again, until cancelled."""
        while True:
            try:
                await self.look()
            except TransientError as error:
                log.warning("jobs without a sign of life cannot be looked for at the moment", error=error.message)
            except (RPCError, RuntimeError) as error:
                # RuntimeError: the SDK's own, where a client that connects at its first call cannot.
                log.warning("Temporal cannot be asked for jobs without a sign of life", error=str(error))
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Ask for the workflows of the next jobs without a sign of life.

        Raises:
            TransientError: the database cannot be reached.
            RPCError, RuntimeError: Temporal cannot.
        """
        jobs = await self._stranded.quiet(self._quiet, after=self._after, limit=BATCH)
        for job_id in jobs:
            await self._check(job_id)
        self._after = jobs[-1] if len(jobs) == BATCH else None

    async def _check(self, job_id: UUID) -> None:
        status = await self._status(job_id)
        if status is WorkflowExecutionStatus.RUNNING:
            return
        message = _SENTENCES.get(status, _ENDED) if status is not None else _ENDED
        error = ErrorInfo(code=ErrorCode.WORK_ENDED, message=message, retryable=True)
        if await self._stranded.fail(job_id, error, self._quiet):
            ended = "unknown to Temporal" if status is None else status.name.lower()
            log.error(
                "a job's workflow ended before its outputs did; it can be tried again", job=str(job_id), workflow=ended
            )

    async def _status(self, job_id: UUID) -> WorkflowExecutionStatus | None:
        """How the job's latest workflow is; None where there is none."""
        try:
            described = await self._client.get_workflow_handle(direct_job_id(job_id)).describe(
                rpc_timeout=START_TIMEOUT
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return described.status
