"""Stored analyses: found by content or made once, and read back as facts."""

import hashlib
import json
from typing import Any, Final

from pydantic import BaseModel

from activities.declarations import AnalysedAsset
from activities.uploads import upload_bytes
from schemas.analysing import ALIGNMENT, ArtifactRef
from schemas.errors import CinemaError, ErrorCode
from schemas.facts import AssetFacts
from schemas.media import MediaProbe
from stores import Bucket, ObjectStore

#: What reading an artifact that is lost or damaged says; it is made again.
LOST: Final = frozenset({ErrorCode.OBJECT_MISSING, ErrorCode.OBJECT_CORRUPT})


def object_key(key: str) -> str:
    """Where an artifact lies in bucket ``analysis``; two characters of fan-out keep folders small."""
    return f"{key[:2]}/{key}.json"


def part_ref(whole: ArtifactRef, number: int) -> ArtifactRef:
    """Where a part of an unfinished artifact lies: below it, and always at the same place."""
    key = hashlib.sha256(f"{whole.key} part {number}".encode()).hexdigest()
    object_key = f"{whole.object_key.removesuffix('.json')}/{number:05}.json"
    return ArtifactRef(analyzer=f"{whole.analyzer}.part", key=key, object_key=object_key)


async def write_artifact(objects: ObjectStore, ref: ArtifactRef, artifact: BaseModel) -> None:
    await upload_bytes(objects, Bucket.ANALYSIS, ref.object_key, artifact.model_dump_json().encode())


async def read_facts(objects: ObjectStore, analysed: AnalysedAsset) -> AssetFacts:
    """Everything known of an asset; each artifact fills the field that has its analyzer's name, alignments one field.

    In an edit an asset goes by its content, so that the same footage gives the same edit in every job.
    """
    artifacts: dict[str, Any] = {}
    alignments = []
    for ref in analysed.artifacts:
        content = json.loads(await read_object(objects, Bucket.ANALYSIS, ref.object_key))
        if ref.analyzer == ALIGNMENT:
            alignments.append(content)
        else:
            artifacts[ref.analyzer] = content
    asset = analysed.asset
    return AssetFacts.model_validate(
        {
            "asset_id": f"{asset.kind}-{asset.sha256[:16]}",
            "name": asset.name,
            "kind": asset.kind,
            "sha256": asset.sha256,
            "alignments": alignments,
            **artifacts,
        }
    )


async def read_probe(objects: ObjectStore, ref: ArtifactRef) -> MediaProbe:
    return MediaProbe.model_validate_json(await read_object(objects, Bucket.ANALYSIS, ref.object_key))


async def is_whole(objects: ObjectStore, ref: ArtifactRef) -> bool:
    """Whether an artifact is there as it was stored; all of it is read, since a disk may forget a few bytes of it."""
    try:
        await read_object(objects, Bucket.ANALYSIS, ref.object_key)
    except CinemaError as error:
        if error.code not in LOST:
            raise
        return False
    return True


async def read_object(objects: ObjectStore, bucket: Bucket, key: str) -> bytes:
    """A whole small object; media is never read this way."""
    return b"".join([chunk async for chunk in objects.get(bucket, key)])
