"""What the creator asked for, understood from the command line before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError

from cinema.directing.footage import BadFootage, Footage, as_text, parse_footage
from schemas.edl import Variant
from schemas.jobs import ApprovalPolicy, JobRequest, Pace

#: Of a project's name, in characters.
LONGEST_TITLE = 200


@dataclass(frozen=True)
class DirectOptions:
    """The command line as it was given; ``outputs`` are variants separated by commas.

    With ``approve`` nothing is rendered before somebody has approved its plan.
    """

    files: tuple[str, ...]
    outputs: str
    out: Path
    pace: Pace
    language: str | None
    title: str | None
    approve: bool = False


@dataclass(frozen=True)
class Order:
    """Footage to direct, what to make of it, and the folder to leave it in; ``edit`` is what ``request`` brings."""

    footage: tuple[Footage, ...]
    request: JobRequest
    title: str
    out: Path
    edit: bytes | None = None


def understand(options: DirectOptions) -> Order:
    """The command line, understood.

    Raises:
        typer.BadParameter: It makes no sense; nothing has been done.
    """
    footage = understand_files(options.files)
    variants = understand_outputs(options.outputs)
    try:
        request = JobRequest(
            variants=variants,
            pace=options.pace,
            language=options.language,
            approval=ApprovalPolicy() if options.approve else None,
        )
    except ValidationError as error:
        raise typer.BadParameter(
            f"{options.language!r} is no language code such as en.", param_hint="--language"
        ) from error
    understand_out(options.out)
    title = as_text(options.title or footage[0].path.stem).strip() or footage[0].name
    return Order(footage=footage, request=request, title=title[:LONGEST_TITLE], out=options.out)


def understand_out(out: Path) -> None:
    """Make the folder. Raises ``typer.BadParameter`` where there can be none."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{out} is no folder to write to: {error}.", param_hint="--out") from error


def understand_files(files: Sequence[str]) -> tuple[Footage, ...]:
    """Footage by ``FILE`` or ``FILE:KIND``. Raises ``typer.BadParameter`` for a file that is not there."""
    try:
        return tuple(parse_footage(argument) for argument in files)
    except BadFootage as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error


def understand_outputs(outputs: str) -> tuple[Variant, ...]:
    """Variants separated by commas, each once. Raises ``typer.BadParameter`` for one that there is not."""
    names = dict.fromkeys(name.strip() for name in outputs.split(",") if name.strip())
    unknown = [name for name in names if name not in set(Variant)]
    if unknown or not names:
        known = ", ".join(Variant)
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'} is no output; there are {known}.", param_hint="--outputs"
        )
    return tuple(Variant(name) for name in names)
