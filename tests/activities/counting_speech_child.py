"""The process that holds a speech model, writing down each time that it loads one and each question it is asked.

A test may hold it over a question that was asked, whose number is counted over all processes with one log.
"""

import os
from dataclasses import replace
from pathlib import Path

from activities import speech_child
from activities.child import serve
from activities.file_needs import FileNeeds
from activities.messages import Message
from analysis.recognising import Recogniser
from schemas.speech import HoldSpeechModel, SpeechAnswered, SpeechFailed, SpeechModel
from tests.activities.held_child import wait_for_leave

#: Where the log goes; a child inherits the variable.
LOG = "COUNTING_SPEECH_CHILD_LOG"

load = speech_child._load
answer = speech_child._Answering._answered


def counted_load(model: SpeechModel, places: int) -> Recogniser:
    write_down(f"load {model.name} {model.arithmetic}")
    return load(model, places)


def counted_answer(answering: speech_child._Answering, message: Message) -> SpeechAnswered | SpeechFailed:
    write_down("asked")
    log = Path(os.environ[LOG])
    wait_for_leave(log, log.read_text(encoding="utf-8").count(" asked"))
    given = answer(answering, message)
    write_down("answered")
    return given


def write_down(line: str) -> None:
    with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
        log.write(f"{os.getpid()} {line}\n")


def and_the_log(asked: HoldSpeechModel) -> FileNeeds:
    return replace(speech_child.needs(asked), works_in=Path(os.environ[LOG]).parent)


if __name__ == "__main__":
    vars(speech_child).update(_load=counted_load)
    speech_child._Answering._answered = counted_answer  # type: ignore[method-assign]  # for this process alone
    serve(speech_child.hold, HoldSpeechModel, and_the_log)
