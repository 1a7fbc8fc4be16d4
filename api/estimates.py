"""What a job would take, said before it is ordered."""

import asyncio
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError

from activities.artifacts import read_probe
from activities.estimating import PROBE
from activities.foretelling import Foretold, UnknownFile, foretell, look_around
from api.callers import Authenticated, Context
from api.context import ApiContext
from api.problems import problem_responses
from schemas.analysing import ArtifactRef
from schemas.errors import CinemaError, ConflictError, ErrorCode
from schemas.jobs import Asset, AssetStatus, JobRequest, WantedOutput
from schemas.media import MediaProbe
from schemas.resources.estimates import EstimatedOutput, EstimateResource
from stores import Analyses, Assets, Projects

#: ``/projects/{project_id}/estimate``.
routes = APIRouter(tags=["jobs"])


@routes.post(
    "/projects/{project_id}/estimate",
    name="estimate",
    responses=problem_responses(HTTPStatus.CONFLICT),
    summary="Estimate what a job would take",
)
async def estimate(project_id: UUID, request: JobRequest, caller: Authenticated, context: Context) -> EstimateResource:
    """Nothing is ordered and nothing is looked into: it goes by what is known of the project's footage so far."""
    project = await Projects(caller.connections).get(project_id)
    live = await Assets(caller.connections).live_for_project(project.id)
    usable = [asset for asset in live if asset.status is AssetStatus.READY]
    if not usable:
        raise ConflictError(ErrorCode.INVALID_TRANSITION, "This project has no footage to make anything of yet.")
    probes = await _probes(context, usable)
    unknown = [asset for asset in usable if asset.sha256 not in probes]
    wanted = request.wanted()
    told = foretell(
        [(asset.kind, probes[asset.sha256]) for asset in usable if asset.sha256 in probes],
        tuple(output.variant for output in wanted),
        await look_around(context.database, context.capacity),
        [UnknownFile(asset.kind, asset.size_bytes) for asset in unknown],
    )
    return _resource(told, wanted, tuple(asset.id for asset in unknown))


async def _probes(context: ApiContext, assets: list[Asset]) -> dict[str, MediaProbe]:
    """What is known of the assets' contents, by SHA-256."""
    known = await Analyses(context.database).known_of(sorted({asset.sha256 for asset in assets}))
    newest = {
        sha256: next(ref for ref in refs if ref.analyzer == PROBE)
        for sha256, refs in known.items()
        if any(ref.analyzer == PROBE for ref in refs)
    }
    probes = await asyncio.gather(*(_probe(context, ref) for ref in newest.values()))
    return {sha256: probe for sha256, probe in zip(newest, probes, strict=True) if probe is not None}


async def _probe(context: ApiContext, ref: ArtifactRef) -> MediaProbe | None:
    """The stored probe; none where it has gone meanwhile, or another version made it in a form of its own."""
    try:
        return await read_probe(context.objects, ref)
    except ValidationError:
        return None
    except CinemaError as error:
        if error.code is ErrorCode.OBJECT_MISSING:
            return None
        raise


def _resource(told: Foretold, wanted: tuple[WantedOutput, ...], unknown: tuple[UUID, ...]) -> EstimateResource:
    whole = told.estimate
    return EstimateResource(
        outputs=tuple(
            EstimatedOutput(**output.model_dump(), number=asked.number, count=asked.count, basis=basis)
            for output, asked, basis in zip(whole.outputs, wanted, told.renders, strict=True)
        ),
        analysis_compute_s=whole.analysis_compute_s,
        compute_s=whole.compute_s,
        waiting_s=whole.waiting_s,
        finished_s=whole.finished_s,
        basis=told.basis,
        measured=whole.measured,
        unknown_assets=unknown,
    )
