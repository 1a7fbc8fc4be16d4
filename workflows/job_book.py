"""What a job's workflow knows of its job: pure state, from which its status, its stage and what may be asked follow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from activities.declarations import Artifact, AssetRef, LoadedJob, OutputRef, PlannedOutput, RenderedOutput, SettledJob
from schemas.control import (
    JobState,
    OutputState,
    RefusedFile,
    is_to_retry,
    outputs_to_approve,
    outputs_to_cancel,
    outputs_to_retry,
)
from schemas.errors import ConflictError, ErrorCode, ErrorInfo
from schemas.jobs import ApprovalPolicy, ArtifactCounts, JobStatus, OutputStatus
from workflows.contract import PreparedJob


@dataclass(frozen=True)
class PartsCount:
    """How many of an output's segments are there, how many of them were before, and whether its sound is."""

    segments: int
    there: int
    found: int
    has_sound: bool


@dataclass
class JobBook:
    """One job. ``paused_until`` is when a pause that nobody ends calls the job off.

    An output is ``queued`` until it is planned, ``planned`` while its plan awaits approval or a pause holds its render,
    then ``rendering``.
    """

    job_id: UUID
    paused_until: datetime | None = None
    approval: ApprovalPolicy | None = None
    preparing: bool = False
    ended: JobStatus | None = None
    retries: set[str] = field(default_factory=set)
    _outputs: dict[UUID, OutputState] = field(default_factory=dict)
    _refused: dict[UUID, RefusedFile] = field(default_factory=dict)
    _earlier: ArtifactCounts = field(default_factory=ArtifactCounts)
    _computed: dict[tuple[UUID, str, str], bool] = field(default_factory=dict)
    _deadline: datetime | None = None
    _parts: dict[UUID, PartsCount] = field(default_factory=dict)
    _reused: set[UUID] = field(default_factory=set)
    _awaiting: set[UUID] = field(default_factory=set)

    def load(self, job: LoadedJob) -> None:
        """Take the job over from its rows; whatever is not settled begins anew."""
        self.approval = job.request.approval
        self.ended = job.status if job.status.settled else None
        self.retries |= set(job.retries)
        self._earlier = job.artifacts
        self._outputs = {output.output_id: output for output in job.outputs}
        for output in self.open:
            self._change(output.output_id, status=OutputStatus.QUEUED)

    def go_on_from(self, prepared: PreparedJob) -> None:
        """Know of the footage what an earlier run found out."""
        self._earlier = prepared.artifacts
        self._refused = {refused.asset_id: refused for refused in prepared.refused}

    @property
    def paused(self) -> bool:
        return self.paused_until is not None

    @property
    def outputs(self) -> tuple[OutputState, ...]:
        return tuple(self._outputs.values())

    @property
    def refused(self) -> tuple[RefusedFile, ...]:
        return tuple(self._refused.values())

    @property
    def open(self) -> tuple[OutputState, ...]:
        """The outputs that are still to be made."""
        return tuple(output for output in self._outputs.values() if not output.status.settled)

    @property
    def approve_by(self) -> datetime | None:
        """When the wait for an approval ends, while something waits for one."""
        return self._deadline if any(output.awaits_approval for output in self.open) else None

    @property
    def stage(self) -> JobStatus:
        """Where the job is, be it paused or not: as far as the output that is furthest, as far as all have come."""
        if self.ended is not None:
            return self.ended
        if self.preparing:
            return JobStatus.ANALYSING
        if self.open and all(output.awaits_approval for output in self.open):
            return JobStatus.AWAITING_APPROVAL
        statuses = {output.status for output in self.open}
        planning = OutputStatus.QUEUED in statuses and OutputStatus.RENDERING not in statuses
        return JobStatus.PLANNING if planning else JobStatus.RENDERING

    @property
    def status(self) -> JobStatus:
        """What the job's row says."""
        return JobStatus.PAUSED if self.paused and self.ended is None else self.stage

    @property
    def artifacts(self) -> ArtifactCounts:
        """Of the whole job: what an earlier run of it has made is not counted as found when it is made again."""
        computed = self._earlier.computed + sum(self._computed.values())
        needed = max(len(self._computed), self._earlier.computed + self._earlier.reused, computed)
        return ArtifactCounts(computed=computed, reused=needed - computed)

    def state(self) -> JobState:
        return JobState(
            job_id=self.job_id,
            status=self.status,
            stage=self.stage,
            paused=self.paused,
            approve_by=self.approve_by,
            outputs=self.outputs,
            refused_files=self.refused,
            artifacts=self.artifacts,
        )

    def output(self, output_id: UUID) -> OutputState:
        return self._outputs[output_id]

    def position(self, output_id: UUID) -> str:
        """Which of the job's outputs this is, for people."""
        return f"{list(self._outputs).index(output_id) + 1}/{len(self._outputs)}"

    def analysed(self, asset: AssetRef, artifact: Artifact) -> None:
        key = (asset.asset_id, artifact.ref.analyzer, artifact.ref.key)
        self._computed[key] = self._computed.get(key, False) or artifact.computed

    def refuse(self, asset: AssetRef, error: ErrorInfo) -> None:
        self._refused[asset.asset_id] = RefusedFile(asset_id=asset.asset_id, name=asset.name, error=error)

    def planned(self, output_id: UUID, plan: PlannedOutput) -> None:
        self._change(output_id, edl_key=plan.edl_key)

    def await_approval(self, output_id: UUID, until: datetime) -> None:
        """Wait until then, or together with what waits already."""
        self._deadline = self.approve_by or until
        self._change(output_id, status=OutputStatus.PLANNED, awaits_approval=True)

    def render(self, output_id: UUID) -> None:
        self._awaiting.discard(output_id)
        self._change(output_id, status=OutputStatus.RENDERING)

    def count_parts(self, output_id: UUID, parts: PartsCount) -> None:
        """An output is rendered in parts, of which so many are there."""
        self._parts[output_id] = parts

    def parts(self, output_id: UUID) -> PartsCount | None:
        """How many parts of an output are there; ``None`` where it is rendered in one piece, or not yet."""
        return self._parts.get(output_id)

    def was_there(self, output_id: UUID) -> bool:
        """Whether nothing had to be rendered for it in this run."""
        return output_id in self._reused

    def await_video(self, output_id: UUID) -> None:
        """Somebody else makes a video with the same picture and sound, which the output waits for."""
        self.render(output_id)
        self._awaiting.add(output_id)

    def awaits_video(self, output_id: UUID) -> bool:
        return output_id in self._awaiting

    def hold(self, output_id: UUID) -> None:
        self._change(output_id, status=OutputStatus.PLANNED)

    def rendered(self, output_id: UUID, rendered: RenderedOutput) -> None:
        self._change(output_id, status=OutputStatus.COMPLETED, attempt=rendered.attempt)
        if rendered.reused:
            self._reused.add(output_id)

    def see(self, rows: Iterable[OutputState]) -> None:
        """Outputs are as their rows say now."""
        for row in rows:
            self._outputs[row.output_id] = row

    def approve(self, rows: Iterable[OutputState]) -> None:
        for row in rows:
            self._change(row.output_id, approved=row.approved, awaits_approval=False)

    def reopen(self, rows: Iterable[OutputState], retry_id: str) -> None:
        """Make these again, except what is being made or has been made since this order was given first."""
        self.retries.add(retry_id)
        for row in rows:
            if row.status is OutputStatus.QUEUED and self._outputs[row.output_id].status.settled:
                self._outputs[row.output_id] = row
        if self.open:
            self.ended = None

    def settle(self, settled: SettledJob, error: ErrorInfo | None) -> None:
        """The job has ended; ``error`` is why outputs that were never tried failed."""
        self.ended = settled.status
        self.paused_until = None
        for output in settled.outputs:
            known = self._outputs.get(output.output_id)
            if known is not None and not known.status.settled:
                failed = output.status is OutputStatus.FAILED
                self._change(output.output_id, status=output.status, error=error if failed else None)

    def settled(self) -> SettledJob:
        """How the job ended, as its rows say."""
        if self.ended is None:
            raise RuntimeError("the job has not ended")
        outputs = tuple(
            OutputRef(output_id=output.output_id, variant=output.variant, status=output.status)
            for output in self.outputs
        )
        return SettledJob(job_id=self.job_id, status=self.ended, outputs=outputs, artifacts=self.artifacts)

    def to_retry(self, wanted: Sequence[UUID]) -> tuple[UUID, ...]:
        """As :func:`schemas.control.outputs_to_retry`."""
        return _ids(outputs_to_retry(self.outputs, wanted))

    @property
    def unmade(self) -> bool:
        """Whether an output has failed or was cancelled, and has not expired."""
        return any(is_to_retry(output) for output in self.outputs)

    def going_on(self, wanted: Sequence[UUID]) -> tuple[UUID, ...]:
        """Those of the wanted outputs, or of all if none is named, that are to be made anyway."""
        return tuple(output.output_id for output in self.open if not wanted or output.output_id in wanted)

    def to_cancel(self, wanted: Sequence[UUID]) -> tuple[UUID, ...]:
        """As :func:`schemas.control.outputs_to_cancel`."""
        return _ids(outputs_to_cancel(self.outputs, wanted))

    def to_approve(self, wanted: Sequence[UUID]) -> tuple[UUID, ...]:
        """As :func:`schemas.control.outputs_to_approve`."""
        return _ids(outputs_to_approve(self.outputs, wanted))

    def check_running(self) -> None:
        """Raises ``ConflictError`` where there is nothing left to pause or resume (``INVALID_TRANSITION``)."""
        if self.ended is not None:
            raise ConflictError(ErrorCode.INVALID_TRANSITION, f"This job has ended: it is {self.ended}.")

    def _change(self, output_id: UUID, **update: object) -> None:
        self._outputs[output_id] = self._outputs[output_id].model_copy(update=update)


def _ids(outputs: Iterable[OutputState]) -> tuple[UUID, ...]:
    return tuple(output.output_id for output in outputs)
