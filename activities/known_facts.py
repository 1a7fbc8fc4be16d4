"""What is known of a project's footage without looking at it again: facts out of the analyses that are kept."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from activities.artifacts import LOST, read_facts
from activities.declarations import AnalysedAsset, AssetRef
from schemas.analysing import ALIGNMENT, ArtifactRef, applicable, references_of
from schemas.errors import CinemaError
from schemas.facts import AssetFacts
from schemas.jobs import Asset, AssetStatus
from schemas.media import AssetKind
from stores import Analyses, ObjectStore

PROBE = "probe"


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
    newest = [_newest(known.get(asset.sha256, ())) for asset in usable]
    if not all(any(ref.analyzer == PROBE for ref in refs) for refs in newest):
        return None
    analysed = (_analysed(asset, refs) for asset, refs in zip(usable, newest, strict=True))
    facts = tuple(await asyncio.gather(*(read_facts(objects, one) for one in analysed)))
    references = references_of((one.sha256, one.probe.duration_us, one.sha256) for one in facts if _is_heard(one))
    facts = tuple(_beside(one, references) for one in facts)
    return facts if all(_is_complete(one, references) for one in facts) else None


def _is_heard(facts: AssetFacts) -> bool:
    return facts.kind is AssetKind.A_ROLL and facts.probe.dialogue is not None


def _beside(facts: AssetFacts, references: Sequence[str]) -> AssetFacts:
    """The same with the alignments to this project's A-roll alone: a recording may be used in others too."""
    known = {alignment.reference_sha256: alignment for alignment in facts.alignments}
    return facts.model_copy(update={"alignments": tuple(known[sha256] for sha256 in references if sha256 in known)})


def _is_complete(facts: AssetFacts, references: Sequence[str]) -> bool:
    aligned = {alignment.reference_sha256 for alignment in facts.alignments}
    beside = references if facts.kind is AssetKind.AUDIO and facts.probe.dialogue is not None else ()
    measured = (getattr(facts, analyzer) for analyzer in applicable(facts.probe, facts.kind))
    return aligned.issuperset(beside) and all(fact is not None for fact in measured)


def _newest(refs: Iterable[ArtifactRef]) -> tuple[ArtifactRef, ...]:
    """The newest of each analyzer's, and every alignment."""
    chosen: dict[str, ArtifactRef] = {}
    for ref in refs:
        chosen.setdefault(ref.key if ref.analyzer == ALIGNMENT else ref.analyzer, ref)
    return tuple(chosen.values())


def _analysed(asset: Asset, refs: tuple[ArtifactRef, ...]) -> AnalysedAsset:
    ref = AssetRef(
        asset_id=asset.id, name=asset.name, kind=asset.kind, object_key=asset.object_key, sha256=asset.sha256
    )
    return AnalysedAsset(asset=ref, artifacts=refs)
