"""What is asked of the process that holds a speech model, and how such a model is run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len
from pydantic import Field

from schemas.errors import ErrorInfo
from schemas.model import Model


class SpeechDevice(StrEnum):
    """``auto`` is the graphics processor where there is one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class SpeechArithmetic(StrEnum):
    """What a model computes in, by CTranslate2's names; ``auto`` is what is fastest on the device."""

    AUTO = "auto"
    INT8 = "int8"
    INT8_FLOAT16 = "int8_float16"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


class WhisperChoice(Model):
    """The model to ask for, ``None`` for the best that can be had, how many beams it searches with, and how it is run.

    What it is and how it searches are part of what a transcript is remembered by; what it runs on is not, so that
    workers with and without a graphics processor find each other's.
    """

    name: str | None = None
    beam_size: Annotated[int, Ge(1), Le(10)] = 5
    device: SpeechDevice = SpeechDevice.AUTO
    arithmetic: SpeechArithmetic = SpeechArithmetic.AUTO


class SpeechModel(Model):
    """A model by its name in the folder ``models``, and how it is run. Models that differ in any of it never mix."""

    name: str
    models: Path
    device: SpeechDevice = SpeechDevice.AUTO
    arithmetic: SpeechArithmetic = SpeechArithmetic.AUTO


class HoldSpeechModel(Model):
    """Hold a model and answer over a socket, a descriptor of the process, so many questions at a time."""

    model: SpeechModel
    descriptor: Annotated[int, Ge(0)]
    places: Annotated[int, Ge(1)]


class SpeechQuestion(Model):
    """What is asked of some windows of sound, whose samples follow, 32-bit floats, as many of each as is said.

    Without a language it is which language the first is in, else what is said in them.
    """

    lengths: Annotated[tuple[Annotated[int, Ge(0)], ...], Len(1)]
    language: str | None = None
    beam_size: int = 5


class SpeechAnswered(Model):
    """``result`` is the answer's own JSON; ``cpu_s`` is the processor time that it took."""

    kind: Literal["answer"] = "answer"
    result: str
    cpu_s: float


class SpeechFailed(Model):
    """The question could not be answered."""

    kind: Literal["error"] = "error"
    error: ErrorInfo


class SpeechAnswer(Model):
    answer: Annotated[SpeechAnswered | SpeechFailed, Field(discriminator="kind")]
