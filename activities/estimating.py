"""What a job will take, from how long finished work took: pure arithmetic over the ledger's rows.

A piece of work takes a start (a process, its imports, its model) and then time in proportion to its media: source that
is analysed, video that is rendered. The proportion is the median of recent work of the same kind on this deployment;
the range around it holds nine of ten of them, and is the wider the fewer they are. What of it grows with the pixels of
the picture is taken for as many as there are: work on small pictures says how long large ones will take.
"""

import heapq
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from activities.pixel_rates import Picture, foreseen_pixel_rate
from director.style import HOOK_LENGTH, REEL_LENGTH, SHORT_LENGTH
from schemas.analysing import ALIGNMENT, AnalysisPass, passes_of, references_of
from schemas.cost import MeasuredWork, WorkKind
from schemas.edl import Variant
from schemas.estimate import JobEstimate, OutputEstimate, Spread
from schemas.media import AssetKind
from schemas.rendering import SegmentLengths
from schemas.timebase import MICROSECOND

PROBE, SOUND = "probe", "sound"

#: Seconds that a piece of work takes before it gets to its media, in processor time and on the clock: a child process
#: with its imports, and fetching and publishing. Of the demo's footage on two cores.
START_CPU_S = 1.0
START_WALL_S = 1.5

#: From the last analysis to the first render.
PLANNING = Spread(low=0.2, typical=1.0, high=5.0)

#: The steps of a render in parts, by the ledger's words.
STEPS = frozenset({"sound", "segment", "join"})

#: Fewer finished pieces say less about a kind of work than the speeds below.
FEWEST_MEASURED = 3

#: How far from the middle of a prior a machine that nobody has measured may be, either way.
UNKNOWN_MACHINE = 4.0

#: Of the speech that is left when dead air is cut out: EDITING's paces leave between half and all of it; the demo's
#: talk keeps 0.84.
KEPT = Spread(low=0.5, typical=0.85, high=1.0)

#: How long a full film may be of which nothing is known but that somebody waits for it.
SOME_FILM_S = 300.0


@dataclass(frozen=True)
class Speed:
    """Seconds of processor time and on the clock for each second of media."""

    cpu: Spread
    wall: Spread


@dataclass(frozen=True)
class Source:
    """A file of the job: what it is for, its length, the analyzers that it needs besides the probe, and its picture.

    Without a ``picture`` it has none, or nobody has looked yet.
    """

    kind: AssetKind
    duration_us: int
    analyzers: tuple[str, ...]
    picture: Picture | None = None


@dataclass(frozen=True)
class Capacity:
    """Pieces of work done at once, and the outputs that others have ordered before.

    ``segments`` is what long outputs are taken apart into, which are then pieces of their own.
    """

    analysis_slots: int = 1
    render_slots: int = 1
    waiting: Mapping[Variant, int] = field(default_factory=dict)
    segments: SegmentLengths = field(default_factory=SegmentLengths)


def _prior(cpu: float, wall: float) -> Speed:
    def around(middle: float) -> Spread:
        return Spread(low=middle / UNKNOWN_MACHINE, typical=middle, high=middle * UNKNOWN_MACHINE)

    return Speed(around(cpu), around(wall))


#: Where nothing has been measured: processor time as ``cinema cost`` shows it for the demo's footage (1080p, 100 s) on
#: two cores, and the part of it that passes on the clock when nothing else runs (``make bench ONLY=job``).
PRIORS: Mapping[tuple[WorkKind, str], Speed] = {
    (WorkKind.ANALYSIS, PROBE): _prior(cpu=0.005, wall=0.005),
    (WorkKind.ANALYSIS, ALIGNMENT): _prior(cpu=0.008, wall=0.008),
    (WorkKind.ANALYSIS, AnalysisPass.HEARING): _prior(cpu=0.08, wall=0.06),
    (WorkKind.ANALYSIS, AnalysisPass.SEEING): _prior(cpu=0.12, wall=0.08),
    (WorkKind.RENDER, Variant.CINEMATIC_FULL): _prior(cpu=0.9, wall=0.5),
    (WorkKind.RENDER, Variant.SHORT_HIGHLIGHT): _prior(cpu=0.9, wall=0.5),
    (WorkKind.RENDER, Variant.HOOK_CUT): _prior(cpu=1.2, wall=0.7),
    (WorkKind.RENDER, Variant.VERTICAL_REEL): _prior(cpu=1.2, wall=0.7),
}

#: The pixels a second of the priors' footage, 1080 lines at 30 frames: of a source, and of one with a canvas as large.
_SEEN = 1920 * 1080 * 30
_RENDERED = 2 * _SEEN

#: How much of work over such footage grows with its pixels. To look at 720 and 1080 lines took 0.046 and 0.073 s of
#: processor time a second: 0.012 of it is for faces, always on small pictures. A render does little else.
SHARE_OF_PIXELS_SEEN = 0.66
SHARE_OF_PIXELS_RENDERED = 0.9

#: Of work that is new and was never measured: as slow as the slowest known.
UNKNOWN_WORK = _prior(cpu=1.2, wall=0.7)


class Speeds:
    """How fast each kind of work is done here; a render in parts takes what its steps take one after another."""

    def __init__(self, measured: Iterable[MeasuredWork]) -> None:
        grouped: dict[tuple[WorkKind, str], dict[str, list[MeasuredWork]]] = {}
        for work in measured:
            grouped.setdefault((work.kind, work.subject), {}).setdefault(work.step, []).append(work)
        self.measured = sum(len(group) for steps in grouped.values() for group in steps.values())
        speeds = {key: _speed_of_steps(steps) for key, steps in grouped.items()}
        self._speeds = {key: speed for key, speed in speeds.items() if speed is not None}

    def knows(self, kind: WorkKind, subject: str) -> bool:
        """Whether enough of this work was finished here to go by."""
        return (kind, subject) in self._speeds

    def of(self, kind: WorkKind, subject: str, pixel_rate: int | None = None) -> Speed:
        """How fast it is done on as many pixels a second, or on those of the priors where nothing is known of them."""
        key = (kind, subject)
        speed, by = self._speeds.get(key) or PRIORS.get(key, UNKNOWN_WORK), Spread.exactly(effort(*key, pixel_rate))
        return Speed(cpu=speed.cpu.times(by), wall=speed.wall.times(by))


def effort(kind: WorkKind, subject: str, pixel_rate: int | None) -> float:
    """How much longer work takes than on the pixels of the priors' footage."""
    if pixel_rate is None:
        return 1.0
    if kind is WorkKind.RENDER:
        share, usual = SHARE_OF_PIXELS_RENDERED, _RENDERED
    elif subject == AnalysisPass.SEEING:
        share, usual = SHARE_OF_PIXELS_SEEN, _SEEN
    else:
        return 1.0
    return 1 - share + share * pixel_rate / usual


def estimate(sources: Sequence[Source], variants: Sequence[Variant], speeds: Speeds, capacity: Capacity) -> JobEstimate:
    """What a job over ``sources`` will take if nothing of it was ever made before.

    Args:
        sources: the job's usable files.
        variants: the outputs asked for, in the order in which they are made.
        speeds: of finished work.
        capacity: what works side by side, and for whom else.
    """
    beside_us = sum(references_of((str(number), us, us) for number, us in enumerate(_heard_talks_us(sources))))
    analyses = [
        _work(speeds.of(WorkKind.ANALYSIS, subject, _seen_of(source)), Spread.exactly(float(media_us * MICROSECOND)))
        for source in sources
        for subject in (PROBE, *passes_of(source.analyzers))
        for media_us in [source.duration_us + (beside_us if subject == ALIGNMENT else 0)]
    ]
    lengths = [expected_length(variant, sources) for variant in variants]
    pictures = [source.picture for source in _talks(sources) if source.picture is not None]
    renders = [
        _work(speeds.of(WorkKind.RENDER, variant, foreseen_pixel_rate(variant, pictures)), length)
        for variant, length in zip(variants, lengths, strict=True)
    ]
    waiting = _waiting(speeds, capacity)
    begun = waiting.plus(_makespan([work.wall for work in analyses], capacity.analysis_slots)).plus(PLANNING)
    pieces = [_pieces(length, capacity.segments) for length in lengths]
    ends = _ends_in_pieces([work.wall for work in renders], pieces, capacity.render_slots)
    finished = [begun.plus(end) for end in ends]
    analysis_compute = _sum(work.cpu for work in analyses)
    return JobEstimate(
        outputs=tuple(
            OutputEstimate(variant=variant, length_s=length, compute_s=render.cpu, finished_s=end)
            for variant, length, render, end in zip(variants, lengths, renders, finished, strict=True)
        ),
        analysis_compute_s=analysis_compute,
        compute_s=_sum([analysis_compute, *(render.cpu for render in renders)]),
        waiting_s=waiting,
        finished_s=_latest(finished),
        measured=speeds.measured,
    )


def expected_length(variant: Variant, sources: Sequence[Source]) -> Spread:
    """Seconds of video that the director will make of this much talk."""
    talk = sum(_seconds(source) for source in _talks(sources))
    spoken = Spread.exactly(talk).times(KEPT)
    match variant:
        case Variant.CINEMATIC_FULL:
            return spoken
        case Variant.SHORT_HIGHLIGHT:
            return _within(SHORT_LENGTH, spoken)
        case Variant.HOOK_CUT:
            return _within(HOOK_LENGTH, spoken)
        case Variant.VERTICAL_REEL:
            return _within((REEL_LENGTH[1], REEL_LENGTH[1]), spoken)


def _speed_of_steps(steps: Mapping[str, Sequence[MeasuredWork]]) -> Speed | None:
    """Of work in one piece if enough of it was done, else of its steps together; ``None`` if neither is known."""
    known = {step: _measured_speed(group) for step, group in steps.items() if len(group) >= FEWEST_MEASURED}
    if "" in known:
        return known[""]
    if not known.keys() >= STEPS:
        return None
    parts = [known[step] for step in sorted(STEPS)]
    return Speed(cpu=_sum(part.cpu for part in parts), wall=_sum(part.wall for part in parts))


def _talks(sources: Sequence[Source]) -> Sequence[Source]:
    """What an output is mostly made of."""
    return [source for source in sources if source.kind is AssetKind.A_ROLL] or sources


def _heard_talks_us(sources: Iterable[Source]) -> list[int]:
    """How long everything is that separate sound is aligned to."""
    return [source.duration_us for source in sources if source.kind is AssetKind.A_ROLL and SOUND in source.analyzers]


def _seen_of(source: Source) -> int | None:
    return None if source.picture is None else source.picture.pixel_rate


def _measured_speed(group: Sequence[MeasuredWork]) -> Speed:
    """For each second of media on the pixels of the priors' footage."""
    seconds = [float(work.media_us * MICROSECOND) * effort(work.kind, work.subject, work.pixel_rate) for work in group]
    cpu = [max(0.0, work.cpu_s - START_CPU_S) / media for work, media in zip(group, seconds, strict=True)]
    wall = [max(0.0, work.wall_s - START_WALL_S) / media for work, media in zip(group, seconds, strict=True)]
    return Speed(_spread(cpu), _spread(wall))


def _spread(values: Sequence[float]) -> Spread:
    """Median and deciles, drawn apart where few values cannot show how far apart they lie."""
    middle = statistics.median(values)
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    apart = 1 + len(values) ** -0.5
    return Spread(low=min(tenths[0], middle / apart), typical=middle, high=max(tenths[-1], middle * apart))


@dataclass(frozen=True)
class _Work:
    cpu: Spread
    wall: Spread


def _work(speed: Speed, media_s: Spread) -> _Work:
    return _Work(
        cpu=speed.cpu.times(media_s).plus(Spread.exactly(START_CPU_S)),
        wall=speed.wall.times(media_s).plus(Spread.exactly(START_WALL_S)),
    )


def _seconds(source: Source) -> float:
    return float(source.duration_us * MICROSECOND)


def _within(limits: tuple[float, float], spoken: Spread) -> Spread:
    """A length between the limits, as far as there is speech for it."""
    shortest, longest = limits
    return Spread(
        low=min(shortest, spoken.low),
        typical=min((shortest + longest) / 2, spoken.typical),
        high=min(longest, spoken.high),
    )


def _waiting(speeds: Speeds, capacity: Capacity) -> Spread:
    """Until the outputs ordered before are rendered; how much of each is done already is not looked at."""
    unknown = (Source(AssetKind.A_ROLL, round(SOME_FILM_S / MICROSECOND), ()),)
    before = [
        _work(speeds.of(WorkKind.RENDER, variant), expected_length(variant, unknown)).wall
        for variant, count in capacity.waiting.items()
        for _ in range(count)
    ]
    return _makespan(before, capacity.render_slots)


def _pieces(length_s: Spread, segments: SegmentLengths) -> int:
    """How many pieces of work an output of this length is."""
    return segments.count(length_s.typical)


def _ends_in_pieces(works: Sequence[Spread], pieces: Sequence[int], slots: int) -> list[Spread]:
    """When each work ends whose pieces, all alike, are taken by whatever slot is free."""
    walls = [
        work.times(Spread.exactly(1 / count)) for work, count in zip(works, pieces, strict=True) for _ in range(count)
    ]
    ends = iter(_ends(walls, slots))
    return [_latest([next(ends) for _ in range(count)]) for count in pieces]


def _ends(pieces: Sequence[Spread], slots: int) -> list[Spread]:
    """When each piece of work ends if every free slot takes the next one."""
    ends = zip(
        _serve([piece.low for piece in pieces], slots),
        _serve([piece.typical for piece in pieces], slots),
        _serve([piece.high for piece in pieces], slots),
        strict=True,
    )
    return [Spread(low=low, typical=typical, high=high) for low, typical, high in ends]


def _serve(durations: Sequence[float], slots: int) -> list[float]:
    free_at = [0.0] * slots
    return [heapq.heapreplace(free_at, free_at[0] + duration) + duration for duration in durations]


def _makespan(pieces: Sequence[Spread], slots: int) -> Spread:
    return _latest(_ends(pieces, slots))


def _latest(ends: Sequence[Spread]) -> Spread:
    if not ends:
        return Spread.exactly(0)
    return Spread(
        low=max(end.low for end in ends), typical=max(end.typical for end in ends), high=max(end.high for end in ends)
    )


def _sum(spreads: Iterable[Spread]) -> Spread:
    total = Spread.exactly(0)
    for spread in spreads:
        total = total.plus(spread)
    return total
