"""One job from the command line, from footage to finished files."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.foretelling import foretell, look_around
from activities.identity import identify
from activities.output_keys import edit_key
from activities.uploads import upload_bytes
from cinema.directing.display import Display
from cinema.directing.finishing import Finishing
from cinema.directing.following import follow
from cinema.directing.footage import Footage
from cinema.directing.foreseeing import capacity_of, in_short, look_at
from cinema.directing.guessing import KindGuesser
from cinema.directing.importing import Importer
from cinema.directing.order import Order
from cinema.directing.report import DirectReport
from cinema.owner import local_owner
from cinema.settings import Settings
from cinema.stack.errors import StackError
from cinema.stack.layout import Layout
from schemas.jobs import Job
from stores import Bucket, Jobs, ObjectStore, Pool, Projects
from workflows.contract import direct_job_id

#: Seconds that a job which was called off gets to settle while we wait.
SETTLING_SECONDS = 30.0


class DirectSession:
    """Makes one order; ``call_off`` ends what it started."""

    def __init__(self, settings: Settings, pool: Pool, objects: ObjectStore, client: Client, display: Display) -> None:
        self._settings = settings
        self._pool = pool
        self._objects = objects
        self._client = client
        self._display = display
        self._jobs = Jobs(pool)
        self._job_id: UUID | None = None

    async def make(self, order: Order) -> DirectReport:
        """Import, start, follow and deliver."""
        started = time.monotonic()
        if self._display.for_people:
            await self._foretell(order)
        created = await self._create(order)
        self._job_id = created.id
        identify(job=str(created.id))
        self._display.say(f"Job {created.id}")
        if created.request.approval is not None:
            self._display.say(f"It waits for its plans to be approved: cinema approve {created.id}")
        finishing = Finishing(
            self._settings, self._pool, self._objects, self._display, title=order.title, out=order.out
        )
        return await finishing.finish(created, since=started)

    async def call_off(self) -> None:
        """Ask the workflow to cancel, if there is one, and wait a while for the job to settle."""
        self._display.stop()
        if self._job_id is None:
            return
        self._display.say("Calling the job off…")
        await self._cancel(self._job_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING_SECONDS):
                async for _ in follow(self._jobs, self._job_id):
                    pass

    async def _foretell(self, order: Order) -> None:
        """How long it will take, before it starts; of footage that cannot be used, the job says so."""
        look = await look_at(self._settings, order.footage)
        if look.usable:
            variants = [wanted.variant for wanted in order.request.wanted()]
            deployment = await look_around(self._pool, capacity_of(self._settings))
            self._display.say(in_short(foretell(look.usable, variants, deployment).estimate))

    async def _create(self, order: Order) -> Job:
        """The project, its assets and the job as rows; the outbox does the rest."""
        owner_id = local_owner(Layout(self._settings.home))
        projects = Projects(self._pool)
        await projects.ensure_profile(owner_id)
        project = await projects.create(owner_id, order.title)
        await self._import(order.footage, owner_id, project.id)
        if order.in_given_order:
            await projects.keep_order(project.id)
        if order.edit is not None:
            key = edit_key(owner_id, project.id, hashlib.sha256(order.edit).hexdigest())
            await upload_bytes(self._objects, Bucket.OUTPUTS, key, order.edit)
        return await self._jobs.create(owner_id, project.id, order.request)

    async def _import(self, footage: Sequence[Footage], owner_id: UUID, project_id: UUID) -> None:
        importer = Importer(self._pool, self._objects, KindGuesser(self._settings, alone=len(footage) == 1))
        for position, file in enumerate(footage):
            self._display.say(f"Importing {file.name}")
            imported = await importer.add(file, owner_id=owner_id, project_id=project_id, position=position)
            if file.kind is None:
                self._display.say(f"  taken for {imported.asset.kind}: {imported.reason}")

    async def _cancel(self, job_id: UUID) -> None:
        """Through its workflow; a job whose workflow has not started, or has ended, through its row."""
        try:
            await self._client.get_workflow_handle(direct_job_id(job_id)).cancel()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise StackError(f"The job could not be called off and may go on: {error}.") from error
            await self._jobs.cancel(job_id)
