"""What an analyzer is asked for and what becomes of its answer."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints

from schemas.facts import Transcript
from schemas.media import AssetKind, MediaProbe
from schemas.model import Model


class AnalysisRequest(Model):
    """One analyzer on one local file. ``parameters`` is the analyzer's own parameter model as JSON.

    ``reference`` is the local file of the asset that this one is measured against (alignment), if any. ``parts`` are
    those that an earlier attempt has kept, in order, as the analyzer's own JSON. ``transcript`` is what is known to be
    said in the asset, for an analyzer that goes by it and is not asked for together with the one that hears it.
    """

    analyzer: str
    path: Path
    kind: AssetKind
    probe: MediaProbe | None = None
    reference: Path | None = None
    reference_probe: MediaProbe | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    parts: tuple[str, ...] = ()
    transcript: Transcript | None = None


class ArtifactRef(Model):
    """A stored analysis: its key, and where its JSON lies in bucket ``analysis``."""

    analyzer: str
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    object_key: str


#: Raised with every change that can change what an analyzer answers, so that old artifacts are not taken for new ones;
#: the probe's makes all of them old.
ANALYZER_VERSIONS: Mapping[str, int] = MappingProxyType(
    {
        "probe": 7,
        "sound": 5,
        "transcript": 7,
        "shots": 5,
        "faces": 9,
        "picture": 4,
        "activity": 3,
        "image_embeddings": 2,
        "speech_embeddings": 1,
        "alignment": 3,
    }
)


def version_of(analyzer: str) -> str:
    """Which version of an analyzer answers now, and by which version of the probe that all others go by."""
    version = str(ANALYZER_VERSIONS[analyzer])
    return version if analyzer == "probe" else f"{version} by probe {ANALYZER_VERSIONS['probe']}"


class AnalysisPass(StrEnum):
    """One decode pass over a file, which feeds several analyzers."""

    SEEING = "seeing"
    HEARING = "hearing"


#: The analyzers that match pictures to what is said, by a model that an operator may have installed.
MATCHING = frozenset({"image_embeddings", "speech_embeddings"})

#: The analyzers that share a pass; every other one opens the file for itself.
_IN_PASS: Mapping[AnalysisPass, tuple[str, ...]] = {
    AnalysisPass.SEEING: ("shots", "faces", "picture", "activity", "image_embeddings"),
    AnalysisPass.HEARING: ("sound", "transcript", "speech_embeddings"),
}


def passes_of(analyzers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Analyzers grouped by the work that answers them: a pass by its name, any other analyzer by its own."""
    grouped: dict[str, tuple[str, ...]] = {}
    for analyzer in analyzers:
        work = next((name for name, members in _IN_PASS.items() if analyzer in members), analyzer)
        grouped[work] = (*grouped.get(work, ()), analyzer)
    return grouped


#: What the director needs to know of each kind, if the streams for it are there.
_OF_PICTURE: Mapping[AssetKind, tuple[str, ...]] = {
    AssetKind.A_ROLL: ("shots", "faces", "picture"),
    AssetKind.B_ROLL: ("shots", "faces", "picture"),
    AssetKind.SCREEN: ("shots", "picture", "activity"),
    AssetKind.AUDIO: (),
}
_OF_SOUND: Mapping[AssetKind, tuple[str, ...]] = {
    AssetKind.A_ROLL: ("sound", "transcript"),
    AssetKind.B_ROLL: ("sound",),
    AssetKind.SCREEN: ("sound",),
    AssetKind.AUDIO: ("sound",),
}


def applicable(probe: MediaProbe, kind: AssetKind) -> tuple[str, ...]:
    """The analyzers, besides ``probe``, that an asset of this kind needs; alignment needs a pair and is asked apart."""
    sound = _OF_SOUND[kind] if probe.dialogue is not None else ()
    picture = _OF_PICTURE[kind] if probe.video is not None else ()
    return sound + picture


#: The analyzer that measures one asset against another.
ALIGNMENT = "alignment"

#: A separate recording is aligned to so many A-rolls at most, the longest ones: as many as a day's shooting has, and
#: few enough that what is decoded for it stays little.
MOST_REFERENCES = 32

Heard = TypeVar("Heard")


def references_of(heard: Iterable[tuple[str, int, Heard]]) -> tuple[Heard, ...]:
    """The A-rolls that each separate recording is aligned to, the longest first.

    Args:
        heard: all A-rolls with sound, each with the SHA-256 of its content and its length in microseconds.
    """
    first: dict[str, tuple[int, Heard]] = {}
    for sha256, duration_us, one in heard:
        first.setdefault(sha256, (duration_us, one))
    longest = sorted(first.values(), key=lambda known: known[0], reverse=True)
    return tuple(one for _, one in longest[:MOST_REFERENCES])


def embeddable(probe: MediaProbe, kind: AssetKind) -> tuple[str, ...]:
    """The analyzers that an asset of this kind needs besides, where pictures can be matched to what is said."""
    if kind is AssetKind.A_ROLL:
        return ("speech_embeddings",) if probe.dialogue is not None else ()
    return ("image_embeddings",) if kind is not AssetKind.AUDIO and probe.video is not None else ()


def most_applicable(kind: AssetKind) -> tuple[str, ...]:
    """The same of an asset of which nothing is known but its kind: as if it had every stream."""
    return _OF_SOUND[kind] + _OF_PICTURE[kind]
