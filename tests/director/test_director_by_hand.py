"""Edits by hand: what fits the footage is taken over and signed, and whatever else it is has its field named."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from director import PlanOptions, adopt, explain, plan, with_captions
from schemas.edl import EDL, Caption, Variant
from schemas.errors import OutputRefused
from schemas.facts import AssetFacts
from schemas.invalid_input import InvalidInput
from tests.director.any_facts import projects
from tests.director.director_footage import talk
from tests.director.test_director_review import recut, row, talk_of_two_lines
from tests.exploring import EXPLORED

pytestmark = pytest.mark.unit

REEL = Variant.VERTICAL_REEL


@pytest.fixture
def footage() -> AssetFacts:
    return talk_of_two_lines()


@pytest.fixture
def edl(footage: AssetFacts) -> EDL:
    return plan([footage], REEL, PlanOptions())


def changed(edl: EDL, **fields: Any) -> EDL:
    """The edit as JSON that somebody has written into."""
    return EDL.model_validate({**edl.model_dump(), **fields})


def problems(edl: EDL, *assets: AssetFacts, variant: Variant = REEL) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        adopt(edl, assets, variant, accept_findings=True)
    return {problem.field: problem.problem for problem in refused.value.problems}


def test_an_edit_is_taken_over_as_it_is_and_says_whose_it_is(edl: EDL, footage: AssetFacts) -> None:
    adopted, rows = adopt(edl, [footage], REEL, accept_findings=False)
    assert adopted.model_copy(update={"decisions": edl.decisions}) == edl
    assert [decision.kind for decision in adopted.decisions[len(edl.decisions) :]] == ["edited_by_hand"]
    assert all(check.passed for check in rows)
    assert "You edited this by hand" in explain(adopted)


def test_an_edit_of_an_edit_is_signed_once(edl: EDL, footage: AssetFacts) -> None:
    once, _ = adopt(edl, [footage], REEL, accept_findings=False)
    assert adopt(once, [footage], REEL, accept_findings=False)[0] == once


def test_what_a_viewer_notices_is_the_creators_to_accept(edl: EDL, footage: AssetFacts) -> None:
    inside_a_word = recut(edl, (1.1, 4.0), (4.0, 9.0))
    refused = row(adopt(inside_a_word, [footage], REEL, accept_findings=False)[1], "cuts inside a word")
    assert (refused.passed, refused.hard) == (False, True)
    adopted, rows = adopt(inside_a_word, [footage], REEL, accept_findings=True)
    accepted = row(rows, "cuts inside a word")
    assert (accepted.passed, accepted.hard) == (False, False)
    assert adopted.decisions[-1].evidence[0].fact == "cuts inside a word"
    assert adopted.decisions[-1].evidence[0].value == accepted.measured


def test_sound_out_of_step_is_never_accepted(edl: EDL, footage: AssetFacts) -> None:
    late = edl.model_dump()
    for clip in late["audio"][0]["clips"]:
        clip["source_in"] += 9_600
    rows = adopt(EDL.model_validate(late), [footage], REEL, accept_findings=True)[1]
    offset = row(rows, "A/V offset in the edit")
    assert (offset.passed, offset.hard) == (False, True)


def test_footage_that_is_not_the_projects_is_named(edl: EDL, footage: AssetFacts) -> None:
    other = talk(12, digest="b")
    assert problems(edl, other) == {"sources.0.sha256": "no usable file of this project has this content"}
    adopt(edl, [other, footage], REEL, accept_findings=True)


@pytest.mark.parametrize(
    ("part", "lie"),
    [
        ("video", {"end_pts": 10**9}),
        ("video", {"display_width": 7680, "display_height": 7680}),
        ("video", {"stream_index": 3}),
        ("audio", {"samples": 10**9}),
        ("audio", {"channel_mix": "right"}),
    ],
)
def test_a_source_must_be_as_it_was_measured(edl: EDL, footage: AssetFacts, part: str, lie: dict[str, Any]) -> None:
    source = edl.sources[0].model_dump()
    told = changed(edl, sources=[{**source, part: {**source[part], **lie}}])
    assert problems(told, footage) == {f"sources.0.{part}": "is not as the file was measured"}


def test_a_source_may_go_by_any_name(edl: EDL, footage: AssetFacts) -> None:
    adopt(
        changed(edl, sources=[{**edl.sources[0].model_dump(), "name": "Mine"}]), [footage], REEL, accept_findings=True
    )


def test_what_cannot_be_rendered_is_refused(edl: EDL, footage: AssetFacts) -> None:
    assert set(problems(edl, footage, variant=Variant.HOOK_CUT)) == {"variant"}
    assert set(problems(changed(edl, canvas={"width": 7680, "height": 7680}), footage)) == {"canvas"}
    assert edl.caption_style is not None
    style = edl.caption_style.model_dump()
    assert set(problems(changed(edl, caption_style={**style, "font_size": 99_999}), footage)) == {
        "caption_style.font_size"
    }
    tiny = {**style, "right": style["left"] + 1}
    assert set(problems(changed(edl, caption_style=tiny), footage)) == {"caption_style"}
    for line in ("", "  ", "two\nlines", "x" * 201, "bell\a"):
        lines = [{"start": 0, "end": 30, "lines": [line]}]
        assert set(problems(changed(edl, captions=lines), footage)) == {"captions.0.lines.0"}


@pytest.mark.parametrize("rate", ["1e999999999", "9" * 50, "nan", "30/1e9"])
def test_a_rate_is_a_number_written_out(edl: EDL, rate: str) -> None:
    """Refused at once, too: a number of a few characters can be larger than any memory."""
    with pytest.raises(ValidationError, match="rational number such as 30000/1001"):
        changed(edl, rate=rate)


def test_a_rate_is_one_of_those_that_are_delivered(edl: EDL, footage: AssetFacts) -> None:
    still = {**edl.model_dump(), "video": [], "overlays": [], "audio": [], "captions": []}
    first = edl.video[0].model_dump() | {"duration": 1, "crop": [], "fade_in": 0, "fade_out": 0}
    first |= {"source_out": first["source_in"] + 90_000}
    assert set(
        problems(changed(EDL.model_validate(edl), **still | {"rate": 1, "duration": 1, "video": [first]}), footage)
    ) == {"rate"}


def test_captions_alone_can_be_replaced(edl: EDL) -> None:
    captions = (Caption(start=3, end=40, lines=("Mine.",)),)
    assert with_captions(edl, captions) == edl.model_copy(update={"captions": captions})
    assert with_captions(edl, ()).captions == ()
    with pytest.raises(ValidationError, match="outside the edit"):
        with_captions(edl, (Caption(start=0, end=edl.duration + 1, lines=("Late.",)),))
    without = edl.model_copy(update={"captions": (), "caption_style": None})
    with pytest.raises(InvalidInput, match="caption style"):
        with_captions(without, captions)


@settings(max_examples=60 * EXPLORED, suppress_health_check=list(HealthCheck))
@given(projects(), st.sampled_from(Variant))
def test_whatever_the_director_makes_can_be_handed_back(project: list[AssetFacts], variant: Variant) -> None:
    try:
        edl = plan(project, variant, PlanOptions())
    except OutputRefused:
        return
    edl = edl.model_copy(update={"captions": ()})
    adopted, rows = adopt(EDL.model_validate_json(edl.model_dump_json()), project, variant, accept_findings=False)
    assert adopted.video == edl.video
    assert all(check.passed for check in rows)
