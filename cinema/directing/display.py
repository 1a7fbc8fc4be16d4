"""What a person at a terminal sees of a job: live while it runs, and what became of it."""

import sys
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cinema.directing.report import DirectReport, OutputOutcome
from schemas.delivery import DeliveryReport
from schemas.errors import ErrorInfo
from schemas.jobs import AssetStatus, Job, JobStatus, Output, OutputStatus

STAGES = (JobStatus.QUEUED, JobStatus.ANALYSING, JobStatus.PLANNING, JobStatus.RENDERING)

#: What a job waits for somebody in.
WAITING = frozenset({JobStatus.AWAITING_APPROVAL, JobStatus.PAUSED})

STYLES = {
    OutputStatus.QUEUED: "dim",
    OutputStatus.PLANNED: "cyan",
    OutputStatus.RENDERING: "yellow",
    OutputStatus.COMPLETED: "green",
    OutputStatus.FAILED: "red",
    OutputStatus.CANCELLED: "dim red",
}

BAR_WIDTH = 30


class Display(Protocol):
    """Told of what happens; shows it or not. ``for_people`` says whether what is said reaches anybody."""

    for_people: bool

    def say(self, line: str) -> None: ...

    def show(self, job: Job) -> None: ...

    def stop(self) -> None: ...

    def finish(self, report: DirectReport) -> None: ...


class JsonDisplay:
    """Nothing until the end, then one JSON document on standard output."""

    for_people = False

    def say(self, line: str) -> None:
        """For people only."""

    def show(self, job: Job) -> None:
        """For people only."""

    def stop(self) -> None:
        """There is nothing to take away."""

    def finish(self, report: DirectReport) -> None:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")


class LineDisplay:
    """A line for each change, for logs and pipes."""

    for_people = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, job: Job) -> None:
        lines = [f"job {job.status}", *(f"{output.name} {output.status}" for output in job.outputs)]
        for line in lines:
            if line not in self._said:
                self._said.add(line)
                self.say(line)

    def stop(self) -> None:
        """There is nothing to take away."""

    def finish(self, report: DirectReport) -> None:
        for line in outcome_lines(report):
            self._console.print(line, highlight=False, soft_wrap=True)


class LiveDisplay:
    """A table that follows the job in place, and lines for what comes before and after."""

    for_people = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True)

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def show(self, job: Job) -> None:
        if not self._live.is_started:
            self._live.start()
        self._live.update(_following(job))

    def stop(self) -> None:
        self._live.stop()

    def finish(self, report: DirectReport) -> None:
        for line in outcome_lines(report):
            self._console.print(line, highlight=False, soft_wrap=True)


def outcome_lines(report: DirectReport) -> list[str]:
    """What became of each file and each output, in Rich's markup."""
    refused = [asset for asset in report.assets if asset.status is AssetStatus.REFUSED]
    lines = [f"[red]not used[/] {escape(asset.name)}: {_reason(asset.error)}" for asset in refused]
    lines += [_output_line(output) for output in report.outputs]
    lines.append(f"analyses: {report.analyses.computed} computed, {report.analyses.reused} reused")
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report.stages.items())
    lines.append(f"{report.status.value} in {report.seconds:.1f} s" + (f" ({stages})" if stages else ""))
    if report.error is not None:
        lines.append(f"[red]{escape(report.error.message)}[/]")
    if report.temporal_ui_url is not None:
        lines.append(f"Temporal Web UI: {report.temporal_ui_url}")
    return lines


def _output_line(output: OutputOutcome) -> str:
    label = f"[{STYLES[output.status]}]{output.status.value:<9}[/] {output.name}"
    if output.status is OutputStatus.COMPLETED and output.error is None:
        about = "" if output.report is None else f" ({_about(output.report)})"
        return f"{label}{about}: {escape(str(output.files.get('mp4', '')))}"
    return f"{label}: {_reason(output.error)}" if output.error is not None else label


def _about(report: DeliveryReport) -> str:
    """How long the video is, and whether it had to be rendered."""
    return f"{report.metrics.duration_s:.1f} s" + (", the video was there" if report.reused else "")


def _reason(error: ErrorInfo | None) -> str:
    return "no reason is known" if error is None else escape(f"{error.message} ({error.code})")


def _following(job: Job) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for output in job.outputs:
        state = Text(output.status.value, style=STYLES[output.status])
        bar = ProgressBar(total=1.0, completed=output.progress, width=BAR_WIDTH)
        table.add_row(output.name, state, bar, f"{output.progress:>4.0%}", _doing(output))
    return Group(_stage_line(job), table)


def _stage_line(job: Job) -> Text:
    line = Text()
    for stage in STAGES:
        line.append(f" {stage.value} ", style="bold reverse" if stage is job.status else "dim")
    if job.status in WAITING:
        line.append(f" {job.status.value} ", style="bold reverse yellow")
    return line


def _doing(output: Output) -> Text:
    if output.error is not None:
        return Text(output.error.message, style="red", overflow="ellipsis", no_wrap=True)
    return Text(output.stage if output.stage != output.status else "", style="dim")
