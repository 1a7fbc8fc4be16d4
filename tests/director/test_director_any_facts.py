"""Whatever the facts, an edit is valid or refused with a sentence, always the same, and never cut inside a word."""

from fractions import Fraction
from itertools import pairwise, takewhile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from director import PlanOptions, explain, export_otio, plan, review
from director.caption_lines import text_width
from schemas.edl import EDL, Variant
from schemas.errors import OutputRefused
from schemas.facts import AssetFacts
from schemas.jobs import CaptionChoice, Pace
from tests.director.any_facts import PHASES, plan_options, projects, talks
from tests.exploring import EXPLORED

pytestmark = pytest.mark.unit


@settings(max_examples=200 * EXPLORED, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(projects(), st.sampled_from(Variant), plan_options())
def test_any_facts_give_a_valid_edit_or_a_refusal(
    project: list[AssetFacts], variant: Variant, options: PlanOptions
) -> None:
    check(project, variant, options)


def check(project: list[AssetFacts], variant: Variant, options: PlanOptions) -> None:
    try:
        edl = plan(project, variant, options)
    except OutputRefused as refused:
        refusal = refused.message
    else:
        refusal = ""
    if refusal:
        assert_a_sentence(refusal)
        return
    again = plan([facts.model_copy(deep=True) for facts in project], variant, options)
    assert edl.model_dump_json() == again.model_dump_json()
    assert EDL.model_validate_json(edl.model_dump_json()) == edl
    assert_passes_review(project, edl)
    assert_sound_stays_inside(edl)
    assert_captions_can_be_read(edl)
    assert_no_cut_costs_more_than_it_gives(edl)
    length = edl.duration / edl.rate
    if variant is Variant.SHORT_HIGHLIGHT:
        assert 30 <= length <= 60
    if variant is Variant.HOOK_CUT:
        assert 3 <= length <= 5
    if options.captions is CaptionChoice.OFF:
        assert not edl.captions
    elif edl.caption_style and options.captions:
        assert edl.caption_style.burn_in == (options.captions is CaptionChoice.BURNED)
    if variant is Variant.VERTICAL_REEL:
        assert length <= 90
    assert explain(edl)
    export_otio(edl, media_url=lambda source: source.name)


@settings(max_examples=60 * EXPLORED, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(talks(), st.sampled_from(Variant), plan_options())
def test_untidy_talks_are_cut_between_their_words(
    project: list[AssetFacts], variant: Variant, options: PlanOptions
) -> None:
    check(project, variant, options)


@settings(max_examples=60 * EXPLORED, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(projects() | talks(), st.sampled_from(Variant), st.integers(2, 4), st.sampled_from(Pace))
def test_several_of_a_variant_share_no_moment_and_the_best_is_first(
    project: list[AssetFacts], variant: Variant, count: int, pace: Pace
) -> None:
    planned = [
        edit_or_none(project, variant, PlanOptions(pace=pace, number=n, count=count)) for n in range(1, count + 1)
    ]
    edits = list(takewhile(lambda edl: edl is not None, planned))
    assert all(edl is None for edl in planned[len(edits) :])
    shown = sorted(span for edl in edits if edl for span in a_roll_shown(edl))
    assert all(before[0] != after[0] or before[2] <= after[1] for before, after in pairwise(shown))
    worth = [scores(edl) for edl in edits if edl]
    assert any(len(one) != 1 for one in worth) or worth == sorted(worth, reverse=True)


def edit_or_none(project: list[AssetFacts], variant: Variant, options: PlanOptions) -> EDL | None:
    try:
        return plan(project, variant, options)
    except OutputRefused as refused:
        assert_a_sentence(refused.message)
        return None


def a_roll_shown(edl: EDL) -> list[tuple[str, int, int]]:
    """What is shown under the covers, as source and ticks; a tick is allowed for the shortest pictures."""
    return [(clip.source, clip.source_in, max(clip.source_in, clip.source_out - 1)) for clip in edl.video]


def scores(edl: EDL) -> list[float]:
    return [float(one.value) for one in edl.decisions[0].evidence if one.fact == "score"]


def assert_a_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")


def assert_passes_review(project: list[AssetFacts], edl: EDL) -> None:
    """No word is cut into, no silence is longer than the pace, and the speaker stays in an upright frame."""
    missed = [row for row in review(edl, project) if not row.passed]
    assert not missed, missed


def assert_captions_can_be_read(edl: EDL) -> None:
    """Two lines of so many characters, a third of a second to 7 s, and 2 frames between, whatever was said."""
    most = 22 if edl.canvas.height > edl.canvas.width else 42
    for caption in edl.captions:
        seconds = (caption.end - caption.start) / edl.rate
        assert Fraction(1, 3) - 1 / edl.rate <= seconds <= 7
        assert len(caption.lines) <= 2
        assert all(text_width(line) <= most for line in caption.lines)
    for before, after in pairwise(edl.captions):
        assert after.start - before.end >= 2


def assert_no_cut_costs_more_than_it_gives(edl: EDL) -> None:
    for decision in edl.decisions:
        if decision.kind in {"pause", "filler", "repeated_take", "aside", "false_start"}:
            assert sum(share.thousandths for share in decision.shares) >= 0, decision


def assert_sound_stays_inside(edl: EDL) -> None:
    samples = {source.id: source.audio.samples for source in edl.sources if source.audio}
    for track in edl.audio:
        for clip in track.clips:
            start, end = (int(frame * 48_000 / edl.rate) for frame in (clip.start, clip.end))
            assert clip.source_in + end - start <= samples[clip.source] + 1
            assert clip.start == 0 or clip.fade_in <= clip.source_in or clip.fade_in <= end - start
