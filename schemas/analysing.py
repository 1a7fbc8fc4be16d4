"""What an analyzer is asked for and what becomes of its answer."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from schemas.media import AssetKind, MediaProbe
from schemas.model import Model


class AnalysisRequest(Model):
    """One analyzer on one local file. ``parameters`` is the analyzer's own parameter model as JSON.

    ``reference`` is the local file of the asset that this one is measured against (alignment), if any.
    """

    analyzer: str
    path: Path
    kind: AssetKind
    probe: MediaProbe | None = None
    reference: Path | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class ArtifactRef(Model):
    """A stored analysis: its key, and where its JSON lies in bucket ``analysis``."""

    analyzer: str
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    object_key: str
