"""Keeping one owner's slow receivers, and all receivers together, from taking every slot of a worker."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Bulkhead:
    """Counts what is under way in this process, in all and for each owner."""

    def __init__(self, *, most: int, most_per_owner: int) -> None:
        self._most = most
        self._most_per_owner = most_per_owner
        self._under_way: Counter[UUID] = Counter()

    def admits(self, owner_id: UUID) -> bool:
        """Whether something more of this owner may begin."""
        return self._under_way.total() < self._most and self._under_way[owner_id] < self._most_per_owner

    @contextmanager
    def occupied(self, owner_id: UUID) -> Iterator[None]:
        """Counts for the time of the block."""
        self._under_way[owner_id] += 1
        try:
            yield
        finally:
            self._under_way[owner_id] -= 1
            if not self._under_way[owner_id]:
                del self._under_way[owner_id]
