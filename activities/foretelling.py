"""What a job over this footage will take, as far as is known before it starts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from activities.estimating import PROBE, Capacity, Source, Speeds, estimate
from activities.pixel_rates import picture_of
from schemas.analysing import ALIGNMENT, applicable, most_applicable
from schemas.cost import WorkKind
from schemas.edl import Variant
from schemas.estimate import Basis, JobEstimate, OutputEstimate, Spread
from schemas.media import AssetKind, MediaProbe
from schemas.timebase import MICROSECOND
from stores import Ledger, Pool
from stores.workload import unfinished_outputs

#: Finished pieces of work of each kind that speeds are taken from, the latest ones.
MOST_MEASURED = 200

#: Bytes for each second of media that nobody has looked into: from a call's recording to a camera's intra-frame
#: codec (2 to 100 Mbit/s), and from speech codecs to uncompressed stereo of 48 kHz and 24 bit.
_OF_PICTURE = Spread(low=250_000, typical=1_500_000, high=12_500_000)
_OF_SOUND = Spread(low=8_000, typical=24_000, high=288_000)
BYTES_PER_SECOND: Mapping[AssetKind, Spread] = {
    AssetKind.A_ROLL: _OF_PICTURE,
    AssetKind.B_ROLL: _OF_PICTURE,
    AssetKind.SCREEN: _OF_PICTURE,
    AssetKind.AUDIO: _OF_SOUND,
}


@dataclass(frozen=True)
class Deployment:
    """How fast this installation is, and how much it has to do."""

    speeds: Speeds
    capacity: Capacity


@dataclass(frozen=True)
class UnknownFile:
    """Footage of which nothing but its size is known yet."""

    kind: AssetKind
    size_bytes: int


@dataclass(frozen=True)
class Foretold:
    """The estimate; what it goes by for the analyses together, and for each output in the order of the estimate's."""

    estimate: JobEstimate
    analyses: Basis
    renders: tuple[Basis, ...]

    @property
    def basis(self) -> Basis:
        found = {self.analyses, *self.renders}
        return found.pop() if len(found) == 1 else Basis.MIXED


async def look_around(pool: Pool, capacity: Capacity) -> Deployment:
    """What the ledger and the open jobs say now, of an installation with this capacity."""
    measured = await Ledger(pool).measured(MOST_MEASURED)
    waiting = await unfinished_outputs(pool)
    return Deployment(Speeds(measured), replace(capacity, waiting=waiting))


def foretell(
    footage: Sequence[tuple[AssetKind, MediaProbe]],
    variants: Sequence[Variant],
    deployment: Deployment,
    unknown: Sequence[UnknownFile] = (),
) -> Foretold:
    """The estimate for a job that makes ``variants`` of ``footage`` and of files whose length only their size tells."""
    talked = any(kind is AssetKind.A_ROLL and probe.dialogue is not None for kind, probe in footage) or any(
        file.kind is AssetKind.A_ROLL for file in unknown
    )
    known = [_source(kind, probe, talked=talked) for kind, probe in footage]

    def told(guessed: Iterable[Source]) -> JobEstimate:
        return estimate([*known, *guessed], variants, deployment.speeds, deployment.capacity)

    lengths = [_length_s(file) for file in unknown]
    guesses = [_guessed(file, length.typical, talked=talked) for file, length in zip(unknown, lengths, strict=True)]
    middle = told(guesses)
    if unknown:
        shortest = told(_lasting(guesses, [length.low for length in lengths]))
        longest = told(_lasting(guesses, [length.high for length in lengths]))
        middle = _across(shortest, middle, longest)
    analyzers = {PROBE, *(analyzer for source in (*known, *guesses) for analyzer in source.analyzers)}
    return Foretold(
        estimate=middle,
        analyses=_basis(deployment.speeds.knows(WorkKind.ANALYSIS, analyzer) for analyzer in analyzers),
        renders=tuple(_basis([deployment.speeds.knows(WorkKind.RENDER, variant)]) for variant in variants),
    )


def _source(kind: AssetKind, probe: MediaProbe, *, talked: bool) -> Source:
    aligned = (ALIGNMENT,) if talked and kind is AssetKind.AUDIO and probe.dialogue is not None else ()
    return Source(kind, probe.duration_us, applicable(probe, kind) + aligned, picture_of(probe))


def _guessed(file: UnknownFile, length_s: float, *, talked: bool) -> Source:
    aligned = (ALIGNMENT,) if talked and file.kind is AssetKind.AUDIO else ()
    return Source(file.kind, _microseconds(length_s), most_applicable(file.kind) + aligned)


def _lasting(sources: Sequence[Source], lengths_s: Sequence[float]) -> list[Source]:
    return [
        replace(source, duration_us=_microseconds(length)) for source, length in zip(sources, lengths_s, strict=True)
    ]


def _length_s(file: UnknownFile) -> Spread:
    rate = BYTES_PER_SECOND[file.kind]
    return Spread(
        low=file.size_bytes / rate.high, typical=file.size_bytes / rate.typical, high=file.size_bytes / rate.low
    )


def _microseconds(seconds: float) -> int:
    return max(1, round(seconds / MICROSECOND))


def _basis(measured: Iterable[bool]) -> Basis:
    found = set(measured)
    if found == {True}:
        return Basis.MEASURED
    return Basis.PRIOR if found == {False} else Basis.MIXED


def _across(shortest: JobEstimate, middle: JobEstimate, longest: JobEstimate) -> JobEstimate:
    """From the least of the shortest to the most of the longest footage that it may be."""

    def spread(low: Spread, typical: Spread, high: Spread) -> Spread:
        return Spread(low=low.low, typical=typical.typical, high=high.high)

    def output(low: OutputEstimate, typical: OutputEstimate, high: OutputEstimate) -> OutputEstimate:
        return OutputEstimate(
            variant=typical.variant,
            length_s=spread(low.length_s, typical.length_s, high.length_s),
            compute_s=spread(low.compute_s, typical.compute_s, high.compute_s),
            finished_s=spread(low.finished_s, typical.finished_s, high.finished_s),
        )

    parts = ("analysis_compute_s", "compute_s", "waiting_s", "finished_s")
    return JobEstimate(
        outputs=tuple(output(*same) for same in zip(shortest.outputs, middle.outputs, longest.outputs, strict=True)),
        measured=middle.measured,
        **{part: spread(*(getattr(told, part) for told in (shortest, middle, longest))) for part in parts},
    )
