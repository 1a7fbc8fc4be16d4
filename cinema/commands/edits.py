"""``cinema explain``, ``diff``, ``lint`` and ``export``: an edit that lies in a file, read."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import typer
from rich.console import Console

from cinema.directing.editing import read_edit, read_text
from cinema.printing import printable
from director import EXPORTS, ExportFormat, differences
from director import explain as explained
from director.alike import alike, in_one, times
from director.grammar import Cutting, Finding, Verdict, cutting_of, cutting_of_otio
from director.grammar import lint as judged
from schemas.edl import Source
from schemas.invalid_input import InvalidInput
from schemas.timebase import frame_to_us


def explain(edit: Path) -> int:
    _print(explained(read_edit(edit)))
    return 0


def diff(before: Path, after: Path, *, as_json: bool) -> int:
    """Exit status 0 where nothing changed and 1 where something did, as of every diff."""
    changes = differences(read_edit(before), read_edit(after))
    if as_json:
        sys.stdout.write(json.dumps([asdict(change) for change in changes], indent=2) + "\n")
    for change in () if as_json else changes:
        at = "     -" if change.at_s is None else _clock(change.at_s)
        _print(f"  {at}  {change.sentence}" + (f"; {change.reason}" if change.reason else ""))
    return 1 if changes else 0


def lint(timeline: Path, *, as_json: bool) -> int:
    cutting = _cutting(timeline)
    verdict = judged(cutting)
    if as_json:
        sys.stdout.write(json.dumps(asdict(verdict), indent=2) + "\n")
    else:
        _print_verdict(verdict, cutting)
    return 0


def export(edit: Path, to: str, out: Path | None, media: Path | None) -> int:
    if to not in set(ExportFormat):
        raise typer.BadParameter(f"{to} is none of {', '.join(ExportFormat)}.", param_hint="--to")
    written = EXPORTS[ExportFormat(to)]
    target = out or edit.with_name(f"{_stem(edit)}.{written.ending}")
    if target == edit:
        raise typer.BadParameter(f"{target} is the edit itself; name another file with --out.", param_hint="--out")
    text = written.write(read_edit(edit), media_url=lambda source: _address(source, media))
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{target} cannot be written: {error}.", param_hint="--out") from error
    _print(f"{target} ({written.programs})")
    return 0


def _cutting(timeline: Path) -> Cutting:
    if timeline.suffix != ".otio":
        return cutting_of(read_edit(timeline))
    try:
        return cutting_of_otio(read_text(timeline))
    except InvalidInput as error:
        raise typer.BadParameter(f"{timeline}: {error}.", param_hint="TIMELINE") from error


def _print_verdict(verdict: Verdict, cutting: Cutting) -> None:
    _print(f"{verdict.score:.0f} of 100")
    for rule, cost in verdict.costs.items():
        if cost:
            _print(f"  -{cost:.1f}  {rule}")
    for group in alike(verdict.findings, lambda finding: (finding.rule, finding.sentence)):
        at = [_place(finding, cutting) for finding in group]
        said = in_one([finding.sentence for finding in group])
        _print(f"  {at[0] or '-':>6}  {group[0].rule}: {said}{times(at)} ({group[0].source})")


def _place(finding: Finding, cutting: Cutting) -> str | None:
    return None if finding.frame is None else _clock(frame_to_us(finding.frame, cutting.rate) / 1e6)


def _stem(edit: Path) -> str:
    return edit.name.removesuffix(".otio").removesuffix(".edl.json")


def _address(source: Source, media: Path | None) -> str:
    """Absolute in a folder that was named, else relative to the exported file."""
    return (media.resolve() / source.name).as_uri() if media is not None else quote(source.name)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _print(line: str) -> None:
    """Edits come from others too, and so do the names and words in them."""
    Console().print(printable(line), markup=False, highlight=False, soft_wrap=True)
