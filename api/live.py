"""Changes of jobs, from the database to everyone who watches: one listening connection for a whole process."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from fastapi.sse import format_sse_event

from schemas.errors import TransientError
from schemas.jobs import Job
from schemas.resources.jobs import JobResource
from stores import Pool
from stores.job_listing import JobListing
from stores.listening import JOBS_CHANNEL, Notifications, listen

#: Longest wait for a notification before the connection is looked at again.
PATIENCE: Final = timedelta(seconds=30)
#: Wait before listening again after the connection was lost.
RECONNECT_S: Final = 0.5
#: Jobs read in one query.
BATCH: Final = 100
#: Characters of a job's id.
LONGEST_ID: Final = 36

log = structlog.get_logger(__name__)


class JobEvent:
    """A job as it is now, ready to be sent. Two events with one ``id`` say the same."""

    __slots__ = ("id", "job_id", "wire")

    def __init__(self, job: Job) -> None:
        body = JobResource.of(job).model_dump_json()
        self.job_id = job.id
        self.id = f"{job.id}.{hashlib.sha256(body.encode()).hexdigest()[:16]}"
        self.wire = format_sse_event(data_str=body, event="job", id=self.id)


class GoneEvent:
    """A job that has been deleted: the last that is said of it."""

    __slots__ = ("id", "job_id", "wire")

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        self.id = f"{job_id}.deleted"
        self.wire = format_sse_event(data_str=json.dumps({"id": str(job_id)}), event="job_deleted", id=self.id)


class Mailbox:
    """The latest event of each job that one client watches and has not been sent yet: a slow client skips states."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, JobEvent | GoneEvent] = {}
        self._arrived = asyncio.Event()
        self._closed = False

    def put(self, event: JobEvent | GoneEvent) -> None:
        self._waiting[event.job_id] = event
        self._arrived.set()

    def close(self) -> None:
        self._closed = True
        self._arrived.set()

    async def collect(self, longest: timedelta) -> list[JobEvent | GoneEvent] | None:
        """What has arrived within this time, oldest first; ``None`` once the mailbox is closed."""
        try:
            # Not ``wait_for``, which waits in a task of its own: one for every stream.
            async with asyncio.timeout(longest.total_seconds()):
                await self._arrived.wait()
        except TimeoutError:
            return []
        if self._closed:
            return None
        self._arrived.clear()
        events = list(self._waiting.values())
        self._waiting.clear()
        return events


class JobChanges:
    """Reads each job that changes once, and gives it to everyone who watches it or its project."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._jobs = JobListing(pool)
        self._of_job: dict[UUID, set[Mailbox]] = defaultdict(set)
        self._of_project: dict[UUID, set[Mailbox]] = defaultdict(set)
        self._changed: set[UUID] = set()
        self._any_changed = asyncio.Event()
        self._closed = False

    @contextmanager
    def watching_job(self, job_id: UUID) -> Iterator[Mailbox]:
        """A mailbox for one job's changes."""
        with self._watching(self._of_job, job_id) as mailbox:
            yield mailbox

    @contextmanager
    def watching_project(self, project_id: UUID) -> Iterator[Mailbox]:
        """A mailbox for the changes of all jobs of a project."""
        with self._watching(self._of_project, project_id) as mailbox:
            yield mailbox

    def close(self) -> None:
        """End every stream, so that the process can stop; new ones end at once."""
        self._closed = True
        for mailbox in {box for boxes in self._mailboxes() for box in boxes}:
            mailbox.close()

    async def run(self) -> None:
        """Listen and deliver until cancelled, through any outage of the database."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._deliver())

    @contextmanager
    def _watching(self, topics: dict[UUID, set[Mailbox]], topic: UUID) -> Iterator[Mailbox]:
        mailbox = Mailbox()
        if self._closed:
            mailbox.close()
        topics[topic].add(mailbox)
        try:
            yield mailbox
        finally:
            topics[topic].discard(mailbox)
            if not topics[topic]:
                del topics[topic]

    def _mailboxes(self) -> Iterator[set[Mailbox]]:
        yield from self._of_job.values()
        yield from self._of_project.values()

    async def _listen(self) -> None:
        while True:
            try:
                async with listen(self._pool, JOBS_CHANNEL) as notifications:
                    # What changed while nobody listened is not known, so everything watched is read again.
                    self._note(self._of_job)
                    await self._read_projects()
                    await self._note_all(notifications)
            except TransientError as error:
                log.warning("changes cannot be heard", error=error.message)
                await asyncio.sleep(RECONNECT_S)

    async def _note_all(self, notifications: Notifications) -> None:
        while True:
            payload = await notifications.next(PATIENCE)
            if payload is not None:
                self._note(_job_ids(payload))

    async def _read_projects(self) -> None:
        for project_id in tuple(self._of_project):
            for job in reversed(await self._jobs.page(BATCH, project_id=project_id)):
                self._give(job)

    def _note(self, job_ids: Iterable[UUID]) -> None:
        self._changed.update(job_id for job_id in job_ids if job_id in self._of_job or self._of_project)
        if self._changed:
            self._any_changed.set()

    async def _deliver(self) -> None:
        """While jobs are read others change: they are read together next, each once."""
        while True:
            await self._any_changed.wait()
            self._any_changed.clear()
            changed = list(self._changed)[:BATCH]
            self._changed.difference_update(changed)
            try:
                jobs = await self._jobs.several(changed)
            except TransientError as error:
                log.warning("changes cannot be read", error=error.message)
                await asyncio.sleep(RECONNECT_S)
                self._note(changed)
                continue
            for job in jobs:
                self._give(job)
            for job_id in set(changed).difference(job.id for job in jobs):
                self._give_gone(job_id)
            self._note(())

    def _give(self, job: Job) -> None:
        watchers = self._of_job.get(job.id, set()) | self._of_project.get(job.project_id, set())
        if watchers:
            event = JobEvent(job)
            for mailbox in watchers:
                mailbox.put(event)

    def _give_gone(self, job_id: UUID) -> None:
        """Which project it was in is not known any more: every project's watchers pick out what they were told of."""
        event = GoneEvent(job_id)
        for mailbox in self._of_job.get(job_id, set()).union(*self._of_project.values()):
            mailbox.put(event)


def _job_ids(payload: str) -> tuple[UUID, ...]:
    """The job that a notification names. Whoever may connect to the database may send others, which say nothing."""
    try:
        return (UUID(payload),)
    except ValueError:
        log.warning("a notification names no job", payload=payload[:LONGEST_ID])
        return ()
