"""The sandboxed child that renders the picture of one segment."""

from pydantic import BaseModel

import render
from activities.child import serve
from schemas.progress import ProgressCallback
from schemas.rendering import SegmentRequest


def segment(request: str, progress: ProgressCallback) -> BaseModel:
    return render.render_segment(SegmentRequest.model_validate_json(request), progress)


if __name__ == "__main__":
    serve(segment)
