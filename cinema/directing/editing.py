"""What the creator wants rendered: an edit changed by hand, and the files that its sources are."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from pydantic import ValidationError

from cinema.directing.footage import Footage, as_text
from cinema.directing.order import LONGEST_TITLE, Order, understand_files, understand_out
from director import import_otio
from schemas.edl import EDL
from schemas.invalid_input import InvalidInput
from schemas.jobs import BroughtPlan, JobRequest

#: Bytes of an edit: as many as are taken from elsewhere.
LARGEST_EDIT: Final = 16 << 20


@dataclass(frozen=True)
class RenderOptions:
    """The command line as it was given."""

    edit: Path
    files: tuple[str, ...]
    out: Path
    title: str | None = None
    accept_findings: bool = False


def understand_edit(options: RenderOptions) -> Order:
    """The command line, understood; each file is of the kind that the edit takes it for.

    Raises:
        typer.BadParameter: It makes no sense; nothing has been done.
    """
    edl = read_edit(options.edit)
    footage = tuple(_matched(edl, understand_files(options.files)))
    understand_out(options.out)
    edit = edl.model_dump_json(indent=1).encode()
    plan = BroughtPlan(
        variant=edl.variant, edl_sha256=hashlib.sha256(edit).hexdigest(), accept_findings=options.accept_findings
    )
    title = as_text(options.title or edl.title).strip() or footage[0].name
    request = JobRequest(variants=(edl.variant,), plans=(plan,))
    return Order(footage=footage, request=request, title=title[:LONGEST_TITLE], out=options.out, edit=edit)


def read_edit(path: Path) -> EDL:
    """The edit in an ``.edl.json``, or in an ``.otio`` that was exported here and may have been changed since.

    Raises:
        typer.BadParameter: There is none.
    """
    text = read_text(path)
    try:
        return import_otio(text) if path.suffix == ".otio" else EDL.model_validate_json(text)
    except ValidationError as error:
        raise _refused(f"{path} is no edit: {InvalidInput.from_validation(error)}.") from error
    except InvalidInput as error:
        raise _refused(f"{path} is no edit: {error}.") from error


def read_text(path: Path) -> str:
    """The text of a file that is no larger than any edit.

    Raises:
        typer.BadParameter: It cannot be read, is larger, or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_EDIT + 1)
    except OSError as error:
        raise _refused(f"{path} cannot be read: {error}.") from error
    if len(content) > LARGEST_EDIT:
        raise _refused(f"{path} is larger than any edit.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"{path} is no text.") from error


def _matched(edl: EDL, files: Sequence[Footage]) -> Iterator[Footage]:
    """The files that the edit uses, in its order; the others are not needed."""
    by_content = {_sha256(file): file for file in files}
    missing = [source.name for source in edl.sources if source.sha256 not in by_content]
    if missing:
        raise typer.BadParameter(f"None of the files is the edit's {', '.join(missing)}.", param_hint="FILE")
    for source in edl.sources:
        yield Footage(by_content[source.sha256].path, source.kind)


def _sha256(file: Footage) -> str:
    try:
        with file.path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise typer.BadParameter(f"{file.path} cannot be read: {error}.", param_hint="FILE") from error


def _refused(problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint="EDL.json")
