"""``cinema retry``, ``cancel``, ``pause``, ``resume`` and ``approve``: steering a job from the command line."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from rich.console import Console

from cinema.commands.direct import display_for, stack_for
from cinema.connections import database, installed, objects, temporal, with_endpoints
from cinema.directing.display import Display
from cinema.directing.finishing import Finishing
from cinema.directing.report import CALLED_OFF
from cinema.logs import configure_logs
from cinema.settings import Settings, load_settings
from cinema.stopping import ended_before, stop_on_signals
from schemas.control import OutputState, Steered, outputs_to_cancel
from schemas.edl import Variant
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Job
from stores import Jobs, Pool, Projects
from workflows.job_client import JobClient

#: An output of a job: its variant, and which one where one of several is meant.
Name: TypeAlias = tuple[Variant, int | None]


@dataclass(frozen=True)
class _Helm:
    """A job and what it is steered with."""

    job: Job
    pool: Pool
    client: JobClient

    def ids(self, names: Sequence[Name]) -> tuple[UUID, ...]:
        """The job's outputs of these names.

        Raises:
            CinemaError: The job makes no such output (``NOT_FOUND``).
        """
        return tuple(output_id for name in names for output_id in self._ids(*name))

    def _ids(self, variant: Variant, number: int | None) -> tuple[UUID, ...]:
        outputs = self.job.outputs
        found = tuple(of.id for of in outputs if of.variant is variant and number in {None, of.number})
        if not found:
            made = ", ".join(output.name for output in outputs)
            named = variant if number is None else f"{variant}:{number}"
            raise CinemaError(ErrorCode.NOT_FOUND, f"This job makes no {named}; it makes {made}.")
        return found


def retry(job_id: UUID, names: Sequence[Name], out: Path, *, as_json: bool) -> int:
    """Make outputs again and follow the job as ``cinema direct`` does; Ctrl-C stops following, not the job."""
    settings = load_settings()
    configure_logs(settings, service="retry")
    out.mkdir(parents=True, exist_ok=True)
    display = display_for(as_json=as_json)
    try:
        endpoints = stack_for(settings, display)
        return asyncio.run(_retry(job_id, names, out, with_endpoints(settings, endpoints), display))
    except KeyboardInterrupt:
        return CALLED_OFF


async def _retry(job_id: UUID, names: Sequence[Name], out: Path, settings: Settings, display: Display) -> int:
    interrupted = stop_on_signals()
    async with _at_helm(job_id, settings) as helm:
        since = time.monotonic()
        project = await Projects(helm.pool).get(helm.job.project_id)
        await helm.client.retry(helm.job, project, helm.ids(names))
        finishing = Finishing(settings, helm.pool, objects(settings), display, title=project.name, out=out)
        following = asyncio.create_task(finishing.finish(helm.job, since=since))
        if await ended_before(interrupted, following):
            report = following.result()
            display.finish(report)
            return report.exit_status
        display.say(f"The job goes on; call it off with: cinema cancel {job_id}")
        return CALLED_OFF


def cancel(job_id: UUID, names: Sequence[Name]) -> int:
    """Call outputs off, the whole job if none is named, and say how each output of it ended."""
    return asyncio.run(_cancel(job_id, names))


async def _cancel(job_id: UUID, names: Sequence[Name]) -> int:
    async with _at_helm(job_id, installed(load_settings())) as helm:
        wanted = helm.ids(names)
        outputs_to_cancel([OutputState.of(output) for output in helm.job.outputs], wanted)
        try:
            await helm.client.cancel_outputs(job_id, wanted)
        except CinemaError as error:
            if error.code is not ErrorCode.NOT_FOUND or wanted:
                raise
            # Its workflow has not been started, and will not be now.
            await Jobs(helm.pool).cancel(job_id)
        job = await Jobs(helm.pool).get(job_id)
    _say(f"The job is {job.status}.", *(f"{output.name} {output.status}" for output in job.outputs))
    return 0


def pause(job_id: UUID) -> int:
    asyncio.run(_pause(job_id))
    _say("Paused: what is being worked on is finished, nothing new begins.", f"Go on with: cinema resume {job_id}")
    return 0


async def _pause(job_id: UUID) -> Steered:
    async with _at_helm(job_id, installed(load_settings())) as helm:
        return await helm.client.pause(job_id)


def resume(job_id: UUID) -> int:
    steered = asyncio.run(_resume(job_id))
    _say(f"The job goes on: it is {steered.job.status}.")
    return 0


async def _resume(job_id: UUID) -> Steered:
    async with _at_helm(job_id, installed(load_settings())) as helm:
        return await helm.client.resume(job_id)


def approve(job_id: UUID, names: Sequence[Name]) -> int:
    """Let plans be rendered, all that wait if none is named; those that wait and are not named are called off."""
    steered = asyncio.run(_approve(job_id, names))
    named = {output.output_id: output.name for output in steered.job.outputs}
    _say(f"Approved: {', '.join(named[output_id] for output_id in steered.outputs)}.")
    return 0


async def _approve(job_id: UUID, names: Sequence[Name]) -> Steered:
    async with _at_helm(job_id, installed(load_settings())) as helm:
        return await helm.client.approve(job_id, helm.ids(names))


@asynccontextmanager
async def _at_helm(job_id: UUID, settings: Settings) -> AsyncIterator[_Helm]:
    async with database(settings) as pool:
        yield _Helm(await Jobs(pool).get(job_id), pool, JobClient(await temporal(settings)))


def _say(*lines: str) -> None:
    console = Console()
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
