import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from activities.accounting import Account
from activities.sandbox import ChildTask, SandboxLimits, run_in_child
from activities.system_calls import can_refuse
from schemas.errors import CinemaError, ErrorCode
from tests.activities.burning_child import BURNT_BYTES, BURNT_SECONDS, Burn
from tests.activities.misbehaving_child import Answer, Behaviour
from tests.cinema.cinema_processes import at_work
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

MISBEHAVE = ChildTask("tests.activities.misbehaving_child", Behaviour)
LIMITS = SandboxLimits(memory_bytes=1 << 30, address_space_bytes=16 << 30, file_bytes=8 << 20)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


async def ask(do: str, folder: Path, *, seconds: float = 300, seen: list[float] | None = None) -> Answer:
    async def follow(done: float) -> None:
        if seen is not None:
            seen.append(done)

    return await run_in_child(
        MISBEHAVE,
        Behaviour(do=do, folder=folder),
        Answer,
        limits=LIMITS,
        time_limit=timedelta(seconds=seconds),
        on_progress=follow,
    )


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def written_pid(folder: Path) -> int:
    async with asyncio.timeout(120):
        while not (folder / "pid").exists() or not (folder / "pid").read_text():
            await asyncio.sleep(0.05)
    return int((folder / "pid").read_text())


async def gone(pid: int) -> bool:
    for _ in range(1200):
        if not alive(pid):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_an_answer_arrives_with_its_progress_and_without_the_workers_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMA_SIGNING_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen: list[float] = []
    answer = await ask("answer", tmp_path, seen=seen)
    assert answer.pid != os.getpid()
    assert "secret" not in answer.environment.values()
    assert seen == sorted(seen)
    assert seen


@pytest.mark.parametrize(
    ("do", "code", "retryable"),
    [
        pytest.param("refuse", ErrorCode.MEDIA_EMPTY, False, id="an error of ours comes through"),
        pytest.param("crash", ErrorCode.PROCESS_CRASHED, True, id="a decoder crash is an error here"),
        pytest.param("allocate", ErrorCode.OUT_OF_MEMORY, False, id="an allocation bomb is stopped"),
        pytest.param("reserve", ErrorCode.OUT_OF_MEMORY, False, id="so are addresses without end"),
        pytest.param("share", ErrorCode.OUT_OF_MEMORY, False, id="and memory that counts as shared"),
        pytest.param("write", ErrorCode.MEDIA_TOO_LARGE, False, id="a file that grows without end is stopped"),
    ],
)
async def test_trouble_in_the_child_is_an_error_here(tmp_path: Path, do: str, code: ErrorCode, retryable: bool) -> None:
    with pytest.raises(CinemaError) as caught:
        await ask(do, tmp_path)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)


async def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    before = at_work(os.getpid())
    with pytest.raises(CinemaError) as caught:
        await ask("hang", tmp_path, seconds=1)
    assert caught.value.code is ErrorCode.PROCESS_TIMED_OUT
    assert at_work(os.getpid()) <= before


async def test_a_child_that_spins_is_ended_by_the_kernel_even_where_its_parent_cannot(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.activities.misbehaving_child", "0", "0", "0", "1", str(os.getpid())),
        stdin=asyncio.subprocess.PIPE,
    )
    await process.communicate(Behaviour(do="spin", folder=tmp_path).model_dump_json().encode())
    assert process.returncode == -signal.SIGXCPU


@pytest.mark.skipif(not can_refuse(), reason="needs Linux's seccomp")
async def test_a_child_reaches_no_network_no_socket_and_no_program(tmp_path: Path) -> None:
    answer = await ask("answer", tmp_path)
    assert set(answer.refused) == {
        "internet", "internet 6", "datagram", "local socket", "kernel socket", "name", "program", "parent",
        "everyone",
    }  # fmt: skip


@pytest.mark.skipif(not can_refuse() or os.geteuid() != 0, reason="tries it as another user, which root can become")
def test_no_privilege_is_needed_to_be_confined() -> None:
    program = (
        "import os, socket\n"
        "from activities.system_calls import refuse_dangerous_calls\n"
        "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
        "refuse_dangerous_calls()\n"
        "try:\n    socket.socket()\nexcept PermissionError:\n    print('confined')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "confined\n"


async def test_cancelling_ends_the_child(tmp_path: Path) -> None:
    asking = asyncio.create_task(ask("hang", tmp_path))
    pid = await written_pid(tmp_path)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="what a child leaves behind is known from /proc")
@pytest.mark.parametrize("then", ["answer", "crash"])
async def test_what_a_child_and_all_below_it_used_is_known_however_it_ended(tmp_path: Path, then: str) -> None:
    account = Account(on_gpu=False)
    with suppress(CinemaError):
        await burn(then, tmp_path, account)
    usage = account.usage
    assert 3 * BURNT_SECONDS <= usage.cpu_s < 3 * BURNT_SECONDS + 10, "imports are in it, nothing twice"
    assert BURNT_BYTES <= usage.bytes_written < 2 * BURNT_BYTES
    assert usage.bytes_read >= BURNT_BYTES
    assert usage.gpu_s == 0
    assert await gone(int((tmp_path / "below").read_text())), "nothing is left running"


@pytest.mark.skipif(sys.platform != "linux", reason="what a running child uses is known from /proc")
async def test_what_a_killed_child_used_is_known_before_and_after(tmp_path: Path) -> None:
    account = Account(on_gpu=True)
    asking = asyncio.create_task(burn("hang", tmp_path, account))
    await written_pid(tmp_path)
    so_far = account.usage
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert so_far.cpu_s >= 3 * BURNT_SECONDS - 0.1, "in clock ticks"
    assert so_far.gpu_s == so_far.wall_s > 0, "the worker held its accelerator all the time"
    assert account.usage.cpu_s >= so_far.cpu_s
    assert await gone(int((tmp_path / "below").read_text())), "nothing is left running"


async def burn(then: str, folder: Path, account: Account) -> Burn:
    return await run_in_child(
        ChildTask("tests.activities.burning_child", Burn),
        Burn(then=then, folder=folder),
        Burn,
        limits=LIMITS,
        time_limit=timedelta(minutes=5),
        on_progress=ignore,
        account=account,
    )


async def test_a_large_request_to_a_child_that_never_reads_it_ends_with_the_child(tmp_path: Path) -> None:
    with pytest.raises(CinemaError) as caught:
        await run_in_child(
            ChildTask("tests.activities.deaf_child", Behaviour),
            Behaviour(do="x" * 1_000_000, folder=tmp_path),
            Answer,
            limits=LIMITS,
            time_limit=timedelta(minutes=5),
            on_progress=ignore,
        )
    assert caught.value.code is ErrorCode.PROCESS_CRASHED
    assert "exit status 7" in caught.value.message
    assert "I hear nothing" in caught.value.message


async def ignore(_: float) -> None:
    """Nobody watches."""


async def test_a_child_that_is_called_off_while_it_starts_is_ended_too(tmp_path: Path) -> None:
    before = at_work(os.getpid())
    for turns in range(8):
        asking = asyncio.create_task(ask("hang", tmp_path))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert at_work(os.getpid()) <= before


async def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib\n"
        "from tests.activities.test_activities_sandbox import ask\n"
        f"asyncio.run(ask('hang', pathlib.Path({str(tmp_path)!r})))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY)
    try:
        pid = await written_pid(tmp_path)
        assert alive(pid)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert await gone(pid)
