"""The sandboxed child that makes the sound of an output that is rendered in parts."""

from pydantic import BaseModel

import render
from activities.child import serve
from activities.file_needs import render_needs
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest


def sound(request: RenderRequest, progress: ProgressCallback) -> BaseModel:
    return render.render_sound(request, progress)


if __name__ == "__main__":
    serve(sound, RenderRequest, render_needs)
