"""The sandboxed child that measures media."""

from pydantic import BaseModel

from activities.child import Reporter, serve
from activities.child_tasks import Analyse, Answers
from analysis import run_analyzers


def analyse(request: str, reporter: Reporter) -> BaseModel:
    asked = Analyse.model_validate_json(request)
    found = run_analyzers(asked.requests, reporter, asked.models, reporter.keep)
    return Answers(answers={name: answer.model_dump_json() for name, answer in found.items()})


if __name__ == "__main__":
    serve(analyse)
