"""The largest job that anybody may order: ten hours in many files, twenty outputs; all of it answered at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from temporalio import activity

from activities.declarations import PROBE_ASSET, Artifact, AssetRef, ProbedAsset
from schemas.control import OutputState
from schemas.edl import Variant
from schemas.jobs import MOST_OUTPUTS, JobRequest, OutputRequest, OutputStatus
from tests.workflows.parts_stand_ins import LONG, PartsStandIns
from tests.workflows.stand_ins import FAILURE, ref

#: Half an hour each makes ten hours.
HALF_HOUR_US = 1_800_000_000
FILES = 20
SEGMENTS = 150
ANALYZERS = ("sound", "transcript", "faces", "shots", "levels", "activity", "timing", "words", "music", "motion")

REQUEST = JobRequest(
    outputs=(
        OutputRequest(variant=Variant.CINEMATIC_FULL),
        OutputRequest(variant=Variant.SHORT_HIGHLIGHT, count=10),
        OutputRequest(variant=Variant.VERTICAL_REEL, count=9),
    )
)


def _ordered() -> dict[UUID, OutputState]:
    states = [
        OutputState(
            output_id=uuid4(),
            variant=wanted.variant,
            number=wanted.number,
            count=wanted.count,
            status=OutputStatus.QUEUED,
        )
        for wanted in REQUEST.wanted()
    ]
    assert len(states) == MOST_OUTPUTS
    return {state.output_id: state for state in states}


@dataclass
class LargeJob(PartsStandIns):
    """Its outputs are known by their ids alone; the full film is as long as the footage, and made in parts."""

    assets: tuple[str, ...] = tuple(f"part-{number}.mp4" for number in range(FILES))
    request: JobRequest = REQUEST
    segments: int = SEGMENTS
    outputs: dict[UUID, OutputState] = field(default_factory=_ordered)

    @activity.defn(name=PROBE_ASSET.name)
    async def probe_asset(self, _: AssetRef) -> ProbedAsset:
        self.calls["probe"] += 1
        return ProbedAsset(
            probe=Artifact(ref=ref("probe"), computed=True),
            analyzers=ANALYZERS,
            duration_us=HALF_HOUR_US,
            has_sound=True,
        )

    @property
    def statuses_now(self) -> Sequence[OutputStatus]:
        return [state.status for state in self.outputs.values()]

    @property
    def full(self) -> UUID:
        return next(state.output_id for state in self.outputs.values() if state.variant is LONG)

    def _states(self) -> tuple[OutputState, ...]:
        return tuple(self.outputs.values())

    def _set(self, output_id: UUID, status: OutputStatus) -> None:
        error = FAILURE if status is OutputStatus.FAILED else None
        self.outputs[output_id] = self.outputs[output_id].model_copy(update={"status": status, "error": error})
