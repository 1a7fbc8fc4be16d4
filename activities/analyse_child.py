"""The sandboxed child that measures media."""

from pydantic import BaseModel

from activities.child import serve
from activities.child_tasks import Analyse
from analysis import run_analyzer
from schemas.progress import ProgressCallback


def analyse(request: str, progress: ProgressCallback) -> BaseModel:
    asked = Analyse.model_validate_json(request)
    return run_analyzer(asked.request, progress, asked.models)


if __name__ == "__main__":
    serve(analyse)
