"""Following a job until it has settled."""

from collections.abc import Callable
from time import monotonic
from typing import Final
from uuid import UUID

import httpx

from cinema.client.answers import PASSING, raised
from cinema.client.attempts import asked_for, waits
from cinema.client.server_events import EventParser
from cinema.client.steps import Fetch, Flow, Pause, Send
from schemas.resources.jobs import JobResource

OnChange = Callable[[JobResource], None]

EVENT: Final = "job"
#: A stream may be ended by anything in between; one that was fine for this long is opened again at once.
FINE_FOR_S: Final = 5.0


class _Watch:
    """What has been seen of a job."""

    def __init__(self, on_change: OnChange | None) -> None:
        self._on_change = on_change
        self._parser = EventParser()
        self.last_event_id: str | None = None
        self.job: JobResource | None = None

    @property
    def settled(self) -> bool:
        return self.job is not None and self.job.status.settled

    def reconnected(self) -> None:
        """Forget the half of an event that the broken stream ended with."""
        self._parser = EventParser()

    def see(self, chunk: bytes) -> bool:
        """Take in a piece of the stream; whether the job has settled."""
        for event in self._parser.feed(chunk):
            self.last_event_id = event.id
            if event.event == EVENT:
                self.job = JobResource.model_validate_json(event.data, extra="ignore")
                if self._on_change is not None:
                    self._on_change(self.job)
        return self.settled


def wait(job_id: UUID, on_change: OnChange | None = None, *, longest_s: float | None = None) -> Flow[JobResource]:
    """The job once it has settled; broken streams are taken up where they ended.

    Args:
        job_id: the job.
        on_change: called with the job as it is, and at each of its changes.
        longest_s: seconds to wait at most.

    Raises:
        TimeoutError: it has not settled within ``longest_s``.
        CinemaError: there is no such job, or the token is not valid any longer.
    """
    watch, pauses = _Watch(on_change), waits()
    ends_at = None if longest_s is None else monotonic() + longest_s
    while True:
        began, pause = monotonic(), next(pauses)
        try:
            response: httpx.Response | None = yield Fetch(
                send=_request(job_id, watch.last_event_id), into=_until(watch, ends_at)
            )
        except httpx.TransportError:
            response = None
        if watch.job is not None and watch.settled:
            return watch.job
        if ends_at is not None and monotonic() >= ends_at:
            raise TimeoutError(f"Job {job_id} has not settled within {longest_s:g} s.")
        if response is not None and response.status_code not in PASSING:
            raised(response)
        if response is not None:
            pause = asked_for(response, pause)
        if monotonic() - began > FINE_FOR_S:
            pauses = waits()
        watch.reconnected()
        yield Pause(pause)


def _until(watch: _Watch, ends_at: float | None) -> Callable[[bytes], bool]:
    # The API sends something at least every 15 s, so time is looked at often enough.
    return lambda chunk: watch.see(chunk) or (ends_at is not None and monotonic() >= ends_at)


def _request(job_id: UUID, last_event_id: str | None) -> Send:
    headers = {"Accept": "text/event-stream"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    return Send(method="GET", url=f"/jobs/{job_id}/events", headers=headers)
