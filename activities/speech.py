"""One process for a worker's speech recognition, which loads the model once for all analyses that need it.

Analyses run in children of their own, since their media is hostile; what they want recognised they ask their worker
for, and it asks the speech process. That is started when it is first needed, again when it has died, and ended when
nobody has needed it for a while.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from socket import socket, socketpair

import structlog

from activities.accounting import Account
from activities.child_process import ChildProcess, ProcessUsage
from activities.messages import Message, MessageTooLongError, receive_message
from activities.metrics import CHILD_CPU
from activities.sandbox import ChildTask, SandboxLimits, start_child, tail_of
from schemas.errors import ErrorCode, TransientError
from schemas.speech import HoldSpeechModel, SpeechAnswer, SpeechAnswered, SpeechModel

#: Seconds after the last answer for which a model is held on to.
IDLE_S = 120.0
#: How often a question is asked of a new process when one has died over it.
TRIES = 3
#: Processor cores for one question: CTranslate2 computes with four threads.
CORES = 4

SPEECH = ChildTask("activities.speech_child", HoldSpeechModel)

log = structlog.get_logger(__name__)


def speech_places(analyses: int) -> int:
    """How many questions to answer side by side on this machine, where so many analyses may ask at a time."""
    return max(1, min(analyses, (os.cpu_count() or 1) // CORES))


class SpeechProcesses:
    """The speech processes of one worker: one, unless it is asked for different models at the same time."""

    def __init__(self, limits: SandboxLimits | None = None, places: int = 1, idle_s: float = IDLE_S) -> None:
        """``places`` questions are answered at a time; a model is held on to for ``idle_s`` seconds."""
        self._limits = limits or SandboxLimits()
        self._places = places
        self._idle_s = idle_s
        self._free = asyncio.Semaphore(places)
        self._starting = asyncio.Lock()
        self._running: dict[SpeechModel, _SpeechProcess] = {}

    async def ask(self, model: SpeechModel, question: Message) -> bytes:
        """The JSON of ``model``'s answer to an analysis's question; who asks waits for a place.

        Raises:
            TransientError: One process after the other has died over it.
        """
        async with self._free:
            last_words = ""
            for _ in range(TRIES):
                process = await self._process_for(model)
                try:
                    return await process.ask(question)
                except _EndedError:
                    last_words = await process.end()
                    log.warning("a speech process has ended", model=model.name, last_words=last_words)
        sentence = f"Recognising speech ended unexpectedly {TRIES} times. {last_words.rpartition(os.linesep)[2]}"
        raise TransientError(ErrorCode.PROCESS_CRASHED, sentence.strip())

    async def aclose(self) -> None:
        """End all of them."""
        async with self._starting:
            for process in self._running.values():
                await process.end()
            self._running.clear()

    async def _process_for(self, model: SpeechModel) -> "_SpeechProcess":
        async with self._starting:
            for other, process in list(self._running.items()):
                if process.has_ended or (other != model and process.is_idle):
                    await process.end()
                    del self._running[other]
            if model not in self._running:
                log.info("starting a process for a speech model", model=model.name)
                self._running[model] = await _SpeechProcess.started(model, self._limits, self._places, self._idle_s)
            return self._running[model]


class _EndedError(Exception):
    """The process ended before it had answered."""


@dataclass
class _SpeechProcess:
    """A process that holds one model."""

    process: ChildProcess
    connection: socket
    idle_s: float
    has_ended: bool = False
    _answers: dict[int, "asyncio.Future[bytes]"] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._last_words = asyncio.create_task(tail_of(self.process.stderr))
        self._receiving = asyncio.create_task(self._receive())
        self._idling: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def started(cls, model: SpeechModel, limits: SandboxLimits, places: int, idle_s: float) -> "_SpeechProcess":
        ours, theirs = socketpair()
        ours.settimeout(0)
        asked = HoldSpeechModel(model=model, descriptor=theirs.fileno(), places=places)
        try:
            process = await start_child(SPEECH, limits, None, [theirs])
        except BaseException:
            ours.close()
            raise
        running = cls(process, ours, idle_s)
        try:
            await process.send(asked.model_dump_json().encode())
        except BaseException:
            await running.end()
            raise
        return running

    @property
    def is_idle(self) -> bool:
        return not self._answers

    async def ask(self, question: Message) -> bytes:
        """Should the asking be called off while nothing else is being answered, the process is ended at once.

        Raises:
            _EndedError: It died.
        """
        number = next(self._numbers)
        with self._in_use():
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._answers[number] = answer
            try:
                await self._send(Message(number, question.json, question.body))
                return await answer
            except asyncio.CancelledError:
                if len(self._answers) == 1:
                    await self.end()
                raise
            finally:
                del self._answers[number]

    async def end(self) -> str:
        """End it, if it still runs; what it wrote to its standard error last."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)
        return self._last_words.result()

    async def _end(self) -> None:
        self.has_ended = True
        if self._idling is not None:
            self._idling.cancel()
        await self.process.kill()
        await asyncio.gather(self._last_words, self._receiving)
        self.connection.close()
        self.process.close()

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        if self._idling is not None:
            self._idling.cancel()
        try:
            yield
        finally:
            if self.is_idle and not self.has_ended:
                self._idling = asyncio.get_running_loop().call_later(self.idle_s, self._end_idle)

    def _end_idle(self) -> None:
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())

    async def _send(self, message: Message) -> None:
        """Whole, whatever becomes of who asked: half a message would be the beginning of the next."""
        if self.has_ended:
            raise _EndedError
        await asyncio.shield(asyncio.create_task(self._send_whole(message.packed())))

    async def _send_whole(self, packed: bytes) -> None:
        async with self._sending:
            # Where it is gone, that is told to all who wait for answers.
            with suppress(BrokenPipeError, ConnectionResetError):
                await asyncio.get_running_loop().sock_sendall(self.connection, packed)

    async def _receive(self) -> None:
        """Pass answers on until the process is gone."""
        try:
            while (message := await receive_message(self.connection)) is not None:
                answer = self._answers.get(message.number)
                if answer is not None and not answer.done():
                    answer.set_result(message.json)
        except MessageTooLongError:
            log.warning("a speech process answered too much")
        self.has_ended = True
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(_EndedError())


class SpeechLine:
    """What one analysis asks over; ``theirs`` is to be handed to its child under its own number."""

    def __init__(self, processes: SpeechProcesses, model: SpeechModel, account: Account) -> None:
        self._processes = processes
        self._model = model
        self._account = account
        self._ours, self.theirs = socketpair()
        self._ours.settimeout(0)

    async def serve(self) -> None:
        """Answer until the child is gone.

        Raises:
            TransientError: The child asks for what no analysis needs, or nobody can answer it.
        """
        try:
            while (question := await receive_message(self._ours)) is not None:
                answered = await self._processes.ask(self._model, question)
                answer = SpeechAnswer.model_validate_json(answered).answer
                if isinstance(answer, SpeechAnswered):
                    self._account.add(ProcessUsage(cpu_s=answer.cpu_s))
                    CHILD_CPU.labels(SPEECH.module).inc(answer.cpu_s)
                # Where it is gone, its exit status says more.
                with suppress(BrokenPipeError, ConnectionResetError):
                    await asyncio.get_running_loop().sock_sendall(self._ours, Message(0, answered).packed())
        except MessageTooLongError as error:
            sentence = "The process working on this file asked for nonsense."
            raise TransientError(ErrorCode.PROCESS_CRASHED, sentence) from error

    def close(self) -> None:
        self._ours.close()
        self.theirs.close()
