"""Pictures that look like what is said: where they are shown, what is said of it, and what never changes by it."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from director import PlanOptions, explain, likeness, plan, review
from director.costs import OF_COVERS
from schemas.edl import EDL, Decision, Variant
from schemas.facts import (
    AssetFacts,
    EmbeddedFrame,
    EmbeddedPassage,
    EmbeddingSpace,
    ImageEmbeddings,
    SpeechEmbeddings,
)
from schemas.jobs import Pace
from schemas.media import AssetKind
from tests.director.any_facts import PHASES
from tests.director.director_footage import SECOND, say, talk
from tests.exploring import EXPLORED

pytestmark = pytest.mark.unit

SPACE = EmbeddingSpace(model="clip-1", unrelated=0.2, related=0.28)
OTHER_SPACE = EmbeddingSpace(model="clip-2", unrelated=0.2, related=0.28)
Numbers = Sequence[int]

LIGHT, HARBOUR, KITCHEN = (127, 0, 0, 0), (0, 127, 0, 0), (0, 0, 127, 0)
ELSEWHERE = (0, 0, 0, 127)


def vector(numbers: Numbers) -> bytes:
    return b"".join(number.to_bytes(1, "big", signed=True) for number in numbers)


def at_angle(cosine: float) -> Numbers:
    """A direction that has this cosine with ``HARBOUR`` and none with the others."""
    return 0, round(127 * cosine), 0, round(127 * (1 - cosine**2) ** 0.5)


def shown(
    name: str, *frames: tuple[float, Numbers], seconds: float = 20, kind: AssetKind = AssetKind.B_ROLL, digest: str
) -> AssetFacts:
    """A picture whose frames at these seconds point these ways."""
    embedded = ImageEmbeddings(
        space=SPACE,
        frames=tuple(EmbeddedFrame(at_us=round(at * SECOND), vector=vector(numbers)) for at, numbers in frames),
    )
    facts = talk(seconds, kind=kind, ident=name.partition(".")[0], name=name, digest=digest, sound=False)
    return facts.model_copy(update={"image_embeddings": embedded})


#: Sentences of 7 words, 4 s apart: what is said of each at its start.
SENTENCES = [(1 + 4.0 * number, f"Light number {number} falls from the door.") for number in range(14)]


def said(about: dict[int, Numbers], *, space: EmbeddingSpace = SPACE, seconds: int = 60) -> AssetFacts:
    """A talk of which these sentences are about something; the others about what no picture shows."""
    passages = tuple(
        EmbeddedPassage(
            start_us=round(start * SECOND),
            end_us=round((start + 2.4) * SECOND),
            vector=vector(about.get(number, LIGHT)),
        )
        for number, (start, _) in enumerate(SENTENCES)
    )
    facts = talk(seconds, say(*SENTENCES))
    return facts.model_copy(update={"speech_embeddings": SpeechEmbeddings(space=space, passages=passages)})


def edited(*assets: AssetFacts, pace: Pace = Pace.RELAXED) -> EDL:
    return plan(list(assets), Variant.CINEMATIC_FULL, PlanOptions(pace=pace))


def likened(edl: EDL) -> list[Decision]:
    return [decision for decision in edl.decisions if "looks like what is said" in decision.sentence]


def spoken_at(edl: EDL, number: int) -> int:
    """The timeline frame on which a sentence begins."""
    words = [word for caption in edl.captions for word in caption.words]
    return next(before.start for before, after in zip(words, words[2:], strict=False) if after.text == str(number))


def source_at(edl: EDL, frame: int) -> str | None:
    return next((clip.source for clip in edl.overlays if clip.start <= frame < clip.end), None)


SEA = shown("a01.mp4", (1, HARBOUR), (5, HARBOUR), (9, HARBOUR), digest="b")
MEAL = shown("a02.mp4", (1, KITCHEN), (5, KITCHEN), (9, KITCHEN), digest="c")


def test_each_picture_is_shown_where_what_is_said_looks_like_it() -> None:
    edl = edited(said({4: KITCHEN, 9: HARBOUR}), SEA, MEAL)
    first, second = spoken_at(edl, 4), spoken_at(edl, 9)
    assert (source_at(edl, first), source_at(edl, second)) == ("a02", "a01")
    assert [decision.start for decision in likened(edl)] == [
        clip.start
        for clip in edl.overlays
        if clip.start in range(first - 15, first) or clip.start in range(second - 15, second)
    ]


def test_the_edit_says_how_much_and_by_what_evidence() -> None:
    edl = edited(said({9: HARBOUR}), shown("a01.mp4", (1, at_angle(0.31)), digest="b"))
    (decision,) = likened(edl)
    assert decision.sentence == "a01.mp4 shows what is spoken of; its picture looks like what is said (0.31)"
    evidence = next(one for one in decision.evidence if one.fact == "cosine of the picture and what is said")
    assert (evidence.value, evidence.source) == ("0.31", "talk")
    assert (evidence.start_us, evidence.end_us) == (37 * SECOND, 39_400_000)
    share = next(share for share in decision.shares if share.part == "looks_alike")
    assert share.thousandths == round(1000 * OF_COVERS["looks_alike"].most)
    assert "a01.mp4 shows what is spoken of; its picture looks like what is said (0.31)." in explain(edl)
    assert "looks alike +0.35" in explain(edl)
    assert not [row for row in review(edl, [said({}), SEA]) if not row.passed]


@pytest.mark.parametrize(("cosine", "asks"), [(0.25, False), (0.29, True)])
def test_a_picture_that_looks_a_little_like_it_is_not_asked_for(cosine: float, asks: bool) -> None:
    edl = edited(said({9: HARBOUR}), shown("a01.mp4", (1, at_angle(cosine)), digest="b"))
    assert bool(likened(edl)) is asks


def test_of_several_pictures_that_hide_a_cut_the_likest_one_does() -> None:
    """Below what is taken to show it, likeness still chooses among pictures that are shown anyway."""
    pictures = [
        shown(f"a{number:02}.mp4", (1, at_angle(cosine)), seconds=5, digest=digest)
        for number, (cosine, digest) in enumerate([(0.1, "b"), (0.26, "c"), (0.15, "d")])
    ]
    edl = edited(said(dict.fromkeys(range(14), HARBOUR)), *pictures, pace=Pace.FAST)
    assert not likened(edl)
    assert edl.overlays[0].source == "a01"


def test_words_that_name_a_picture_go_before_looks() -> None:
    lines = list(SENTENCES)
    lines[9] = (lines[9][0], "Light number 9 falls from the window.")
    talking = said({9: HARBOUR}).model_copy(update={"transcript": talk(60, say(*lines)).transcript})
    window = shown("window.mp4", (1, ELSEWHERE), digest="d")
    assert source_at(edited(talking, SEA), spoken_at(edited(talking, SEA), 9)) == "a01"
    edl = edited(talking, SEA, window)
    named = next(word.start for caption in edl.captions for word in caption.words if word.text == "window.")
    assert source_at(edl, named) == "window"
    assert not likened(edl)


def test_a_screen_may_be_shown_for_its_looks() -> None:
    screen = shown("a03.mp4", (1, KITCHEN), kind=AssetKind.SCREEN, digest="d")
    edl = edited(said({9: KITCHEN}), SEA, screen)
    assert source_at(edl, spoken_at(edl, 9)) == "a03"


def test_a_screen_that_is_not_shown_says_what_it_looks_like_at_most() -> None:
    screen = shown("a03.mp4", (1, at_angle(0.25)), kind=AssetKind.SCREEN, digest="d")
    edl = edited(said({9: HARBOUR}), MEAL, screen)
    (decision,) = [one for one in edl.decisions if one.kind == "unused_picture"]
    assert decision.sentence == (
        "a03.mp4 is not shown: no place was free where words ask for a screen, or for what its name and tags say; "
        "it looks like what is said by 0.25 at most, and 0.28 is asked"
    )
    assert {one.value for one in decision.evidence} == {"0", "0.25"}


def test_a_picture_that_there_was_no_place_for_says_so() -> None:
    edl = edited(said({0: KITCHEN}), SEA, shown("a03.mp4", (1, KITCHEN), kind=AssetKind.SCREEN, digest="d"))
    (decision,) = [one for one in edl.decisions if one.kind == "unused_picture"]
    assert decision.sentence.endswith("its name and tags say, nor where it looks like what is said (1.00)")


def test_the_opening_line_stays_the_speakers() -> None:
    edl = edited(said(dict.fromkeys(range(14), HARBOUR)), SEA, MEAL)
    assert likened(edl)
    opening = next(word.end for caption in edl.captions for word in caption.words if word.text.endswith("."))
    assert all(clip.start >= opening for clip in edl.overlays)


def test_what_was_not_embedded_in_the_same_space_is_not_compared() -> None:
    about = {4: KITCHEN, 9: HARBOUR}
    words_alone = edited(
        talk(60, say(*SENTENCES)), *(one.model_copy(update={"image_embeddings": None}) for one in (SEA, MEAL))
    )
    assert edited(said(about, space=OTHER_SPACE), SEA, MEAL) == words_alone
    assert edited(talk(60, say(*SENTENCES)), SEA, MEAL) == words_alone
    assert edited(said(about), SEA, MEAL) != words_alone


def test_vectors_of_another_length_are_like_nothing() -> None:
    odd = shown("a01.mp4", (1, (1, 2, 3)), (5, (0, 0, 0, 0)), digest="b")
    assert not likened(edited(said({9: HARBOUR}), odd))


def test_a_passage_that_was_cut_out_asks_for_nothing() -> None:
    """Of a sentence that is said again the first take goes, and with it what it was about."""
    lines = list(SENTENCES)
    lines[8] = (lines[8][0], "We sail out of the old harbour.")
    lines[9] = (lines[9][0], "We sail out of the old harbour.")
    facts = said({8: HARBOUR}).model_copy(update={"transcript": talk(60, say(*lines)).transcript})
    edl = edited(facts, SEA)
    assert any("said again as “We sail out of the old harbour.”" in d.sentence for d in edl.decisions)
    assert not likened(edl)


def test_many_pieces_are_compared_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    project = [said({4: KITCHEN, 9: HARBOUR}), SEA, talk(20, kind=AssetKind.B_ROLL, ident="x", digest="d"), MEAL]
    at_once = edited(*project)
    monkeypatch.setattr(likeness, "_FRAMES_AT_ONCE", 2)
    assert edited(*project) == at_once


@st.composite
def directions(draw: st.DrawFn) -> Numbers:
    return draw(st.tuples(*[st.integers(-127, 127)] * 4))


@settings(max_examples=60 * EXPLORED, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(
    st.lists(directions(), min_size=14, max_size=14),
    st.lists(st.lists(st.tuples(st.floats(0, 30), directions()), max_size=6), min_size=1, max_size=3),
    st.sampled_from(Pace),
)
def test_whatever_looks_like_whatever(
    about: list[Numbers], pictures: list[list[tuple[float, Numbers]]], pace: Pace
) -> None:
    """The same edit each time, nothing over the opening line, and no stretch again within 30 s."""
    project = [said(dict(enumerate(about)))] + [
        shown(f"a{number:02}.mp4", *frames, digest="bcd"[number]) for number, frames in enumerate(pictures)
    ]
    edl = edited(*project, pace=pace)
    assert edited(*project, pace=pace).model_dump_json() == edl.model_dump_json()
    opening = next(word.end for caption in edl.captions for word in caption.words if word.text.endswith("."))
    assert all(opening <= clip.start and clip.end < edl.duration for clip in edl.overlays)
    for one, later in combinations(sorted(edl.overlays, key=lambda clip: clip.start), 2):
        again = one.source == later.source and later.source_in < one.source_out and one.source_in < later.source_out
        assert later.start >= one.end
        assert not again or later.start - one.end >= Fraction(30) * edl.rate - 1
    assert not [row for row in review(edl, project) if not row.passed]
