"""What the creator asked for, understood from the command line before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError

from cinema.directing.footage import BadFootage, Footage, as_text, parse_footage
from schemas.edl import CaptionLook, Variant
from schemas.invalid_input import InvalidInput
from schemas.jobs import (
    PRESETS,
    ApprovalPolicy,
    CaptionChoice,
    EditStyle,
    JobRequest,
    OutputRequest,
    Pace,
    Preset,
)

#: Of a project's name, in characters.
LONGEST_TITLE = 200


@dataclass(frozen=True)
class DirectOptions:
    """The command line as it was given; ``outputs`` are variants separated by commas, ``counts`` ``VARIANT=NUMBER``.

    With ``approve`` nothing is rendered before somebody has approved its plan; with ``in_order`` the order of ``files``
    is the one to tell them in, though it is that of a folder.
    """

    files: tuple[str, ...]
    outputs: str | None
    out: Path
    pace: Pace
    language: str | None
    title: str | None
    approve: bool = False
    in_order: bool = False
    preset: Preset | None = None
    counts: tuple[str, ...] = ()
    style: EditStyle | None = None
    captions: CaptionChoice | None = None
    caption_look: CaptionLook | None = None


@dataclass(frozen=True)
class Order:
    """Footage to direct, what to make of it, and the folder to leave it in; ``edit`` is what ``request`` brings.

    ``in_given_order`` is whether somebody chose the order that the footage is in.
    """

    footage: tuple[Footage, ...]
    request: JobRequest
    title: str
    out: Path
    edit: bytes | None = None
    in_given_order: bool = False


def understand(options: DirectOptions) -> Order:
    """The command line, understood.

    Raises:
        typer.BadParameter: It makes no sense; nothing has been done.
    """
    footage = understand_files(options.files)
    request = _request(options)
    understand_out(options.out)
    title = as_text(options.title or footage[0].path.stem).strip() or footage[0].name
    return Order(
        footage=footage,
        request=request,
        title=title[:LONGEST_TITLE],
        out=options.out,
        in_given_order=options.in_order or _is_chosen(footage),
    )


def _is_chosen(footage: Sequence[Footage]) -> bool:
    """Whether files are in an order of somebody's own, and not in that in which a shell writes a pattern out."""
    names = [str(file.path) for file in footage]
    return names not in (sorted(names), sorted(names, key=str.casefold))


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


def understand_names(outputs: str) -> tuple[tuple[Variant, int | None], ...]:
    """Outputs of a job separated by commas: ``VARIANT`` for all of it, ``VARIANT:NUMBER`` for one of several.

    Raises:
        typer.BadParameter: there can be no such output.
    """
    return tuple(_name(name.strip()) for name in outputs.split(",") if name.strip())


def _name(name: str) -> tuple[Variant, int | None]:
    variant, colon, number = name.partition(":")
    if colon and not (number.isascii() and number.isdecimal() and int(number) > 0):
        raise typer.BadParameter(f"{name} is no output; say {variant}:1 for the first.", param_hint="--outputs")
    return understand_outputs(variant)[0], int(number) if colon else None


def _request(options: DirectOptions) -> JobRequest:
    outputs = _with_counts(_chosen(options), options.counts)
    try:
        return JobRequest(
            outputs=tuple(OutputRequest.model_validate({**dict(output), **_looks(options)}) for output in outputs),
            pace=options.pace,
            language=options.language,
            approval=ApprovalPolicy() if options.approve else None,
        )
    except ValidationError as error:
        if error.errors()[0]["loc"][:1] == ("language",):
            problem = f"{options.language!r} is no language code such as en."
            raise typer.BadParameter(problem, param_hint="--language") from error
        raise typer.BadParameter(f"{InvalidInput.from_validation(error)}", param_hint="--count") from error


def _chosen(options: DirectOptions) -> tuple[OutputRequest, ...]:
    if options.preset is None:
        named = ",".join(Variant) if options.outputs is None else options.outputs
        return tuple(OutputRequest(variant=variant) for variant in understand_outputs(named))
    if options.outputs is not None:
        raise typer.BadParameter("Name outputs or a preset, not both.", param_hint="--preset")
    return PRESETS[options.preset]


def _looks(options: DirectOptions) -> Mapping[str, object]:
    """What was said about all outputs."""
    said = {"style": options.style, "captions": options.captions, "caption_look": options.caption_look}
    return {name: value for name, value in said.items() if value is not None}


def _with_counts(outputs: Sequence[OutputRequest], counts: Sequence[str]) -> tuple[OutputRequest, ...]:
    """The outputs, as many of each as was said. Raises ``typer.BadParameter`` for one that is not made at all."""
    wanted = dict(_count(given) for given in counts)
    unknown = [variant for variant in wanted if variant not in {output.variant for output in outputs}]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is not made at all.", param_hint="--count")
    return tuple(output.model_copy(update={"count": wanted.get(output.variant, output.count)}) for output in outputs)


def _count(given: str) -> tuple[Variant, int]:
    variant, _, number = given.partition("=")
    if not (number.isascii() and number.isdecimal()):
        raise typer.BadParameter(f"{given!r} is no VARIANT=NUMBER, such as short_highlight=3.", param_hint="--count")
    return understand_outputs(variant)[0], int(number)
