"""What a judge's order of candidates changes in an edit, and what it cannot change."""

import pytest

from director import PlanOptions, explain, plan, question, review
from schemas.edl import EDL, Variant
from schemas.judging import Ranking, Verdict
from tests.director.director_footage import talk
from tests.director.test_director_choosing import long_talk, text
from tests.director.test_director_picture import with_b_roll

pytestmark = pytest.mark.unit

CHOSEN_FROM = (Variant.SHORT_HIGHLIGHT, Variant.HOOK_CUT, Variant.VERTICAL_REEL)


def ranked(*passages: str, b_roll: tuple[str, ...] = ()) -> Verdict:
    return Verdict(judge="a model", ranking=Ranking(passages=passages, b_roll=b_roll))


def judged(variant: Variant, *passages: str, number: int = 1, count: int = 1) -> EDL:
    return plan([long_talk()], variant, PlanOptions(verdict=ranked(*passages), number=number, count=count))


def without_note(edl: EDL) -> EDL:
    return edl.model_copy(update={"decisions": tuple(one for one in edl.decisions if one.kind != "judge")})


def shown_ms(edl: EDL) -> set[int]:
    """The milliseconds of the footage that are in the middle of what is shown of it."""
    return {ms for clip in edl.video for ms in range(clip.source_in // 1000 + 20, clip.source_out // 1000 - 20)}


@pytest.mark.parametrize("variant", CHOSEN_FROM)
def test_each_candidate_can_win_and_is_what_was_offered(variant: Variant) -> None:
    offered = question([long_talk()], variant, PlanOptions()).passages
    assert len(offered) > 1
    for candidate in offered:
        edl = judged(variant, candidate.id)
        assert text(edl).split()[:3] == candidate.text.split()[:3]
        assert float(edl.duration / edl.rate) == pytest.approx(candidate.seconds, abs=0.1)
        assert all(check.passed for check in review(edl, [long_talk()]))


@pytest.mark.parametrize("variant", CHOSEN_FROM)
def test_the_first_candidate_is_what_the_built_in_score_chooses(variant: Variant) -> None:
    assert without_note(judged(variant, "p1")) == plan([long_talk()], variant, PlanOptions())


@pytest.mark.parametrize(
    "verdict", [ranked(), ranked("p999"), ranked("b1"), Verdict(judge="a model", failure="it is away")]
)
@pytest.mark.parametrize("variant", CHOSEN_FROM)
def test_without_an_order_nothing_but_the_note_changes(variant: Variant, verdict: Verdict) -> None:
    edl = plan([long_talk()], variant, PlanOptions(verdict=verdict))
    assert without_note(edl) == plan([long_talk()], variant, PlanOptions())
    assert edl.decisions[-1].kind == "judge"


def test_the_edit_says_who_was_asked_and_what_came_of_it() -> None:
    edl = judged(Variant.SHORT_HIGHLIGHT, "p3", "p2")
    assert "The judge “a model” put the candidates in order" in explain(edl)
    assert [one.value for one in edl.decisions[-1].evidence] == ["a model", "p3, p2"]
    silent = PlanOptions(verdict=Verdict(judge="a model", failure="it gave no answer within 20 s"))
    told = explain(plan([long_talk()], Variant.SHORT_HIGHLIGHT, silent))
    assert "The judge “a model” was not heard" in told
    assert "it gave no answer within 20 s" in told


@pytest.mark.parametrize("variant", CHOSEN_FROM)
def test_several_outputs_never_overlap_whatever_the_order(variant: Variant) -> None:
    asked = [question([long_talk()], variant, PlanOptions(count=3, number=number)) for number in (1, 2, 3)]
    assert asked[0] == asked[1] == asked[2], "so that all of them are given the same order"
    order = [candidate.id for candidate in reversed(asked[0].passages)]
    shown = [shown_ms(judged(variant, *order, number=number, count=3)) for number in (1, 2, 3)]
    assert sum(map(len, shown)) == len(set.union(*shown))


def test_the_whole_story_leaves_nothing_to_choose() -> None:
    assert not question([long_talk()], Variant.CINEMATIC_FULL, PlanOptions()).is_open
    assert not question([talk(20)], Variant.VERTICAL_REEL, PlanOptions()).is_open, "and nobody speaks here"


def test_the_b_roll_that_a_judge_names_is_shown_first() -> None:
    speech, city, desk = with_b_roll(300)
    footage = [speech, city.model_copy(update={"name": "street.mp4"}), desk]
    offered = question(footage, Variant.VERTICAL_REEL, PlanOptions())
    assert [one.name for one in offered.b_roll] == ["street.mp4", "desk.mp4"]
    plain = plan(footage, Variant.VERTICAL_REEL, PlanOptions())
    for ident, source in (("b1", "city"), ("b2", "desk")):
        edl = plan(footage, Variant.VERTICAL_REEL, PlanOptions(verdict=ranked(b_roll=(ident,))))
        assert edl.overlays[0].source == source
        assert edl.duration == plain.duration
        assert edl.video == plain.video
