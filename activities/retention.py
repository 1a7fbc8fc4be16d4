"""The activities of a retention sweep: one batch at a time, each safe to repeat and to run beside another sweep."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

import structlog
from temporalio import activity

from activities.heartbeat import heartbeating
from activities.removing import Remover
from activities.retention_declarations import (
    ANNOUNCE_EXPIRY,
    EXPIRE_ASSETS,
    EXPIRE_OUTPUTS,
    REMOVE_UNUSED_ANALYSES,
    REMOVE_UNUSED_SEGMENTS,
    SweepBatch,
    SweptBatch,
)
from schemas.errors import CinemaError
from schemas.retention import SweepCounts, Volume
from stores import ObjectStore, Pool, Removals, Retention

Key = TypeVar("Key", UUID, str)

log = structlog.get_logger(__name__)


class RetentionActivities:
    """Tells creators what will go, and removes what was told and is due."""

    def __init__(self, database: Pool, objects: ObjectStore) -> None:
        self._retention = Retention(database)
        self._removals = Removals(database)
        self._remover = Remover(objects, self._removals)

    @activity.defn(name=ANNOUNCE_EXPIRY.name)
    async def announce_expiry(self, asked: SweepBatch) -> SweptBatch:
        """Take back the dates of what is used again, and tell creators of what is due soon."""
        withdrawn = await self._retention.withdraw(asked.policy)
        noticed = await self._retention.announce(asked.policy, asked.as_of)
        return SweptBatch(counts=SweepCounts(withdrawn=withdrawn, noticed=noticed), more=noticed > 0)

    @activity.defn(name=EXPIRE_OUTPUTS.name)
    async def expire_outputs(self, asked: SweepBatch) -> SweptBatch:
        """Outputs that are due; once there are none, those that an earlier sweep has left unfinished."""
        claimed = await self._retention.claim_outputs(asked.policy, asked.as_of)
        unfinished = await self._removals.unfinished_outputs(_uuid(asked.after), asked.policy.batch_size)
        return await self._remove(asked, claimed, unfinished, self._remover.output, "outputs")

    @activity.defn(name=EXPIRE_ASSETS.name)
    async def expire_assets(self, asked: SweepBatch) -> SweptBatch:
        """The same for assets; with the last of them footage that a killed process has stored and not recorded."""
        claimed = await self._retention.claim_assets(asked.policy, asked.as_of)
        unfinished = await self._removals.unfinished_assets(_uuid(asked.after), asked.policy.batch_size)
        swept = await self._remove(asked, claimed, unfinished, self._remover.asset, "assets")
        if swept.more:
            return swept
        abandoned = await self._removals.abandoned_footage(asked.policy.batch_size)
        counts = await _each(abandoned, self._remover.footage, "assets")
        # It never was an asset; what is left of it counts as objects alone.
        counts = swept.counts.plus(counts.model_copy(update={"assets": 0}))
        return swept.model_copy(update={"counts": counts})

    @activity.defn(name=REMOVE_UNUSED_ANALYSES.name)
    async def remove_unused_analyses(self, asked: SweepBatch) -> SweptBatch:
        """Analyses of content that nobody has any more, and those that a killed worker has left half made."""
        claimed = await self._retention.claim_analyses(asked.policy.batch_size)
        unfinished = await self._removals.unfinished_analyses(asked.after, asked.policy.batch_size)
        return await self._remove(asked, claimed, unfinished, self._remover.analysis, "analyses")

    @activity.defn(name=REMOVE_UNUSED_SEGMENTS.name)
    async def remove_unused_segments(self, asked: SweepBatch) -> SweptBatch:
        """Segments of which nothing was made for long, and those that a killed worker has left half made."""
        claimed = await self._retention.claim_segments(asked.policy, asked.as_of)
        unfinished = await self._removals.unfinished_segments(asked.after, asked.policy.batch_size)
        return await self._remove(asked, claimed, unfinished, self._remover.segment, "segments")

    async def _remove(
        self,
        asked: SweepBatch,
        claimed: Sequence[Key],
        unfinished: Sequence[Key],
        remove: Callable[[Key], Awaitable[Volume | None]],
        what: str,
    ) -> SweptBatch:
        """What was just claimed; only where nothing was, what is unfinished, from where the last batch stopped."""
        items = claimed or unfinished
        counts = await _each(items, remove, what)
        if claimed:
            return SweptBatch(counts=counts, more=True, after=asked.after)
        more = len(unfinished) == asked.policy.batch_size
        return SweptBatch(counts=counts, more=more, after=str(unfinished[-1]) if unfinished else None)


async def _each(items: Sequence[Key], remove: Callable[[Key], Awaitable[Volume | None]], what: str) -> SweepCounts:
    """Remove every item. One that cannot be removed does not keep the others.

    Raises:
        CinemaError: Nothing could be removed, but may be in a while: the store or the database is away.
    """
    removed: list[Volume] = []
    failures: list[CinemaError] = []
    async with heartbeating(what) as heartbeat:
        for done, item in enumerate(items, start=1):
            try:
                volume = await remove(item)
            except CinemaError as error:
                log.warning(
                    "it could not be removed; the next sweep tries again", what=what, item=str(item), error=error
                )
                failures.append(error)
            else:
                removed += [volume] if volume is not None else []
            heartbeat.advance(done / len(items))
    if failures and len(failures) == len(items) and all(failure.retryable for failure in failures):
        raise failures[0]
    return SweepCounts.model_validate(
        {
            what: len(removed),
            "objects": sum(volume.objects for volume in removed),
            "bytes": sum(volume.bytes for volume in removed),
            "failed": len(failures),
        }
    )


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
