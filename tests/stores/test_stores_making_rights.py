"""Who makes something has the right to it alone, and loses it by falling silent, not by taking long."""

import asyncio
from datetime import timedelta

import pytest

from schemas.errors import ErrorCode, TransientError
from stores import Pool, making_rights
from stores.making_rights import is_being_made, making_right, making_right_if_free

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_rights, "SIGN_INTERVAL", timedelta(seconds=0.1))
    monkeypatch.setattr(making_rights, "LOOK_INTERVAL", 0.05)


async def test_a_holder_that_lives_keeps_the_right_however_long_it_takes(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So much longer than between two signs that they come in time on a machine with much else to do.
    monkeypatch.setattr(making_rights, "LONGEST_SILENCE", timedelta(seconds=4))
    events: list[str] = []
    begun = asyncio.Event()

    async def make(name: str, seconds: float) -> None:
        async with making_right(pool, ["b", "a"]):
            events.append(f"{name} begins")
            begun.set()
            await asyncio.sleep(seconds)
            events.append(f"{name} ends")

    first = asyncio.create_task(make("one", 5))
    await begun.wait()
    await asyncio.gather(first, make("two", 0))
    assert events == ["one begins", "one ends", "two begins", "two ends"]


async def test_a_holder_that_falls_silent_loses_the_right_and_hears_of_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, taken = asyncio.Event(), asyncio.Event()

    async def sleeps() -> None:
        async with making_right(pool, ["one"]):
            held.set()
            await taken.wait()

    with monkeypatch.context() as silent:
        silent.setattr(making_rights, "LONGEST_SILENCE", timedelta(seconds=1))
        silent.setattr(making_rights, "SIGN_INTERVAL", timedelta(seconds=600))
        sleeper = asyncio.create_task(sleeps())
        await held.wait()
        # It begins to give signs at once, by the interval that it finds then.
        await asyncio.sleep(0)
    async with asyncio.timeout(60), making_right(pool, ["one"]):
        taken.set()
    with pytest.raises(TransientError) as lost:
        await sleeper
    assert lost.value.code is ErrorCode.STORE_UNAVAILABLE
    async with asyncio.timeout(60), making_right(pool, ["one"]):
        pass


async def test_what_a_failure_ends_is_free_at_once(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        async with making_right(pool, ["one"]):
            raise ZeroDivisionError
    # Long before anybody would lose it by silence.
    async with asyncio.timeout(making_rights.LONGEST_SILENCE.total_seconds() / 2), making_right(pool, ["one"]):
        pass


async def test_who_does_not_wait_is_told_whether_it_has_the_right(pool: Pool) -> None:
    async with making_right(pool, ["one"]):
        async with making_right_if_free(pool, "one") as had:
            assert not had
        assert await is_being_made(pool, "one")
        assert not await is_being_made(pool, "two")
    async with making_right_if_free(pool, "one") as had:
        assert had
        assert await is_being_made(pool, "one")
    assert not await is_being_made(pool, "one")


async def test_who_looks_takes_the_right_from_nobody(pool: Pool) -> None:
    looks = await asyncio.gather(*(is_being_made(pool, "one") for _ in range(20)))
    assert not any(looks)
