"""Work done ahead in a thread of its own, while what came of it before is looked at."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def made_ahead(items: Iterator[Item], batch: int) -> Generator[Item, None, None]:
    """The same items, the next ``batch`` of them in the making while the last are used; decoders let both run at once.

    Closing this waits until nothing is in the making any more.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as maker:
        making = maker.submit(_next_of, items, batch)
        while ready := making.result():
            making = maker.submit(_next_of, items, batch)
            yield from ready


def _next_of(items: Iterator[Item], count: int) -> list[Item]:
    return list(islice(items, count))
