"""The commands that steer a job: what they can be asked. Like ``cinema.cli``, each imports its work when it runs."""
# ruff: noqa: PLC0415 (see above)

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cinema.exits import leave
from schemas.edl import Variant

control = typer.Typer()

JobId = Annotated[UUID, typer.Argument(metavar="JOB", help="The job, as `cinema direct` and the Web UI name it.")]
Outputs = Annotated[
    str, typer.Option("--outputs", metavar="VARIANT[:NUMBER],…", help="Of these alone, separated by commas.")
]


@control.command()
def retry(
    job: JobId,
    outputs: Outputs = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the finished videos.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")] = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Make what failed or was cancelled again, while the job runs or long after.

    Exit status as of `cinema direct`; 130 if following it was interrupted: the job goes on.
    """
    names = _names(outputs)
    from cinema.commands.control import retry as run

    leave(run(job, names, out, as_json=as_json))


@control.command()
def cancel(job: JobId, outputs: Outputs = "") -> None:
    """Call a job off, or some of its outputs; the others go on."""
    names = _names(outputs)
    from cinema.commands.control import cancel as run

    leave(run(job, names))


@control.command()
def pause(job: JobId) -> None:
    """Begin nothing new of a job; what is being worked on is finished."""
    from cinema.commands.control import pause as run

    leave(run(job))


@control.command()
def resume(job: JobId) -> None:
    """Go on with a paused job."""
    from cinema.commands.control import resume as run

    leave(run(job))


@control.command()
def approve(job: JobId, outputs: Outputs = "") -> None:
    """Let a job render the plans it waits with; with --outputs these alone, and the others are called off."""
    names = _names(outputs)
    from cinema.commands.control import approve as run

    leave(run(job, names))


def _names(outputs: str) -> tuple[tuple[Variant, int | None], ...]:
    from cinema.directing.order import understand_names

    return understand_names(outputs)
