"""The sandboxed child that measures media."""

from pydantic import BaseModel

from activities.asking_speech import AskedRecogniser
from activities.child import Reporter, serve
from activities.child_tasks import Analyse, Answers
from activities.file_needs import FileNeeds, model_files
from analysis import run_analyzers
from analysis.models import WhisperModelFiles
from analysis.recognising import Recogniser
from schemas.errors import CinemaError, ErrorCode


def analyse(asked: Analyse, reporter: Reporter) -> BaseModel:
    def open_recogniser(_: WhisperModelFiles) -> Recogniser:
        if asked.speech is None:
            raise CinemaError(ErrorCode.INTERNAL, "This analysis was not expected to recognise speech.")
        return AskedRecogniser(asked.speech)

    found = run_analyzers(asked.requests, reporter, asked.models, reporter.keep, open_recogniser)
    return Answers(answers=tuple(answer.model_dump_json() for answer in found))


def needs(asked: Analyse) -> FileNeeds:
    media = (path for request in asked.requests for path in (request.path, request.reference) if path is not None)
    return FileNeeds((*media, *model_files(asked.models)))


if __name__ == "__main__":
    serve(analyse, Analyse, needs)
