"""The sandboxed child that renders the picture of one segment."""

from pydantic import BaseModel

import render
from activities.child import serve
from activities.file_needs import render_needs
from schemas.progress import ProgressCallback
from schemas.rendering import SegmentRequest


def segment(request: SegmentRequest, progress: ProgressCallback) -> BaseModel:
    return render.render_segment(request, progress)


if __name__ == "__main__":
    serve(segment, SegmentRequest, render_needs)
