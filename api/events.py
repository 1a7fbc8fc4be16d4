"""Live progress as server-sent events (HTML standard, section 9.2): a job's state whenever it changes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from api.callers import Authenticated, Context
from api.live import GoneEvent, JobEvent, Mailbox
from schemas.jobs import Job
from stores import Jobs, Projects
from stores.job_listing import JobListing

#: A comment is sent after this much silence, so that proxies keep the connection and a dead client is noticed.
HEARTBEAT: Final = timedelta(seconds=15)
#: A stream ends after this and its client comes back with a token that is still valid.
LONGEST_STREAM_S: Final = 1800.0
#: Jobs of a project whose state is sent at the start.
NEWEST: Final = 50

_COMMENT: Final = b": still here\n\n"
_EXAMPLE: Final = (
    'event: job\nid: 0b0e....5f2c\ndata: {"id": "0b0e...", "status": "rendering", ...}\n\n: still here\n\n'
)
_DESCRIBED: Final[dict[int | str, dict[str, Any]]] = {
    HTTPStatus.OK.value: {
        "description": "Events named `job`, the data of each a `JobResource`, and `job_deleted` as the last of a job; "
        "comments keep the connection alive. Come back with `Last-Event-ID` whenever the stream ends: what changed "
        "meanwhile is sent first.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}
_NOT_CACHED: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

LastEventId = Annotated[str | None, Header(max_length=64, description="The id of the last event that arrived.")]


class EventStream(StreamingResponse):
    """Events that are made once for all who watch, so that none is encoded again for each."""

    media_type = "text/event-stream"


#: ``/jobs/{job_id}/events`` and ``/projects/{project_id}/events``.
routes = APIRouter(tags=["events"])


@routes.get(
    "/jobs/{job_id}/events", name="of_job", response_class=EventStream, responses=_DESCRIBED, summary="Watch a job"
)
async def job_events(
    job_id: UUID, caller: Authenticated, context: Context, last_event_id: LastEventId = None
) -> EventStream:
    """Sends the job as it is, unless the client has that state already, and again at each change; ends with the job."""
    await Jobs(caller.connections).get(job_id)

    async def current() -> list[Job]:
        return [await Jobs(caller.connections).get(job_id)]

    watching = context.changes.watching_job(job_id)
    return EventStream(_stream(watching, current, last_event_id, until_gone=job_id), headers=_NOT_CACHED)


@routes.get(
    "/projects/{project_id}/events",
    name="of_project",
    response_class=EventStream,
    responses=_DESCRIBED,
    summary="Watch a project's jobs",
)
async def project_events(
    project_id: UUID, caller: Authenticated, context: Context, last_event_id: LastEventId = None
) -> EventStream:
    """Sends the newest jobs as they are, and each job of the project again at each of its changes."""
    await Projects(caller.connections).get(project_id)

    async def current() -> list[Job]:
        return list(reversed(await JobListing(caller.connections).page(NEWEST, project_id=project_id)))

    watching = context.changes.watching_project(project_id)
    return EventStream(_stream(watching, current, last_event_id), headers=_NOT_CACHED)


async def _stream(
    watching: AbstractContextManager[Mailbox],
    current: Callable[[], Awaitable[list[Job]]],
    last_event_id: str | None,
    *,
    until_gone: UUID | None = None,
) -> AsyncIterator[bytes]:
    """The states of now, and then each change; of a single job, until it is gone."""
    with watching as mailbox:
        sent: dict[UUID, str] = {}
        # Read after the watch began, so that no change falls between the two.
        yield _opening(await current(), last_event_id, sent)
        async for part in _changes(mailbox, sent):
            yield part
            if until_gone is not None and until_gone not in sent:
                return


def _opening(current: Iterable[Job], last_event_id: str | None, sent: dict[UUID, str]) -> bytes:
    """The current states but the one that the client has; ``sent`` says which they are.

    A stream that waits holds on to nothing else of them: there are many, and they wait long.
    """
    events = [JobEvent(job) for job in current]
    sent.update({event.job_id: event.id for event in events})
    return b"".join([*(event.wire for event in events if event.id != last_event_id), _COMMENT])


async def _changes(mailbox: Mailbox, sent: dict[UUID, str]) -> AsyncIterator[bytes]:
    """What changes, each state once; of what is gone only what the client was told of, which ``sent`` then forgets."""
    ends_at = monotonic() + LONGEST_STREAM_S
    while monotonic() < ends_at:
        events = await mailbox.collect(HEARTBEAT)
        if events is None:
            return
        news = []
        for event in events:
            if isinstance(event, GoneEvent):
                is_news = sent.pop(event.job_id, None) is not None
            else:
                is_news = sent.get(event.job_id) != event.id
                sent[event.job_id] = event.id
            if is_news:
                news.append(event.wire)
        yield b"".join(news) or _COMMENT
