"""The application: every resource, and one shape for every error."""

from fastapi import FastAPI

from api import downloads, events, files, health, jobs, projects, sign_in
from api.context import ApiContext
from api.contract import DescribedApi
from api.problems import add_problem_handlers


def create_app(context: ApiContext) -> FastAPI:
    """The API over ``context``, which the caller opens and closes."""
    app = DescribedApi(documented=context.documented)
    app.state.context = context
    add_problem_handlers(app)
    if context.sign_in is not None:
        app.include_router(sign_in.router(context.sign_in))
    app.include_router(health.router(context))
    app.include_router(downloads.router(context))
    app.include_router(projects.router())
    app.include_router(jobs.router())
    app.include_router(events.router())
    app.include_router(files.router())
    return app
