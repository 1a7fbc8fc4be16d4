"""Work done ahead in a thread of its own, while what came of it before is looked at."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

#: Batches that are made ahead, so that neither side often waits for the other though their costs vary.
BATCHES = 3

Item = TypeVar("Item")


def made_ahead(items: Iterator[Item], batch: int) -> Generator[Item, None, None]:
    """The same items, up to ``BATCHES`` of ``batch`` in the making while others are used; decoding lets both run.

    Closing this waits until nothing is in the making any more.
    """
    maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
    try:
        making = deque(maker.submit(_next_of, items, batch) for _ in range(BATCHES))
        while ready := making.popleft().result():
            making.append(maker.submit(_next_of, items, batch))
            yield from ready
    finally:
        maker.shutdown(cancel_futures=True)


def _next_of(items: Iterator[Item], count: int) -> list[Item]:
    return list(islice(items, count))
