"""The passages that the short cuts are made of."""

import sys
from fractions import Fraction
from types import FrameType

import pytest

from director import PlanOptions, plan
from schemas.edl import EDL, Variant
from schemas.errors import OutputRefused
from schemas.facts import AssetFacts, Span, Word
from tests.director.director_footage import lit, say, talk

pytestmark = pytest.mark.unit

SENTENCES = (
    "So that is why it was there.",
    "Never point your camera at the sun without a filter.",
    "Why do 90 percent of beginners ruin their first film?",
    "They forget the light and they forget the lens.",
    "Our studio in Lisbon has three windows to the north.",
    "You can build the same for two hundred dollars.",
)


def long_talk(count: int = 40) -> AssetFacts:
    lines = [
        (1 + 5.0 * i, f"{SENTENCES[i % len(SENTENCES)][:-1]} {i}{SENTENCES[i % len(SENTENCES)][-1]}")
        for i in range(count)
    ]
    return talk(5.0 * count + 2, say(*lines))


def text(edl: EDL) -> str:
    return " ".join(" ".join(caption.lines) for caption in edl.captions)


def seconds(edl: EDL) -> Fraction:
    return edl.duration / edl.rate


def test_a_highlight_is_30_to_60_s_of_whole_sentences() -> None:
    edl = plan([long_talk()], Variant.SHORT_HIGHLIGHT, PlanOptions())
    assert 30 <= seconds(edl) <= 60
    assert text(edl)[0].isupper()
    assert text(edl).rstrip('"')[-1] in ".?!"


def test_a_highlight_does_not_open_on_what_came_before() -> None:
    edl = plan([long_talk()], Variant.SHORT_HIGHLIGHT, PlanOptions())
    assert not text(edl).startswith(("So", "They"))


def test_a_highlight_of_barely_enough_speech_lets_its_pauses_be_longer() -> None:
    facts = talk(40, say(*((1 + 2.6 * i, f"Lens {i} has its own glass.") for i in range(12))))
    assert seconds(plan([facts], Variant.CINEMATIC_FULL, PlanOptions())) < 30
    edl = plan([facts], Variant.SHORT_HIGHLIGHT, PlanOptions())
    assert seconds(edl) >= 30
    assert "pauses are left longer" in edl.decisions[0].sentence


def test_long_sentences_are_gathered_from_several_places() -> None:
    first, middle, last = (" ".join(f"{name}{i}" for i in range(n)) for name, n in (("a", 45), ("b", 140), ("c", 45)))
    facts = talk(120, say((1, f"{first}."), (20, f"{middle}."), (90, f"{last}."), gap_s=0.0, word_s=0.35))
    edl = plan([facts], Variant.SHORT_HIGHLIGHT, PlanOptions())
    assert 30 <= seconds(edl) <= 60


@pytest.mark.parametrize(
    "words",
    [
        say(*((1 + 5.0 * i, line) for i, line in enumerate(SENTENCES))),
        say((1, "Too bright!")),
        say((0.5, " ".join(["and"] * 60)), gap_s=0.0),
        say((0.5, " ".join(["and"] * 60)), gap_s=0.2),
    ],
    ids=["sentences", "one short line", "no pause at all", "no sentence at all"],
)
def test_a_hook_is_always_3_to_5_s(words: tuple[Word, ...]) -> None:
    edl = plan([talk(40, words)], Variant.HOOK_CUT, PlanOptions())
    assert 3 <= seconds(edl) <= 5


def test_the_hook_is_the_line_with_the_strongest_claim() -> None:
    edl = plan(
        [talk(40, say(*((1 + 5.0 * i, line) for i, line in enumerate(SENTENCES))))], Variant.HOOK_CUT, PlanOptions()
    )
    assert text(edl) in SENTENCES[1:]
    assert any(evidence.fact.startswith("score") for evidence in edl.decisions[0].evidence)


def test_voice_that_nobody_transcribed_still_makes_a_hook_and_a_highlight() -> None:
    facts = talk(60)
    voice = tuple(Span(start_us=1_000_000 + i * 4_000_000, end_us=4_500_000 + i * 4_000_000) for i in range(14))
    assert facts.sound
    heard = facts.model_copy(update={"transcript": None, "sound": facts.sound.model_copy(update={"speech": voice})})
    assert 3 <= seconds(plan([heard], Variant.HOOK_CUT, PlanOptions())) <= 5
    assert 30 <= seconds(plan([heard], Variant.SHORT_HIGHLIGHT, PlanOptions())) <= 60


def test_a_reel_is_whole_where_it_fits_and_a_passage_where_it_does_not() -> None:
    short = plan([long_talk(8)], Variant.VERTICAL_REEL, PlanOptions())
    assert short.decisions[0].kind == "story"
    long = plan([long_talk(40)], Variant.VERTICAL_REEL, PlanOptions())
    assert long.decisions[0].kind == "passage"
    assert 60 <= seconds(long) <= 90


@pytest.mark.parametrize(
    ("variant", "shortest", "longest"),
    [(Variant.SHORT_HIGHLIGHT, 30, 60), (Variant.HOOK_CUT, 3, 5), (Variant.VERTICAL_REEL, 15, 90)],
)
def test_three_of_a_variant_are_three_different_passages(variant: Variant, shortest: int, longest: int) -> None:
    edits = [plan([long_talk()], variant, PlanOptions(number=number, count=3)) for number in (1, 2, 3)]
    assert all(shortest <= seconds(edl) <= longest for edl in edits)
    said = [word for edl in edits for word in text(edl).split() if word.strip(".?!").isdigit() and word != "90"]
    assert len(said) == len(set(said))


def test_one_more_than_the_footage_has_is_refused_with_the_number_it_has() -> None:
    with pytest.raises(OutputRefused) as refused:
        plan([long_talk(20)], Variant.SHORT_HIGHLIGHT, PlanOptions(number=4, count=4))
    assert "only one" in refused.value.message or " 2 " in refused.value.message or " 3 " in refused.value.message


def test_the_whole_story_is_told_once() -> None:
    with pytest.raises(OutputRefused, match="whole story"):
        plan([long_talk()], Variant.CINEMATIC_FULL, PlanOptions(number=2, count=2))


def test_reels_of_what_nobody_speaks_over_show_the_picture_once() -> None:
    edits = [plan([talk(200)], Variant.VERTICAL_REEL, PlanOptions(number=number, count=2)) for number in (1, 2)]
    assert [float(seconds(edl)) for edl in edits] == [90, 90]
    assert edits[0].video[-1].source_out == edits[1].video[0].source_in


def test_the_score_is_the_sum_of_the_parts_that_are_told() -> None:
    facts = long_talk()
    for variant in (Variant.SHORT_HIGHLIGHT, Variant.HOOK_CUT):
        chosen = plan([facts], variant, PlanOptions()).decisions[0]
        (score,) = [float(one.value) for one in chosen.evidence if one.fact == "score"]
        assert score == pytest.approx(sum(share.thousandths for share in chosen.shares) / 1000, abs=0.02)
        assert len(chosen.shares) > 5


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Never trust 90 percent of the lamps from Lisbon.", "Well um like it is basically just really a thing."),
        ("Why do you lose every second customer?", "There is some more of that in the room."),
        ("Glass bends light and holds it for a while.", "may be seen as the art of glass and stone."),
        ("The sensor holds 14 stops of light.", "And they had it there as well then at home."),
        ("The sensor holds 14 stops of light.", "Absolutely, the lens holds 14 stops of light."),
    ],
    ids=[
        "concrete claim over fillers",
        "question over remark",
        "whole over torn",
        "self-contained over dependent",
        "statement over reply",
    ],
)
def test_a_hook_prefers(better: str, worse: str) -> None:
    for lines in ((better, worse), (worse, better)):
        edl = plan([talk(20, say((1, lines[0]), (10, lines[1])))], Variant.HOOK_CUT, PlanOptions())
        assert text(edl) == better


def test_a_hook_of_long_sentences_is_a_clause_that_stands_by_itself() -> None:
    halves = ("Glass, by the look of it at night,", "bends the light of every lamp in the whole town.")
    clauses = ("The oldest makers ground the glass by hand,", "and they sold it to the kings of every country.")
    words = say((1, halves[0]), (4.2, halves[1]), (12, clauses[0]), (15.5, clauses[1]))
    edl = plan([talk(30, words)], Variant.HOOK_CUT, PlanOptions())
    assert text(edl) in clauses


def test_a_hook_does_not_end_on_a_condition() -> None:
    condition, more, claim = (
        "If the lamp burns low at night in the hall,",
        "and you see nothing of that room,",
        "never wait for 90 days to come with the lamp.",
    )
    words = say((1, condition), (4.8, more), (7.7, claim))
    assert text(plan([talk(30, words)], Variant.HOOK_CUT, PlanOptions())) == claim


def test_a_hook_does_not_end_where_the_recogniser_tore_a_sentence_apart() -> None:
    torn = "Never trust 90 percent of all the lamps. that are sold to you in the shops of this town."
    words = say((1, torn), (12, "Glass bends the light for a while."), (20, "Lenses hold it in the room."))
    assert text(plan([talk(30, words)], Variant.HOOK_CUT, PlanOptions())) == "Glass bends the light for a while."


def test_a_hook_does_not_open_on_what_the_recogniser_doubts() -> None:
    line = "The sensor holds fourteen stops of light."
    doubted = tuple(word.model_copy(update={"probability": 0.3}) for word in say((1, line)))
    edl = plan([talk(20, (*doubted, *say((10, line))))], Variant.HOOK_CUT, PlanOptions())
    assert edl.video[0].source_in / 90_000 > 9


def test_a_highlight_stays_with_one_scene_where_it_can() -> None:
    lines = [(1 + 5.0 * i, f"Lens {i} bends {i} rays of the light.") for i in range(24)]
    facts = talk(122, say(*lines), shots=[20.5, 35.5, 95.5])
    edl = plan([facts], Variant.SHORT_HIGHLIGHT, PlanOptions())
    assert edl.video[0].source_in / 90_000 >= 35
    assert edl.video[-1].source_out / 90_000 <= 95.5


def test_a_reel_tells_one_thing_rather_than_lasting_a_minute() -> None:
    lines = [(1 + 5.0 * i, f"Lens {i} bends {i} rays of the light.") for i in range(30)]
    shots = [6.0 * i + 0.5 for i in range(1, 14)]
    edl = plan([talk(152, say(*lines), shots=[*shots, 110.5])], Variant.VERTICAL_REEL, PlanOptions())
    assert 15 <= seconds(edl) <= 90
    inside = [cut for cut in (*shots, 110.5) if edl.video[0].source_in < cut * 90_000 < edl.video[-1].source_out]
    assert len(inside) <= 1


def test_a_highlight_of_many_scenes_leaves_out_those_between() -> None:
    """Two scenes of 20 s lie apart: better their two passages than a run through what lies between."""
    lines = [(1 + 3.3 * i, f"Lens {i} bends {i} rays of the light.") for i in range(30)]
    facts = talk(102, say(*lines), shots=[0.9 + 3.3 * i for i in range(6, 25)])
    edl = plan([facts], Variant.SHORT_HIGHLIGHT, PlanOptions())
    told = [(clip.source_in / 90_000, clip.source_out / 90_000) for clip in edl.video]
    assert 30 <= seconds(edl) <= 60
    assert edl.decisions[0].sentence.startswith("Chose 2 passages")
    assert all(end <= 0.9 + 3.3 * 6 or start >= 0.8 + 3.3 * 24 for start, end in told)
    assert {"gathered", "changes_of_scene"} <= {share.part for share in edl.decisions[0].shares}


def test_a_highlight_of_one_story_is_one_passage_though_its_scene_changes() -> None:
    lines = [(1 + 5.0 * i, f"Lens {i} bends {i} rays of the light.") for i in range(20)]
    edl = plan([talk(102, say(*lines), shots=[30.5, 70.5])], Variant.SHORT_HIGHLIGHT, PlanOptions())
    assert edl.decisions[0].sentence.startswith("Chose the best passage")


def test_shots_that_look_alike_are_one_scene() -> None:
    lines = [(1 + 5.0 * i, f"Lens {i} bends {i} rays of the light.") for i in range(30)]
    facts = lit(talk(152, say(*lines), shots=[6.0 * i + 0.5 for i in range(1, 25)]), 0.5)
    edl = plan([facts], Variant.VERTICAL_REEL, PlanOptions())
    assert seconds(edl) >= 45
    assert "changes_of_scene" not in {share.part for share in edl.decisions[0].shares}


def test_speech_that_drags_loses_to_the_same_words_said_briskly() -> None:
    brisk = say((1, "The sensor holds fourteen stops of light in there."))
    dragging = say((60, "The sensor holds fourteen stops of light in there."), word_s=0.3, gap_s=0.32)
    edl = plan([talk(80, brisk + dragging)], Variant.HOOK_CUT, PlanOptions(count=1))
    assert edl.video[0].source_in / 90_000 < 5


def test_work_grows_in_step_with_the_talk() -> None:
    for variant in Variant:
        short, long = (calls_made([long_talk(count)], variant) for count in (100, 200))
        assert long <= 2.2 * short


def calls_made(project: list[AssetFacts], variant: Variant) -> int:
    """How many functions were called to plan it: the same every time, unlike the time it takes."""
    made = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal made
        made += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        plan(project, variant, PlanOptions())
    finally:
        sys.setprofile(before)
    return made
