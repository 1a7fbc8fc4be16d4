"""The sandboxed child that joins the parts of an output."""

from pydantic import BaseModel

import render
from activities.child import serve
from schemas.progress import ProgressCallback
from schemas.rendering import JoinRequest


def join(request: str, progress: ProgressCallback) -> BaseModel:
    return render.join(JoinRequest.model_validate_json(request), progress)


if __name__ == "__main__":
    serve(join)
