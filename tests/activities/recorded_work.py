"""Successful attempts of real jobs as one deployment's ledger recorded them: two cores, busy with other things too.

Recorded when each analyzer decoded for itself; those that share a pass today are summed, less a second start.
"""

from pathlib import Path

from pydantic import TypeAdapter

from activities.estimating import Source
from schemas.cost import MeasuredWork
from schemas.media import AssetKind
from schemas.model import Model


class RecordedSource(Model):
    kind: AssetKind
    duration_us: int
    analyzers: tuple[str, ...]

    def source(self) -> Source:
        return Source(self.kind, self.duration_us, self.analyzers)


class RecordedJob(Model):
    footage: str
    sources: tuple[RecordedSource, ...]
    work: tuple[MeasuredWork, ...]


RECORDED = TypeAdapter(tuple[RecordedJob, ...]).validate_json(
    Path(__file__).with_name("recorded_work.json").read_text(encoding="utf-8")
)
