"""Projects: made, listed, read, renamed, deleted."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from api.callers import Authenticated, Context
from api.cursors import Cursor, Limit, below, page_of
from schemas.resources.page import Page
from schemas.resources.projects import NewProject, ProjectChange, ProjectResource
from stores import Deletions, Projects
from stores.project_listing import ProjectListing
from workflows.deletion_client import start_deletion

#: ``/projects`` and ``/projects/{project_id}``.
routes = APIRouter(prefix="/projects", tags=["projects"])


@routes.post("", status_code=HTTPStatus.CREATED, summary="Make a project")
async def create(new: NewProject, caller: Authenticated, context: Context) -> ProjectResource:
    await Projects(context.database).ensure_profile(caller.owner_id)
    project = await Projects(caller.connections).create(caller.owner_id, new.name)
    return await ProjectListing(caller.connections).get(project.id)


@routes.get("", name="list", summary="List projects, newest first")
async def list_projects(caller: Authenticated, limit: Limit = 50, cursor: Cursor = None) -> Page[ProjectResource]:
    found = await ProjectListing(caller.connections).page(limit + 1, below(cursor))
    return page_of(found, limit)


@routes.get("/{project_id}", summary="Read a project")
async def read(project_id: UUID, caller: Authenticated) -> ProjectResource:
    return await ProjectListing(caller.connections).get(project_id)


@routes.patch("/{project_id}", summary="Rename a project")
async def rename(project_id: UUID, change: ProjectChange, caller: Authenticated) -> ProjectResource:
    return await ProjectListing(caller.connections).rename(project_id, change.name)


@routes.delete("/{project_id}", status_code=HTTPStatus.ACCEPTED, summary="Delete a project, for good")
async def delete(project_id: UUID, caller: Authenticated, context: Context) -> ProjectResource:
    """With its footage, its jobs and their outputs. It takes nothing new any more; in the end it is not found."""
    project = await ProjectListing(caller.connections).get(project_id)
    requested_by = f"creator {caller.owner_id}"
    await start_deletion(context.temporal, project_id, requested_by=requested_by)
    await Deletions(context.database).begin(project_id, requested_by)
    return project.model_copy(update={"deleting": True})
