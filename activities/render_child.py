"""The sandboxed child that renders."""

from pydantic import BaseModel

from activities.child import serve
from activities.file_needs import render_needs
from render import render as render_edl
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest


def render(request: RenderRequest, progress: ProgressCallback) -> BaseModel:
    return render_edl(request, progress)


if __name__ == "__main__":
    serve(render, RenderRequest, render_needs)
