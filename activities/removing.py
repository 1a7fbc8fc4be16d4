"""Removing what was taken out of use: objects first, then the row says that they are gone."""

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.retention import Volume
from stores import Bucket, ObjectStore, Removals, StoredObject


class Remover:
    """Removes one item, or what is left below a prefix; every step may be repeated."""

    def __init__(self, objects: ObjectStore, removals: Removals) -> None:
        self._objects = objects
        self._removals = removals

    async def asset(self, asset_id: UUID) -> Volume | None:
        """What was removed; ``None`` where somebody else is at it or needs the bytes at this moment."""
        async with self._removals.removing_asset(asset_id) as objects:
            return None if objects is None else await self.objects(objects)

    async def footage(self, object_key: str) -> Volume | None:
        """The same for footage that has become no asset, by where it lies."""
        async with self._removals.removing_footage(object_key) as objects:
            return None if objects is None else await self.objects(objects)

    async def output(self, output_id: UUID) -> Volume | None:
        """The same, with whatever a lost attempt has left beside the files of record."""
        async with self._removals.removing_output(output_id) as removal:
            if removal is None:
                return None
            left = [item async for item in self._below(removal.prefix, (Bucket.OUTPUTS, Bucket.THUMBS))]
            return await self.objects(await self._removals.unnamed({*removal.objects, *left}))

    async def analysis(self, key: str) -> Volume | None:
        """The same for an analysis."""
        async with self._removals.removing_analysis(key) as objects:
            return None if objects is None else await self.objects(objects)

    async def segment(self, object_key: str) -> Volume | None:
        """The same for a segment, by where it lies."""
        async with self._removals.removing_segment(object_key) as objects:
            return None if objects is None else await self.objects(objects)

    async def below(self, prefix: str) -> Volume:
        """Removes every object below the prefix, in any bucket, that nothing live names."""
        return await self.objects(await self.unnamed_below(prefix))

    async def unnamed_below(self, prefix: str) -> tuple[StoredObject, ...]:
        """Every object below the prefix, in any bucket, that nothing live names."""
        return await self._removals.unnamed([item async for item in self._below(prefix, tuple(Bucket))])

    async def objects(self, items: Iterable[StoredObject]) -> Volume:
        """Removes these objects; one that is gone already is fine."""
        removed = Volume()
        for item in items:
            size = await self.size(item)
            if size is not None and await self._objects.delete(item.bucket, item.key):
                removed = removed.plus(Volume(objects=1, bytes=size))
        return removed

    async def size(self, item: StoredObject) -> int | None:
        """The object's bytes, 0 if it is damaged; ``None`` where there is none, or can be none of that name."""
        try:
            found = await self._objects.stat(item.bucket, item.key)
        except CinemaError as error:
            if error.code is ErrorCode.OBJECT_CORRUPT:
                return 0
            if error.code is ErrorCode.NOT_FOUND:
                return None
            raise
        return None if found is None else found.size_bytes

    async def _below(self, prefix: str, buckets: Iterable[Bucket]) -> AsyncIterator[StoredObject]:
        for bucket in buckets:
            async for item in self._objects.list_sizes(bucket, prefix):
                yield StoredObject(bucket, item.key)
