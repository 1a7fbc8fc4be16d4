"""What an operator reads in the Temporal Web UI: who, which project, which stage, how far, why it failed."""

from uuid import UUID

from temporalio import workflow

from activities.declarations import AssetRef, LoadedJob, OutputRef, PlannedOutput, RenderedOutput
from schemas.errors import ErrorInfo
from schemas.jobs import JobStatus


class OperatorView:
    """The workflow's current details, kept up to date as Markdown."""

    def __init__(self) -> None:
        self._heading = ""
        self._stage = JobStatus.QUEUED
        self._outputs: dict[UUID, tuple[str, str]] = {}
        self._refusals: list[str] = []

    def introduce(self, job: LoadedJob) -> None:
        self._heading = (
            f"Project **{_plain(job.project_name)}** (`{job.project_id}`) of owner `{job.owner_id}`, "
            f"{len(job.assets)} assets, {job.request.pace} pace"
        )
        self._outputs = {output.output_id: (output.variant, output.status) for output in job.outputs}
        self._show()

    def stage(self, status: JobStatus) -> None:
        self._stage = status
        self._show()

    def refused(self, asset: AssetRef, error: ErrorInfo) -> None:
        self._refusals.append(f"- {_plain(asset.name)}: {_plain(error.message)} (`{error.code}`)")
        self._show()

    def planned(self, output: OutputRef, plan: PlannedOutput) -> None:
        self._output(output, f"planned, {plan.duration_us / 1e6:.1f} s")

    def rendered(self, output: OutputRef, rendered: RenderedOutput) -> None:
        self._output(output, f"completed by attempt {rendered.attempt}")

    def failed(self, output: OutputRef, error: ErrorInfo) -> None:
        self._output(output, f"failed: {_plain(error.message)} (`{error.code}`)")

    def _output(self, output: OutputRef, state: str) -> None:
        self._outputs[output.output_id] = (output.variant, state)
        self._show()

    def _show(self) -> None:
        lines = [f"**{self._stage}**", "", self._heading, "", "| output | state |", "|---|---|"]
        lines += [f"| {variant} | {state} |" for variant, state in self._outputs.values()]
        if self._refusals:
            lines += ["", "Files that could not be used:", "", *self._refusals]
        workflow.set_current_details("\n".join(lines))


def _plain(text: str) -> str:
    """Someone else's text inside our Markdown: one line, with nothing that could be read as markup."""
    return "".join(" " if char in "\r\n|`*_[]<>#" else char for char in text)
