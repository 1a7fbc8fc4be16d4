"""The commands that read an edit: explain it, compare two, hold one against the grammar, write one for others."""
# ruff: noqa: PLC0415 (each command imports its own module when it runs)

from pathlib import Path
from typing import Annotated

import typer

from cinema.exits import leave

editing = typer.Typer(no_args_is_help=True)

Edit = Annotated[
    Path, typer.Argument(metavar="EDIT", help="An output's .edl.json, or an .otio that was exported here.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines for people.")]


@editing.command()
def explain(edit: Edit) -> None:
    """Tell an edit as a person would: what it is, and why each thing was done."""
    from cinema.commands.edits import explain as run

    leave(run(edit))


@editing.command()
def diff(before: Edit, after: Edit, as_json: AsJson = False) -> None:  # noqa: FBT002 (an option of the command line)
    """Say what changed from one edit to another, and why. Exit status 1 if anything did."""
    from cinema.commands.edits import diff as run

    leave(run(before, after, as_json=as_json))


@editing.command()
def lint(
    timeline: Annotated[
        Path, typer.Argument(metavar="TIMELINE", help="An .edl.json, or any program's OpenTimelineIO file.")
    ],
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Hold a timeline against the grammar of editing: a score of 100, and every place that breaks a rule."""
    from cinema.commands.edits import lint as run

    leave(run(timeline, as_json=as_json))


@editing.command()
def export(
    edit: Edit,
    to: Annotated[str, typer.Option("--to", help="otio, fcpxml, premiere or cmx3600.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; beside the edit if not given.")
    ] = None,
    media: Annotated[
        Path | None, typer.Option(help="Folder of the footage; addresses are relative if not given.")
    ] = None,
) -> None:
    """Write an edit for another editing program."""
    from cinema.commands.edits import export as run

    leave(run(edit, to, out, media))
