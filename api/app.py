"""The application: every resource, and one shape for every error."""

from fastapi import FastAPI

from api import (
    analytics,
    assets,
    audit,
    downloads,
    estimates,
    events,
    exports,
    files,
    health,
    jobs,
    projects,
    readings,
    revisions,
    shares,
    sign_in,
    tokens,
    upload_tickets,
    uploads,
    webhooks,
)
from api.context import ApiContext
from api.contract import DescribedApi
from api.edge.assembly import add_edge
from api.operations import operations_of
from api.problems import add_problem_handlers
from stores import LocalObjects


def create_app(context: ApiContext) -> FastAPI:
    """The API over ``context``, which the caller opens and closes."""
    app = DescribedApi(documented=context.documented)
    app.state.context = context
    add_problem_handlers(app)
    add_edge(app, context.edge, context.database)
    app.include_router(jobs.routes)  # First, as routes are tried one after another: most requests read a job.
    if context.sign_in is not None:
        app.include_router(sign_in.router(context.sign_in))
    app.include_router(health.router(context))
    if isinstance(context.objects, LocalObjects):
        app.include_router(downloads.router(context))
        app.include_router(uploads.router())
    app.include_router(upload_tickets.routes)
    app.include_router(projects.routes)
    app.include_router(events.routes)
    app.include_router(files.routes)
    app.include_router(exports.routes)
    app.include_router(readings.routes)
    app.include_router(revisions.routes)
    app.include_router(assets.routes)
    app.include_router(analytics.routes)
    app.include_router(estimates.routes)
    app.include_router(shares.routes)
    app.include_router(tokens.routes)
    app.include_router(audit.routes)
    if context.webhooks is not None:
        app.include_router(webhooks.router(context.webhooks))
    app.state.operations = operations_of(app)
    return app
