"""What an operator reads in the Temporal Web UI: who, which project, which stage, how far, why it failed, what next."""

from collections.abc import Iterator
from datetime import datetime

from activities.declarations import LoadedJob
from schemas.control import OutputState
from schemas.jobs import ApprovalDefault, OutputStatus
from workflows.contract import APPROVE, CANCEL_OUTPUTS, PAUSE, RESUME, RETRY_OUTPUTS
from workflows.job_book import JobBook, PartsCount


def details(job: LoadedJob, book: JobBook) -> str:
    """The workflow's current details as Markdown."""
    status = f"**{book.status}**" + (f" while {book.stage}" if book.status is not book.stage else "")
    files = len(job.assets)
    heading = (
        f"Project **{_plain(job.project_name)}** (`{job.project_id}`) of owner `{job.owner_id}`, "
        f"{files} {'file' if files == 1 else 'files'}, {job.request.pace} pace"
    )
    lines = [status, "", heading, "", *_next(book), "", "| output | state | id |", "|---|---|---|"]
    lines += [f"| {output.name} | {_state(output, book)} | `{output.output_id}` |" for output in book.outputs]
    if book.refused:
        lines += ["", "Files that could not be used:", ""]
        lines += [f"- {_plain(file.name)}: {_plain(file.error.message)} (`{file.error.code}`)" for file in book.refused]
    return "\n".join(lines)


def _next(book: JobBook) -> Iterator[str]:
    """What an operator can do now, by the names of the updates to send."""
    if book.ended is not None:
        if any(output.status in {OutputStatus.FAILED, OutputStatus.CANCELLED} for output in book.outputs):
            yield f"To make again what failed or was cancelled: `cinema retry {book.job_id}` (`{RETRY_OUTPUTS}`)."
        return
    if book.paused_until is not None:
        yield (
            f"Nothing new begins; what was being worked on is finished. To go on: `{RESUME}`. "
            f"Without that the job is called off at {_time(book.paused_until)}.\n"
        )
    if book.approve_by is not None and book.approval is not None:
        then = "approved" if book.approval.default is ApprovalDefault.APPROVE else "called off"
        yield f"Waits for `{APPROVE}`. What nobody approved until {_time(book.approve_by)} is {then}.\n"
    yield f"To stop for a while: `{PAUSE}`. " * (not book.paused) + f"To call outputs off: `{CANCEL_OUTPUTS}`."


def _state(output: OutputState, book: JobBook) -> str:
    if output.error is not None:
        return f"failed: {_plain(output.error.message)} (`{output.error.code}`)"
    if output.awaits_approval:
        return f"awaits approval of `{output.edl_key}`"
    if output.status is OutputStatus.COMPLETED:
        there = ", its video was there" if book.was_there(output.output_id) else ""
        return f"completed by attempt {output.attempt}{there}"
    if output.status is OutputStatus.RENDERING and book.awaits_video(output.output_id):
        return "waits for the same video, which is being made already"
    parts = book.parts(output.output_id)
    if output.status is OutputStatus.RENDERING and parts is not None:
        return f"{output.status}, {_parts(parts)}"
    return output.status


def _parts(parts: PartsCount) -> str:
    found = f" ({parts.found} from before)" if parts.found else ""
    if parts.there == parts.segments and parts.has_sound:
        return f"all {parts.segments} segments{found} and the sound are there, and are joined"
    sound = "the sound too" if parts.has_sound else "the sound not yet"
    return f"{parts.there} of {parts.segments} segments are there{found}, {sound}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _plain(text: str) -> str:
    """Someone else's text inside our Markdown: one line, with nothing that could be read as markup."""
    return "".join(" " if char in "\r\n|`*_[]<>#" else char for char in text)
