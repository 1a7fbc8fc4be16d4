"""Assets: listed in their creator's order, read, renamed, put in order and deleted."""

from http import HTTPStatus
from uuid import UUID

import structlog
from fastapi import APIRouter

from activities.removing import Remover
from api.callers import Authenticated, Caller, Context
from api.context import ApiContext
from api.problems import problem_responses
from api.upload_ends import end_upload
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.resources.assets import AssetChange, AssetList, AssetOrder, AssetResource
from schemas.uploads import Upload, UploadStatus
from stores import Projects, Removals
from stores.asset_listing import AssetListing, AssetTidying
from stores.uploads import Uploads

log = structlog.get_logger(__name__)


#: ``/projects/{project_id}/assets`` and ``/assets/{asset_id}``.
routes = APIRouter(tags=["assets"])


@routes.get("/projects/{project_id}/assets", name="list", summary="List a project's assets, in their order")
async def list_assets(project_id: UUID, caller: Authenticated) -> AssetList:
    """Those that are still being uploaded are among them."""
    await Projects(caller.connections).get(project_id)
    return AssetList(items=await AssetListing(caller.connections).of_project(project_id))


@routes.put("/projects/{project_id}/assets/order", summary="Put a project's assets in order")
async def reorder(project_id: UUID, order: AssetOrder, caller: Authenticated, context: Context) -> AssetList:
    await Projects(caller.connections).get(project_id)
    await AssetTidying(context.database, caller.owner_id).reorder(project_id, order.assets)
    return AssetList(items=await AssetListing(caller.connections).of_project(project_id))


@routes.get("/assets/{asset_id}", summary="Read an asset")
async def read(asset_id: UUID, caller: Authenticated) -> AssetResource:
    return await AssetListing(caller.connections).get(asset_id)


@routes.patch("/assets/{asset_id}", summary="Rename an asset, or say what it is for and what it shows")
async def change(asset_id: UUID, change: AssetChange, caller: Authenticated, context: Context) -> AssetResource:
    """Jobs that have begun go by what it was."""
    await AssetTidying(context.database, caller.owner_id).change(asset_id, change)
    return await AssetListing(caller.connections).get(asset_id)


@routes.delete(
    "/assets/{asset_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Delete an asset",
    responses=problem_responses(HTTPStatus.CONFLICT, HTTPStatus.LOCKED),
)
async def delete(asset_id: UUID, caller: Authenticated, context: Context) -> None:
    """Not while a job that may use it is at work. Its bytes go with the last asset that has the same ones."""
    await AssetListing(caller.connections).get(asset_id)
    upload = await _unfinished(caller, asset_id)
    if upload is not None:
        await end_upload(context, upload)
        return
    await AssetTidying(context.database, caller.owner_id).delete(asset_id)
    await _remove_bytes(context, asset_id)


async def _unfinished(caller: Caller, asset_id: UUID) -> Upload | None:
    """The upload that is to become the asset, or never will."""
    try:
        upload = await Uploads(caller.connections).get(asset_id)
    except CinemaError as error:
        if error.code is not ErrorCode.NOT_FOUND:
            raise
        return None
    return None if upload.status is UploadStatus.READY else upload


async def _remove_bytes(context: ApiContext, asset_id: UUID) -> None:
    """What cannot be removed now is removed by the next sweep of what is out of use."""
    try:
        await Remover(context.objects, Removals(context.database)).asset(asset_id)
    except TransientError as error:
        log.warning("the bytes of a deleted asset are left to the next sweep", asset=str(asset_id), error=error.message)
