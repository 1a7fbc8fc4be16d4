"""What is known of a project's footage without looking at it again: facts out of the analyses that are kept."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from pydantic import ValidationError

from activities.artifacts import LOST, read_facts, read_object
from activities.declarations import AnalysedAsset, AssetRef
from schemas.analysing import ArtifactRef, applicable
from schemas.errors import CinemaError
from schemas.facts import Alignment, AssetFacts
from schemas.jobs import Asset, AssetStatus
from stores import Analyses, Bucket, ObjectStore

PROBE, ALIGNMENT = "probe", "alignment"


async def known_facts(
    objects: ObjectStore, analyses: Analyses, assets: Sequence[Asset]
) -> tuple[AssetFacts, ...] | None:
    """The facts of all usable assets by their newest analyses; ``None`` where one of those that each needs is not kept.

    One that is gone from the store or damaged there, or that another version made, is as good as none. A job may know
    more, or know it from other analyses: of another language, or made by other models.
    """
    usable = [asset for asset in assets if asset.status is AssetStatus.READY]
    known = await analyses.known_of(sorted({asset.sha256 for asset in usable}))
    try:
        return await _facts(objects, usable, known)
    except ValidationError:
        return None
    except CinemaError as error:
        if error.code in LOST:
            return None
        raise


async def _facts(
    objects: ObjectStore, usable: Sequence[Asset], known: Mapping[str, Sequence[ArtifactRef]]
) -> tuple[AssetFacts, ...] | None:
    contents = {asset.sha256 for asset in usable}
    newest = [await _newest(objects, known.get(asset.sha256, ()), contents) for asset in usable]
    if not all(any(ref.analyzer == PROBE for ref in refs) for refs in newest):
        return None
    analysed = (_analysed(asset, refs) for asset, refs in zip(usable, newest, strict=True))
    facts = tuple(await asyncio.gather(*(read_facts(objects, one) for one in analysed)))
    return facts if all(map(_is_complete, facts)) else None


def _is_complete(facts: AssetFacts) -> bool:
    return all(getattr(facts, analyzer) is not None for analyzer in applicable(facts.probe, facts.kind))


async def _newest(
    objects: ObjectStore, refs: Iterable[ArtifactRef], contents: Collection[str]
) -> tuple[ArtifactRef, ...]:
    """The newest of each analyzer's; of alignments, the newest against one of these contents."""
    chosen: dict[str, ArtifactRef] = {}
    for ref in refs:
        if ref.analyzer not in chosen and await _is_of(objects, ref, contents):
            chosen[ref.analyzer] = ref
    return tuple(chosen.values())


async def _is_of(objects: ObjectStore, ref: ArtifactRef, contents: Collection[str]) -> bool:
    if ref.analyzer != ALIGNMENT:
        return True
    stored = await read_object(objects, Bucket.ANALYSIS, ref.object_key)
    return Alignment.model_validate_json(stored).reference_sha256 in contents


def _analysed(asset: Asset, refs: tuple[ArtifactRef, ...]) -> AnalysedAsset:
    ref = AssetRef(
        asset_id=asset.id, name=asset.name, kind=asset.kind, object_key=asset.object_key, sha256=asset.sha256
    )
    return AnalysedAsset(asset=ref, artifacts=refs)
