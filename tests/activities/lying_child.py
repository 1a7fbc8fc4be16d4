"""A sandboxed child that renders as asked, and then answers with a file that is not its own as the thumbnail."""

import os
from pathlib import Path

from pydantic import BaseModel

import render
from activities.child import serve
from activities.file_needs import render_needs
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest

#: Which file, in the environment.
CLAIMED = "LYING_CHILD_CLAIMED"


def claim(request: RenderRequest, progress: ProgressCallback) -> BaseModel:
    return render.render(request, progress).model_copy(update={"thumbnail": Path(os.environ[CLAIMED])})


if __name__ == "__main__":
    serve(claim, RenderRequest, render_needs)
