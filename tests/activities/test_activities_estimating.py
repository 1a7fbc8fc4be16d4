"""Estimates: their arithmetic for any job and any history, and how they meet what work really took."""

import statistics
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.estimating import (
    FEWEST_MEASURED,
    SHARE_OF_PIXELS_SEEN,
    START_CPU_S,
    START_WALL_S,
    Capacity,
    Source,
    Speeds,
    estimate,
    expected_length,
)
from activities.pixel_rates import Picture
from schemas.cost import MeasuredWork, WorkKind
from schemas.edl import Variant
from schemas.estimate import JobEstimate, Spread
from schemas.media import AssetKind
from schemas.rendering import SegmentLengths
from tests.activities.recorded_work import RECORDED, RecordedJob

pytestmark = pytest.mark.unit

ANALYZERS = ("sound", "transcript", "shots", "faces", "alignment")
SUBJECTS = [(WorkKind.ANALYSIS, name) for name in ("probe", *ANALYZERS)] + [
    (WorkKind.RENDER, variant.value) for variant in Variant
]

seconds = st.floats(0, 1e6, allow_nan=False)
works = st.builds(
    lambda subject, media_us, wall_s, cpu_s: MeasuredWork(
        kind=subject[0], subject=subject[1], media_us=media_us, wall_s=wall_s, cpu_s=cpu_s
    ),
    st.sampled_from(SUBJECTS),
    st.integers(1, 36_000_000_000),
    seconds,
    seconds,
)
histories = st.lists(works, max_size=40)
sources = st.builds(
    Source,
    st.sampled_from(AssetKind),
    st.integers(1, 36_000_000_000),
    st.lists(st.sampled_from(ANALYZERS), unique=True).map(tuple),
)
footage = st.lists(sources, min_size=1, max_size=6)
wishes = st.lists(st.sampled_from(Variant), min_size=1, max_size=4, unique=True)
capacities = st.builds(
    Capacity,
    st.integers(1, 8),
    st.integers(1, 8),
    st.dictionaries(st.sampled_from(Variant), st.integers(0, 20)),
)


def parts(told: JobEstimate) -> list[Spread]:
    outputs = [spread for output in told.outputs for spread in (output.length_s, output.compute_s, output.finished_s)]
    return [*outputs, told.analysis_compute_s, told.compute_s, told.waiting_s, told.finished_s]


@given(footage, wishes, histories, capacities)
def test_every_part_is_a_range_in_order_and_the_whole_is_made_of_its_parts(
    files: list[Source], wanted: list[Variant], history: list[MeasuredWork], capacity: Capacity
) -> None:
    told = estimate(files, wanted, Speeds(history), capacity)
    assert all(0 <= part.low <= part.typical <= part.high for part in parts(told))
    assert [output.variant for output in told.outputs] == wanted
    rendering = sum(output.compute_s.typical for output in told.outputs)
    assert told.compute_s.typical == pytest.approx(told.analysis_compute_s.typical + rendering)
    assert told.finished_s.typical == max(output.finished_s.typical for output in told.outputs)
    assert told.measured == len(history)
    assert all(output.finished_s.typical > told.waiting_s.typical for output in told.outputs)


@given(footage, sources, wishes, histories, capacities)
def test_more_footage_never_takes_less(
    files: list[Source], more: Source, wanted: list[Variant], history: list[MeasuredWork], capacity: Capacity
) -> None:
    # A longer film may be made of more pieces, and be there sooner; so each is one piece here.
    capacity = replace(capacity, segments=SegmentLengths(usual_s=0))
    if not any(source.kind is AssetKind.A_ROLL for source in files):
        files = [*files, Source(AssetKind.A_ROLL, more.duration_us, more.analyzers)]
    less = estimate(files, wanted, Speeds(history), capacity)
    longer = estimate([*files, more], wanted, Speeds(history), capacity)
    assert longer.compute_s.typical >= less.compute_s.typical
    assert longer.finished_s.high >= less.finished_s.high


@given(footage, wishes, histories, st.integers(1, 4), st.tuples(st.sampled_from(Variant), st.integers(1, 20)))
def test_whoever_comes_later_waits_longer_and_uses_no_more(
    files: list[Source], wanted: list[Variant], history: list[MeasuredWork], slots: int, before: tuple[Variant, int]
) -> None:
    first = estimate(files, wanted, Speeds(history), Capacity(slots, slots))
    later = estimate(files, wanted, Speeds(history), Capacity(slots, slots, dict([before])))
    assert first.waiting_s == Spread.exactly(0)
    assert later.waiting_s.typical > 0
    assert later.finished_s.typical > first.finished_s.typical
    assert later.compute_s == first.compute_s


@given(st.floats(0.01, 100), st.integers(FEWEST_MEASURED, 50), st.integers(1_000_000, 3_600_000_000))
def test_work_that_always_takes_the_same_is_foretold_as_that(speed: float, count: int, length_us: int) -> None:
    length = length_us / 1e6
    history = [
        MeasuredWork(
            kind=WorkKind.ANALYSIS,
            subject="probe",
            media_us=length_us,
            wall_s=START_WALL_S + speed * length,
            cpu_s=START_CPU_S + speed * length,
        )
    ] * count
    told = estimate([Source(AssetKind.AUDIO, length_us, ())], [Variant.HOOK_CUT], Speeds(history), Capacity())
    assert told.analysis_compute_s.typical == pytest.approx(START_CPU_S + speed * length)
    assert told.analysis_compute_s.low <= told.analysis_compute_s.typical <= told.analysis_compute_s.high


def test_one_odd_machine_moves_nothing() -> None:
    usual = [work("seeing", 60, 12.0)] * 20
    odd = [work("seeing", 60, 6_000.0)]
    files = [Source(AssetKind.SCREEN, 60_000_000, ("shots",))]

    def compute(history: list[MeasuredWork]) -> Spread:
        return estimate(files, [Variant.HOOK_CUT], Speeds(history), Capacity()).analysis_compute_s

    assert compute(usual + odd).typical == compute(usual).typical
    assert compute(usual + odd).high <= compute(usual).high


def test_the_more_is_known_the_narrower_the_range() -> None:
    files = [Source(AssetKind.SCREEN, 60_000_000, ("shots",))]
    widths = []
    for count in (0, 3, 10, 100):
        told = estimate(files, [Variant.HOOK_CUT], Speeds([work("seeing", 60, 12.0)] * count), Capacity())
        widths.append(told.analysis_compute_s.high / told.analysis_compute_s.low)
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == len(widths)


def work(analyzer: str, media_s: float, took_s: float) -> MeasuredWork:
    return MeasuredWork(
        kind=WorkKind.ANALYSIS, subject=analyzer, media_us=round(media_s * 1e6), wall_s=took_s, cpu_s=took_s
    )


@pytest.mark.parametrize(
    ("talk_s", "variant", "expected"),
    [
        (600, Variant.SHORT_HIGHLIGHT, Spread(low=30, typical=45, high=60)),
        (600, Variant.HOOK_CUT, Spread(low=3, typical=4, high=5)),
        (600, Variant.VERTICAL_REEL, Spread.exactly(90)),
        (600, Variant.CINEMATIC_FULL, Spread(low=300, typical=510, high=600)),
        (4, Variant.SHORT_HIGHLIGHT, Spread(low=2, typical=3.4, high=4)),
    ],
)
def test_outputs_are_as_long_as_the_director_makes_them(talk_s: int, variant: Variant, expected: Spread) -> None:
    files = [Source(AssetKind.A_ROLL, talk_s * 1_000_000, ()), Source(AssetKind.B_ROLL, 7_000_000, ())]
    assert expected_length(variant, files) == expected


def foretold_and_used(job: RecordedJob) -> list[tuple[Spread, float]]:
    """Processor time foretold for a job from all others, and what it used: for its analyses and for each output."""
    elsewhere = [work for other in RECORDED if other is not job for work in other.work]
    used = {work.subject: work.cpu_s for work in job.work if work.kind is WorkKind.RENDER}
    analysing = sum(work.cpu_s for work in job.work if work.kind is WorkKind.ANALYSIS)
    files = [recorded.source() for recorded in job.sources]
    told = estimate(files, [Variant(name) for name in used], Speeds(elsewhere), Capacity())
    return [
        (told.analysis_compute_s, analysing),
        *((output.compute_s, used[output.variant]) for output in told.outputs),
    ]


def test_what_was_foretold_from_other_jobs_meets_what_each_job_used() -> None:
    pairs = [pair for job in RECORDED for pair in foretold_and_used(job)]
    inside = sum(told.low <= used <= told.high for told, used in pairs)
    assert inside / len(pairs) >= 0.8, pairs
    assert statistics.median(used / told.typical for told, used in pairs) == pytest.approx(1, rel=0.35), pairs
    assert all(told.high / told.low < 100 for told, _ in pairs), "a range that says something"


FULL_HD, UHD = Picture(1920, 1080, Fraction(30)), Picture(3840, 2160, Fraction(30))


def test_work_on_small_pictures_says_how_long_large_ones_take() -> None:
    """Four times the pixels take three times as long, as two thirds of the work come of them."""
    looked = [
        MeasuredWork(
            kind=WorkKind.ANALYSIS,
            subject="seeing",
            media_us=60_000_000,
            pixel_rate=FULL_HD.pixel_rate,
            wall_s=START_WALL_S + 12,
            cpu_s=START_CPU_S + 12,
        )
    ] * FEWEST_MEASURED

    def compute(picture: Picture | None) -> float:
        files = [Source(AssetKind.SCREEN, 60_000_000, ("shots",), picture)]
        told = estimate(files, [Variant.HOOK_CUT], Speeds(looked), Capacity())
        return told.analysis_compute_s.typical

    base = compute(None) - 12
    assert compute(FULL_HD) == pytest.approx(base + 12)
    assert compute(UHD) == pytest.approx(base + 12 * (1 - SHARE_OF_PIXELS_SEEN + 4 * SHARE_OF_PIXELS_SEEN))


@given(st.sampled_from(Variant), st.integers(180, 4320), st.integers(180, 4320))
def test_what_has_more_pixels_takes_no_less_to_render(variant: Variant, lines: int, more: int) -> None:
    def compute(height: int) -> float:
        files = [Source(AssetKind.A_ROLL, 600_000_000, (), Picture(height * 16 // 9, height, Fraction(30)))]
        return estimate(files, [variant], Speeds(()), Capacity()).outputs[0].compute_s.typical

    assert compute(min(lines, more)) <= compute(max(lines, more))


def test_work_that_is_done_in_parts_takes_what_its_parts_take_together() -> None:
    parts = [("sound", 100.0), ("segment", 40.0), ("join", 100.0)]
    measured = [
        MeasuredWork(
            kind=WorkKind.RENDER,
            subject=Variant.CINEMATIC_FULL,
            step=step,
            media_us=round(media_s * 1e6),
            wall_s=START_WALL_S + media_s * 0.25,
            cpu_s=START_CPU_S + media_s * 0.5,
        )
        for step, media_s in parts
        for _ in range(FEWEST_MEASURED)
    ]
    speed = Speeds(measured).of(WorkKind.RENDER, Variant.CINEMATIC_FULL)
    assert (speed.cpu.typical, speed.wall.typical) == pytest.approx((1.5, 0.75))
    assert not Speeds(measured[:-1]).knows(WorkKind.RENDER, Variant.CINEMATIC_FULL), "its join is not known"


def test_a_long_output_is_there_sooner_where_its_segments_are_rendered_side_by_side() -> None:
    talk = [Source(AssetKind.A_ROLL, 1_200_000_000, ())]

    def finished(capacity: Capacity) -> float:
        return estimate(talk, [Variant.CINEMATIC_FULL], Speeds([]), capacity).finished_s.typical

    segments = SegmentLengths(usual_s=40)
    whole = finished(Capacity(render_slots=4, segments=SegmentLengths(usual_s=0)))
    assert finished(Capacity(render_slots=4, segments=segments)) < 0.4 * whole
    assert finished(Capacity(render_slots=1, segments=segments)) == pytest.approx(whole)
