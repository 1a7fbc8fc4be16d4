"""All objects of something that is deleted whole: counted before they go, removed, and looked for again."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from activities.removing import Remover
from schemas.retention import Inventory, Volume
from stores import Bucket, ObjectStore, Removals, StoredObject


@dataclass(frozen=True)
class Doomed:
    """Every object that goes, and how many are named that stay because others have them too."""

    objects: tuple[StoredObject, ...]
    shared: int


class Emptying:
    """Looks by what rows name and below a prefix, under which everything lies that is the deleted thing's alone."""

    def __init__(self, objects: ObjectStore, removals: Removals) -> None:
        self._removals = removals
        self._remover = Remover(objects, removals)

    @property
    def remover(self) -> Remover:
        return self._remover

    async def doomed(self, named: Iterable[StoredObject], prefix: str) -> Doomed:
        """What goes of the named objects and of what lies below the prefix."""
        found = {*named, *await self._remover.unnamed_below(prefix)}
        going = await self._removals.unnamed(found)
        return Doomed(going, len(found) - len(going))

    async def inventory(self, doomed: Doomed) -> Inventory:
        """How much it is, by bucket."""
        volumes = dict.fromkeys(Bucket, Volume())
        for item in doomed.objects:
            size = await self._remover.size(item)
            if size is not None:
                volumes[item.bucket] = volumes[item.bucket].plus(Volume(objects=1, bytes=size))
        return Inventory(removed={bucket.value: volume for bucket, volume in volumes.items()}, shared=doomed.shared)

    async def left(self, doomed: Doomed) -> int:
        """How many of them are still there."""
        return sum([await self._remover.size(item) is not None for item in doomed.objects])


def by_bucket(objects: Collection[StoredObject]) -> Mapping[str, int]:
    """How many objects there are in each bucket."""
    counts = Counter(item.bucket for item in objects)
    return {bucket.value: counts[bucket] for bucket in Bucket}
