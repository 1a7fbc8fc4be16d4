"""The sandboxed child that looks at a file that was just uploaded."""

from pydantic import BaseModel

from activities.child import serve
from activities.child_tasks import LookAt
from activities.file_needs import FileNeeds, model_files
from analysis import guess_kind, run_analyzer
from schemas.analysing import AnalysisRequest
from schemas.media import AssetKind, MediaProbe
from schemas.progress import ProgressCallback
from schemas.uploads import Look


def look(asked: LookAt, progress: ProgressCallback) -> BaseModel:
    """What the file is for, as far as its streams and its name say; a refusal where it is no footage at all."""
    analysis = AnalysisRequest(analyzer="probe", path=asked.path, kind=AssetKind.A_ROLL, probe=None)
    probe = run_analyzer(analysis, progress, asked.models)
    if not isinstance(probe, MediaProbe):
        raise TypeError(f"a probe is no {type(probe).__name__}")
    guess = guess_kind(probe, None, asked.name)
    return Look(kind=guess.kind, reason=guess.reason)


def needs(asked: LookAt) -> FileNeeds:
    return FileNeeds((asked.path, *model_files(asked.models)))


if __name__ == "__main__":
    serve(look, LookAt, needs)
