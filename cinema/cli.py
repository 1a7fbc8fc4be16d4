"""The ``cinema`` command: what it can be asked, and nothing of how it is done.

Each command imports its own module when it runs, so that ``cinema --help`` answers at once.
"""
# ruff: noqa: PLC0415, PLR0917 (see above; typer passes options by position)

import os
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cinema.control_cli import control
from cinema.editing_cli import editing
from cinema.settings import SettingsError
from cinema.webhook_cli import webhooks
from schemas.edl import CaptionLook, Variant
from schemas.errors import CinemaError
from schemas.jobs import CaptionChoice, EditStyle, Pace, Preset

app = typer.Typer(
    name="cinema",
    help="Cinema AI, an AI video director: raw footage in, finished and verified videos out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(webhooks, name="webhooks")

app.add_typer(control)

app.add_typer(editing)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines for people.")]


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave it running in the background.")] = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Start the stack: Postgres, Temporal, API, dispatcher and workers."""
    if detach:
        from cinema.commands.stack import up_detached as run
    else:
        from cinema.commands.up import up as run

    _leave(run())


@app.command()
def down() -> None:
    """Stop the stack."""
    from cinema.commands.stack import down as run

    _leave(run())


@app.command()
def status(as_json: AsJson = False) -> None:  # noqa: FBT002 (an option of the command line)
    """Show what runs, where, and how often it had to be started again."""
    from cinema.commands.stack import status as run

    _leave(run(as_json=as_json))


@app.command()
def doctor() -> None:
    """Say what this machine lacks and how to get it."""
    from cinema.commands.doctor import doctor as run

    _leave(run())


@app.command()
def direct(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[:KIND]…", help="Footage. KIND is a_roll, b_roll, screen or audio; guessed if not given."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the finished videos.")] = Path("out"),
    outputs: Annotated[str | None, typer.Option(help="What to make, separated by commas; all if not given.")] = None,
    only: Annotated[Variant | None, typer.Option(help="Make this one alone.")] = None,
    preset: Annotated[Preset | None, typer.Option(help="Make what this set has, instead of naming outputs.")] = None,
    count: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIANT=NUMBER", help="Make several of one, such as short_highlight=3. Repeatable."),
    ] = None,
    pace: Annotated[Pace, typer.Option(help="How tightly to cut.")] = Pace.NATURAL,
    style: Annotated[EditStyle | None, typer.Option(help="How it looks, whatever the pace.")] = None,
    captions: Annotated[
        CaptionChoice | None,
        typer.Option(help="Captions in the picture or only in files; as each output is made best."),
    ] = None,
    caption_look: Annotated[CaptionLook | None, typer.Option(help="How burned-in captions stand out.")] = None,
    language: Annotated[str | None, typer.Option(help="Language spoken, such as en; heard if not given.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the project; the first file's name if not given.")] = None,
    in_order: Annotated[  # noqa: FBT002 (an option of the command line)
        bool,
        typer.Option("--in-order", help="Tell the files in this order, though it is that of their names."),
    ] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Wait for `cinema approve` before rendering.")] = False,  # noqa: FBT002 (an option of the command line)
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Direct footage into finished videos.

    Exit status: 0 all made of all files, 3 some (the others are named with their reasons), 1 none, 2 not understood,
    130 called off.
    """
    from cinema.directing.order import DirectOptions, understand

    order = understand(
        DirectOptions(
            files=tuple(files),
            outputs=only.value if only is not None else outputs,
            preset=preset,
            counts=tuple(count or ()),
            out=out,
            pace=pace,
            style=style,
            captions=captions,
            caption_look=caption_look,
            language=language,
            title=title,
            in_order=in_order,
            approve=approve,
        )
    )
    from cinema.commands.direct import direct as run

    _leave(run(order, as_json=as_json))


@app.command()
def render(
    edit: Annotated[Path, typer.Argument(metavar="EDL.json", help="The edit: an output's .edl.json, changed by hand.")],
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Its footage, known again by its content.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the finished video.")] = Path("out"),
    title: Annotated[str | None, typer.Option(help="Title of the project; the edit's own if not given.")] = None,
    accept_findings: Annotated[  # noqa: FBT002 (an option of the command line)
        bool, typer.Option("--accept-findings", help="Render it although a viewer may notice what is found.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Render an edit that was changed by hand. Exit status as for `cinema direct`."""
    from cinema.directing.editing import RenderOptions, understand_edit

    options = RenderOptions(edit=edit, files=tuple(files), out=out, title=title, accept_findings=accept_findings)
    order = understand_edit(options)
    from cinema.commands.direct import direct as run

    _leave(run(order, as_json=as_json))


setup = typer.Typer(help="Make what we run on ready for us.", no_args_is_help=True)
app.add_typer(setup, name="setup")


@setup.command()
def temporal() -> None:
    """Have the namespace and the search attributes on the Temporal server, and keep closed workflows as long as set."""
    from cinema.commands.setup import setup_temporal as run

    _leave(run())


@setup.command()
def database() -> None:
    """Apply the migrations that the Postgres of CINEMA_POSTGRES_DSN lacks."""
    from cinema.commands.setup_database import setup_database as run

    _leave(run())


@setup.command()
def supabase() -> None:
    """Have private buckets in the Supabase project, and our tables and policies in its database."""
    from cinema.commands.setup_supabase import setup_supabase as run

    _leave(run())


@setup.command("image-text")
def image_text() -> None:
    """Have CLIP among the models (156 MB), so that B-roll is shown where it looks like what is said; optional."""
    from cinema.commands.setup_image_text import setup_image_text as run

    _leave(run())


@app.command()
def estimate(
    files: Annotated[list[str], typer.Argument(metavar="FILE[:KIND]…", help="Footage, as for `cinema direct`.")],
    outputs: Annotated[str, typer.Option(help="What would be made, separated by commas.")] = ",".join(Variant),
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Say what directing footage would take, without doing it: processor time, and how long until it is finished."""
    from cinema.directing.order import understand_files, understand_outputs

    footage, variants = understand_files(files), understand_outputs(outputs)
    from cinema.commands.estimate import estimate as run

    _leave(run(footage, variants, as_json=as_json))


@app.command()
def cost(
    job: Annotated[UUID, typer.Argument(help="The job, as `cinema direct` and the Web UI name it.")],
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Show what a job used, attempt by attempt, and who pays for it."""
    from cinema.commands.cost import cost as run

    _leave(run(job, as_json=as_json))


outbox = typer.Typer(help="Show the jobs whose workflows are not started yet, and those that could not be.")
app.add_typer(outbox, name="outbox")


@outbox.callback(invoke_without_command=True)
def letters(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 (an option of the command line)
    """Show the jobs whose workflows are not started yet, and those that could not be."""
    if context.invoked_subcommand is None:
        from cinema.commands.outbox import show as run

        _leave(run(as_json=as_json))


@outbox.command()
def replay(
    job: Annotated[UUID | None, typer.Argument(help="The job whose start to try again.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Try all that were given up.")] = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Try jobs again whose start was given up, once what was wrong is mended."""
    if (job is None) != everything:
        raise typer.BadParameter("Name one job, or say --all.", param_hint="JOB")
    from cinema.commands.outbox import replay as run

    _leave(run(job))


retention = typer.Typer(help="Let go of what plans no longer keep.", no_args_is_help=True)
app.add_typer(retention, name="retention")


@retention.command("status")
def retention_status(
    days: Annotated[int, typer.Option(min=0, max=3650, help="How far to look ahead.")] = 30,
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Show what will be removed when, and how much it is."""
    from cinema.commands.retention import status as run

    _leave(run(days=days, as_json=as_json))


@retention.command("sweep")
def retention_sweep(
    now: Annotated[bool, typer.Option("--now/--dry-run", help="Remove what is due, or only show it.")] = False,  # noqa: FBT002 (an option of the command line)
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Remove what is due, beside the scheduled sweeps. Exit status 3 if some of it could not be removed."""
    if now:
        from cinema.commands.retention import sweep as run
    else:
        from cinema.commands.retention import dry_run as run

    _leave(run(as_json=as_json))


@retention.command("schedule")
def retention_schedule() -> None:
    """Bring the schedule of sweeps to what the settings say; workers do so too when they start."""
    from cinema.commands.retention import schedule as run

    _leave(run())


@app.command("delete-project")
def delete_project(
    project_id: Annotated[UUID, typer.Argument(metavar="PROJECT")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002 (an option of the command line)
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Delete a project with its footage, jobs and videos, for good, and print the proof."""
    from cinema.commands.deleting import delete_project as run

    _leave(run(project_id, confirm=lambda question: yes or typer.confirm(question), as_json=as_json))


@app.command("delete-job")
def delete_job(
    job_id: Annotated[UUID, typer.Argument(metavar="JOB")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002 (an option of the command line)
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Delete a job that has ended with what it made, for good, and print the proof; its footage stays."""
    from cinema.commands.deleting import delete_job as run

    _leave(run(job_id, confirm=lambda question: yes or typer.confirm(question), as_json=as_json))


def main() -> None:
    """Run the command and end the process with its exit status."""
    # No process below this one may import what happens to lie in the creator's folder.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    try:
        app()
    except SettingsError as error:
        _complain(str(error), exit_status=2)
    except CinemaError as error:
        _complain(error.message, exit_status=1)


def _complain(message: str, *, exit_status: int) -> None:
    typer.secho(f"cinema: {message}", err=True, fg=typer.colors.RED)
    _leave(exit_status)


def _leave(status: int) -> None:
    from cinema.exits import leave

    leave(status)
