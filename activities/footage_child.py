"""A child that works on a project's footage: its sources opened for it, and read for it while it runs."""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from activities.accounting import Account
from activities.context import ActivityContext
from activities.footage import Footage
from activities.made_files import require_made_in
from activities.sandbox import ChildTask, OnProgress, run_in_child
from activities.time_limit import time_left
from schemas.edl import Source
from schemas.rendering import MadePart, RenderRequest, RenderResult

Request = TypeVar("Request", bound=RenderRequest)
Result = TypeVar("Result", RenderResult, MadePart)


class FootageChild:
    """Runs children that render, within this worker's limits and the time that the activity has left."""

    def __init__(self, context: ActivityContext) -> None:
        self._footage = Footage(context)
        self._limits = context.limits

    async def run(
        self,
        task: ChildTask[Request],
        request: Request,
        result: type[Result],
        *,
        project_id: UUID,
        sources: Iterable[Source],
        frames: range,
        on_progress: OnProgress,
        account: Account,
    ) -> Result:
        """The child's answer to ``request``, which leaves out where its sources are read.

        Args:
            task: What is asked for.
            request: What it is asked with.
            result: What it answers with.
            project_id: The project whose assets the sources are.
            sources: The sources that the child is given.
            frames: The timeline frames that it shows of them.
            on_progress: Told the share done.
            account: Told what the child uses.

        Raises:
            CinemaError: A source is missing, the child failed, or it names files that it has not made.
        """
        async with self._footage.reading(project_id, request.edl, sources, frames) as opened:
            working = run_in_child(
                task,
                request.model_copy(update={"sources": opened.files}),
                result,
                limits=self._limits,
                time_limit=time_left(),
                on_progress=on_progress,
                account=account,
                hands=opened.hands,
            )
            made = await opened.serve_while(working)
        require_made_in(request.folder, made.files)
        return made
