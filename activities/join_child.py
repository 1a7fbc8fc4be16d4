"""The sandboxed child that joins the parts of an output."""

from pydantic import BaseModel

import render
from activities.child import serve
from activities.file_needs import FileNeeds
from schemas.progress import ProgressCallback
from schemas.rendering import JoinRequest


def join(request: JoinRequest, progress: ProgressCallback) -> BaseModel:
    return render.join(request, progress)


def needs(request: JoinRequest) -> FileNeeds:
    return FileNeeds((request.sound, *(segment.file for segment in request.segments)), request.folder)


if __name__ == "__main__":
    serve(join, JoinRequest, needs)
