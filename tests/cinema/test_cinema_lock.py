"""One stack per folder, and state that is whole or not there."""

import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cinema.made_once import made_once
from cinema.settings import Settings
from cinema.stack.launch import running_stack
from cinema.stack.layout import Layout
from cinema.stack.lock import StackLock, lock_holder
from cinema.stack.ports import choose_port, is_free, listen, port_of
from cinema.stack.state import StackPhase, StackState, read_state, write_state

pytestmark = pytest.mark.unit


def test_only_one_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock_holder(path) is None
    with StackLock(path) as first, StackLock(path) as second:
        assert first.acquire()
        assert not second.acquire()
        assert lock_holder(path) is not None
    assert lock_holder(path) is None
    with StackLock(path) as third:
        assert third.acquire()


def test_what_a_killed_stack_left_is_not_a_running_stack(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    write_state(layout.state, StackState(pid=1, phase=StackPhase.READY, started_at=datetime.now(UTC)))
    layout.lock.write_text("1")
    assert read_state(layout.state) is not None
    assert running_stack(Settings(home=tmp_path)) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 1}', b"\xff"])
def test_state_that_nobody_can_read_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stack.json"
    path.write_bytes(content)
    assert read_state(path) is None


def test_a_taken_port_is_not_chosen() -> None:
    with listen(0) as taken:
        port = port_of(taken)
        assert not is_free(port)
        assert choose_port(port) != port
        with listen(port) as other:
            assert port_of(other) != port
    assert choose_port(port) == port


def test_everyone_gets_the_same_secret(tmp_path: Path) -> None:
    path = tmp_path / "home" / "key"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.starmap(_made, [(path, str(number)) for number in range(8)])
    assert len(set(made)) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key"]


def _made(path: Path, value: str) -> str:
    return made_once(path, lambda: value)
