"""The sandboxed child that makes the sound of an output that is rendered in parts."""

from pydantic import BaseModel

import render
from activities.child import serve
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest


def sound(request: str, progress: ProgressCallback) -> BaseModel:
    return render.render_sound(RenderRequest.model_validate_json(request), progress)


if __name__ == "__main__":
    serve(sound)
