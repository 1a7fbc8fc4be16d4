"""An output's edit, read for people: explained, compared with another, held against the grammar of editing."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from api.callers import Authenticated, Caller, Context
from api.context import ApiContext
from api.files import edit_of
from api.problems import problem_responses
from director import differences, explain
from director.grammar import cutting_of, lint
from schemas.edl import EDL
from schemas.resources.readings import EditChange, EditComparison, EditExplanation, GrammarVerdict
from stores import Outputs
from stores.threads import in_thread

Since = Annotated[UUID, Query(description="The other output, whose edit is the earlier one.")]

_UNPLANNED: Final = problem_responses(HTTPStatus.CONFLICT)

#: ``explanation``, ``changes`` and ``grammar`` below ``/outputs/{output_id}``.
routes = APIRouter(tags=["files"])


@routes.get("/outputs/{output_id}/explanation", summary="Read why an output is as it is", responses=_UNPLANNED)
async def explanation(output_id: UUID, caller: Authenticated, context: Context) -> EditExplanation:
    edl = await _edit(caller, context, output_id)
    return EditExplanation(lines=tuple((await in_thread(lambda: explain(edl))).splitlines()))


@routes.get("/outputs/{output_id}/changes", summary="Compare an output's edit with another's", responses=_UNPLANNED)
async def changes(output_id: UUID, since: Since, caller: Authenticated, context: Context) -> EditComparison:
    """Of a revision, say, with what it was made of."""
    before, after = await _edit(caller, context, since), await _edit(caller, context, output_id)
    found = await in_thread(lambda: differences(before, after))
    return EditComparison(changes=tuple(EditChange(**asdict(change)) for change in found))


@routes.get("/outputs/{output_id}/grammar", summary="Hold an edit against the grammar of editing", responses=_UNPLANNED)
async def grammar(output_id: UUID, caller: Authenticated, context: Context) -> GrammarVerdict:
    edl = await _edit(caller, context, output_id)
    return await in_thread(lambda: GrammarVerdict.model_validate(asdict(lint(cutting_of(edl)))))


async def _edit(caller: Caller, context: ApiContext, output_id: UUID) -> EDL:
    return await edit_of(context.objects, await Outputs(caller.connections).get(output_id))
