"""A speech recogniser that is asked over a socket: its model is held by a process that its worker's children share."""

from collections.abc import Sequence
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import TypeVar

import numpy as np

from activities.messages import Message, read_message
from analysis.listening import Samples
from analysis.recognising import DetectedLanguages, Recognised
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.model import Model
from schemas.speech import SpeechAnswer, SpeechFailed, SpeechQuestion

Result = TypeVar("Result", bound=Model)


class AskedRecogniser:
    """Asks over a descriptor that this process was handed."""

    def __init__(self, descriptor: int) -> None:
        self._connection = socket(AF_UNIX, SOCK_STREAM, fileno=descriptor)

    def detect_languages(self, window: Samples) -> DetectedLanguages:
        return self._ask(SpeechQuestion(lengths=(len(window),)), [window], DetectedLanguages)

    def recognise(self, windows: Sequence[Samples], language: str, beam_size: int) -> Recognised:
        lengths = tuple(len(window) for window in windows)
        question = SpeechQuestion(lengths=lengths, language=language, beam_size=beam_size)
        return self._ask(question, windows, Recognised)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, question: SpeechQuestion, windows: Sequence[Samples], result: type[Result]) -> Result:
        body = b"".join(np.ascontiguousarray(window, "<f4").tobytes() for window in windows)
        self._connection.sendall(Message(0, question.model_dump_json().encode(), body).packed())
        message = read_message(self._connection)
        if message is None:
            raise TransientError(ErrorCode.PROCESS_CRASHED, "The process that recognises speech is out of reach.")
        answer = SpeechAnswer.model_validate_json(message.json).answer
        if isinstance(answer, SpeechFailed):
            raise CinemaError.from_info(answer.error)
        return result.model_validate_json(answer.result)
