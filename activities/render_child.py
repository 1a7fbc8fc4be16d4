"""The sandboxed child that renders."""

from pydantic import BaseModel

from activities.child import serve
from render import render as render_edl
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest


def render(request: str, progress: ProgressCallback) -> BaseModel:
    return render_edl(RenderRequest.model_validate_json(request), progress)


if __name__ == "__main__":
    serve(render)
