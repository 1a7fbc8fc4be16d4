"""Several A-rolls are told in the order their creator chose, else as they were recorded, else by their names."""

from datetime import UTC, datetime, timedelta

import pytest

from director import PlanOptions, plan
from schemas.edl import EDL, Decision, Variant
from schemas.facts import AssetFacts
from tests.director.director_footage import say, talk

pytestmark = pytest.mark.unit

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def clip(number: int, name: str, minutes: float | None = None) -> AssetFacts:
    """Ten seconds in which somebody says which clip it is, recorded so many minutes after noon."""
    facts = talk(10, say((1, f"This is clip {number}.")), ident=f"clip-{number}", name=name, digest=f"{number:x}")
    recorded = None if minutes is None else NOON + timedelta(minutes=minutes)
    return facts.model_copy(update={"probe": facts.probe.model_copy(update={"recorded_at": recorded})})


def film(*clips: AssetFacts, in_given_order: bool = False) -> EDL:
    return plan(clips, Variant.CINEMATIC_FULL, PlanOptions(in_given_order=in_given_order))


def told(edl: EDL) -> list[str]:
    return [clip.source.removeprefix("clip-") for clip in edl.video]


def why(edl: EDL) -> Decision:
    (decision,) = [decision for decision in edl.decisions if decision.kind == "order"]
    return decision


def test_the_order_of_recording_comes_before_that_of_names() -> None:
    edl = film(clip(1, "c.mp4", 9), clip(2, "b.mp4", 2), clip(3, "a.mp4", 5))
    assert told(edl) == ["2", "3", "1"]
    assert why(edl).sentence == "The 3 recordings are told in the order they were recorded in"
    assert why(edl).evidence[0].value == "2026-05-01T12:02:00+00:00"


def test_an_order_that_somebody_chose_wins() -> None:
    edl = film(clip(1, "b.mp4", 9), clip(2, "a.mp4", 2), in_given_order=True)
    assert told(edl) == ["1", "2"]
    assert why(edl).sentence == "The 2 recordings are told in the order you gave them"


def test_names_are_ordered_as_people_count() -> None:
    edl = film(clip(1, "Clip 10.mp4"), clip(2, "clip 2.mp4", 3), clip(3, "clip 002b.mp4"))
    assert told(edl) == ["2", "3", "1"]
    assert "not every file says" in why(edl).sentence


def test_times_that_overlap_are_those_of_copies_and_are_not_believed() -> None:
    edl = film(clip(1, "clip10.mp4", 0), clip(2, "clip2.mp4", 0.1))
    assert told(edl) == ["2", "1"]
    assert "recorded at once" in why(edl).sentence


def test_where_nothing_tells_the_order_of_the_assets_stays() -> None:
    assert told(film(clip(2, "talk.mp4"), clip(1, "talk.mp4"))) == ["2", "1"]


def test_of_one_recording_there_is_nothing_to_say() -> None:
    assert not any(decision.kind == "order" for decision in film(clip(1, "a.mp4")).decisions)
