"""The application: every resource, and one shape for every error."""

from fastapi import FastAPI

from api import downloads, health
from api.context import ApiContext
from api.problems import add_problem_handlers


def create_app(context: ApiContext) -> FastAPI:
    """The API over ``context``, which the caller opens and closes."""
    app = FastAPI(
        title="Cinema AI",
        openapi_url="/openapi.json" if context.documented else None,
        docs_url="/docs" if context.documented else None,
        redoc_url=None,
    )
    add_problem_handlers(app)
    app.include_router(health.router(context))
    app.include_router(downloads.router(context))
    return app
