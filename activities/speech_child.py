"""The sandboxed process that holds a speech model for its worker's analyses, which send it nothing but samples.

Not knowing any media, it may serve one asset after another. It ends when its worker hangs up or dies.
"""

import os
import sys
import threading
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

import numpy as np
from pydantic import BaseModel, ValidationError

from activities.child import serve
from activities.file_needs import FileNeeds, model_files
from activities.messages import Message, read_message
from analysis.listening import Samples
from analysis.models import find_whisper
from analysis.recognising import LONGEST_WINDOW, WINDOWS_AT_ONCE, Recogniser, load_recogniser
from schemas.errors import CinemaError, ErrorCode
from schemas.model import Model
from schemas.progress import ProgressCallback
from schemas.speech import (
    HoldSpeechModel,
    SpeechAnswer,
    SpeechAnswered,
    SpeechDevice,
    SpeechFailed,
    SpeechModel,
    SpeechQuestion,
)


class Held(Model):
    """Nothing more to say."""


def hold(asked: HoldSpeechModel, _: ProgressCallback) -> BaseModel:
    connection = socket(AF_UNIX, SOCK_STREAM, fileno=asked.descriptor)
    answering = _Answering(connection, asked)
    with ThreadPoolExecutor(asked.places) as places:
        while (message := read_message(connection)) is not None:
            places.submit(answering.answer, message).add_done_callback(_end_on_error)
    return Held()


def _end_on_error(answered: "Future[None]") -> None:
    """What is not foreseen ends the process: whoever waits for it asks the next one."""
    error = answered.exception()
    if error is not None:
        traceback.print_exception(error)
        sys.stderr.flush()
        os._exit(1)


class _Answering:
    """Answers questions, each in a thread of its own."""

    def __init__(self, connection: socket, asked: HoldSpeechModel) -> None:
        self._connection = connection
        self._asked = asked
        self._sending, self._loading = threading.Lock(), threading.Lock()
        self._shares = _CpuShares()

    def answer(self, message: Message) -> None:
        answer = SpeechAnswer(answer=self._answered(message))
        packed = Message(message.number, answer.model_dump_json().encode()).packed()
        with self._sending:
            self._connection.sendall(packed)

    def _answered(self, message: Message) -> SpeechAnswered | SpeechFailed:
        self._shares.begin(message.number)
        try:
            result = self._result(message)
        except CinemaError as error:
            return SpeechFailed(error=error.info)
        finally:
            cpu_s = self._shares.end(message.number)
        return SpeechAnswered(result=result.model_dump_json(), cpu_s=cpu_s)

    def _result(self, message: Message) -> BaseModel:
        question, windows = _understood(message)
        with self._loading:
            recogniser = self._recogniser
        if question.language is None:
            return recogniser.detect_languages(windows[0])
        return recogniser.recognise(windows, question.language, question.beam_size)

    @cached_property
    def _recogniser(self) -> Recogniser:
        return _load(self._asked.model, self._asked.places)


def _load(model: SpeechModel, places: int) -> Recogniser:
    files = find_whisper(model.name, model.models)
    if files is None or not files.answers_to(model.name):
        raise CinemaError(ErrorCode.MODEL_UNAVAILABLE, f"The speech model {model.name} is no longer there.")
    return load_recogniser(files, model.device, model.arithmetic, places)


def _understood(message: Message) -> tuple[SpeechQuestion, list[Samples]]:
    """The question and its windows.

    Raises:
        CinemaError: It is none: it comes from a process that has decoded hostile media.
    """
    nonsense = CinemaError(ErrorCode.INTERNAL, "The process working on this file asked for nonsense.")
    try:
        question = SpeechQuestion.model_validate_json(message.json)
    except ValidationError as error:
        raise nonsense from error
    edges = np.cumsum([0, *question.lengths])
    if (
        len(question.lengths) > WINDOWS_AT_ONCE
        or max(question.lengths) > LONGEST_WINDOW
        or len(message.body) != edges[-1] * 4
    ):
        raise nonsense
    samples = np.frombuffer(message.body, "<f4")
    if not np.isfinite(samples).all():
        raise nonsense
    return question, [samples[start:end] for start, end in pairwise(edges)]


class _CpuShares:
    """The processor time of this process, shared out evenly over what it is doing at each moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[int, float] = {}
        self._counted = time.process_time()

    def begin(self, number: int) -> None:
        with self._lock:
            self._share_out()
            self._used[number] = 0.0

    def end(self, number: int) -> float:
        """Seconds."""
        with self._lock:
            self._share_out()
            return self._used.pop(number)

    def _share_out(self) -> None:
        now = time.process_time()
        for number in self._used:
            self._used[number] += (now - self._counted) / len(self._used)
        self._counted = now


def needs(asked: HoldSpeechModel) -> FileNeeds:
    """A model may be called by the path of its folder."""
    model = asked.model
    return FileNeeds((*model_files(model.models), Path(model.name)), gpu=model.device is not SpeechDevice.CPU)


if __name__ == "__main__":
    serve(hold, HoldSpeechModel, needs)
