"""Every decision says why it was made, on what evidence, and what it is worth."""

import pytest

from director import PlanOptions, explain, plan
from director.alike import alike
from director.costs import WEIGHTS
from schemas.edl import EDL, Decision, Variant
from schemas.facts import AssetFacts, Span
from tests.director.director_footage import face_track, recorder, say, talk
from tests.director.test_director_picture import with_b_roll

pytestmark = pytest.mark.unit


def of_everything() -> list[AssetFacts]:
    """Two speakers, one of them before a noisy wall and with another recording; b-roll, and music."""
    lines = [(1 + 4.0 * i, f"Light number {i} falls from the window.") for i in range(12)]
    face = face_track(*((t / 2, 0.42, 0.25) for t in range(100)))
    main = talk(50, say(*lines, (24.5, "um")), tracks=[face])
    second = talk(20, say((2, "The cellar stays cold.")), ident="cellar", name="2 cellar.mp4", digest="e")
    assert second.sound
    noisy = second.model_copy(
        update={
            "sound": second.sound.model_copy(
                update={"noise_floor_dbfs": -45.0, "silences": (Span(start_us=0, end_us=900_000),)}
            )
        }
    )
    better = recorder(main, offset_us=0, drift_ppm=0, correlation=0.9)
    bed = recorder(main, offset_us=0, drift_ppm=0, correlation=0.1, ident="bed", name="bed.wav", digest="f")
    return [main, noisy, *with_b_roll()[1:], better, bed]


def edit(variant: Variant = Variant.CINEMATIC_FULL) -> EDL:
    return plan(of_everything(), variant, PlanOptions())


def of_kind(edl: EDL, kind: str) -> Decision:
    return next(decision for decision in edl.decisions if decision.kind == kind)


@pytest.mark.parametrize("variant", Variant)
def test_every_decision_has_a_reason_evidence_and_its_share_of_the_worth(variant: Variant) -> None:
    for decision in edit(variant).decisions:
        assert decision.sentence
        assert decision.evidence, decision
        assert decision.shares, decision
        assert all(share.part in WEIGHTS for share in decision.shares)


def test_a_cover_tells_what_it_gains_and_what_it_costs() -> None:
    edl = edit()
    shares = {share.part: share.thousandths for share in of_kind(edl, "b_roll").shares}
    assert shares["jump_hidden"] >= 400 or shares["asked_for"] == 600 or shares["long_take"] == 200
    assert shares["speaker_hidden"] < 0


def test_a_framing_that_shows_the_speaker_small_costs_more_than_one_that_fills_the_frame() -> None:
    upright = plan(of_everything(), Variant.VERTICAL_REEL, PlanOptions())
    other = face_track(*((t / 2, 0.75, 0.3) for t in range(60)))
    apart = talk(30, say((1, "Two of us speak of light.")), tracks=[face_track((1, 0.05, 0.3)), other])
    both = plan([apart], Variant.VERTICAL_REEL, PlanOptions())
    cost = [sum(share.thousandths for share in of_kind(edl, "framing").shares) for edl in (upright, both)]
    assert cost[1] < cost[0] <= 0


def test_what_was_not_understood_is_said_with_the_edit() -> None:
    heard = talk(30, say((1, "Light falls from the window."), (9, "The cellar stays cold.")))
    assert heard.transcript
    note = "Not all is in en: es from 0:15 to 0:25."
    doubtful = heard.model_copy(update={"transcript": heard.transcript.model_copy(update={"note": note})})
    edl = plan([doubtful], Variant.CINEMATIC_FULL, PlanOptions())
    assert f"{heard.name}: {note}" in explain(edl)
    assert len([one for one in edl.decisions if one.kind == "caveat"]) == 1
    assert not [one for one in plan([heard], Variant.CINEMATIC_FULL, PlanOptions()).decisions if one.kind == "caveat"]


def test_what_is_alike_is_told_in_one_line() -> None:
    edl = edit()
    pauses = [decision for decision in edl.decisions if decision.kind == "pause"]
    (told,) = [line for line in explain(edl).splitlines() if "Removed" in line and "closer" not in line]
    assert f"{len(pauses)} times: also at 0:0" in told
    assert " to " in told.split("s without speech")[0]
    assert f"[{sum(share.thousandths for one in pauses for share in one.shares) / 1000:+.2f}: " in told


def test_names_with_other_numbers_are_not_alike() -> None:
    covers = [f"IMG_{number}.mp4 hides a jump cut" for number in (1, 2)]
    assert len(alike(covers, lambda sentence: ("b_roll", sentence))) == 2


def test_a_reader_is_told_the_worth_behind_each_sentence() -> None:
    told = explain(edit())
    (cover,) = [line for line in told.splitlines() if "hides a jump cut" in line or "spoken of" in line][:1]
    assert cover.endswith("]")
    assert "speaker hidden -0." in cover or "others -0." in cover
    assert "[+" in cover


def test_one_of_a_kind_is_not_told_in_the_plural_and_a_quoted_end_is_the_end() -> None:
    whole = edit()
    quoting = Decision(id="d", kind="hook", sentence="The line that makes a viewer stay: “I sold the house.”")
    told = explain(whole.model_copy(update={"captions": whole.captions[:1], "decisions": (quoting,)}))
    assert told.splitlines()[0].endswith(" 1 caption")
    assert told.splitlines()[1].endswith("house.”")
