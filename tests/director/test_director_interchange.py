"""The edit as other programs and people read it."""

import json
from fractions import Fraction

import opentimelineio as otio
import pytest

from director import DIRECTOR_VERSION, PlanOptions, edl_json_schema, explain, export_otio, plan
from schemas.edl import EDL, Variant
from schemas.media import AssetKind
from schemas.timebase import RATE_FAMILY
from tests.director.director_footage import recorder, say, talk, video_stream

pytestmark = pytest.mark.unit


def edit(rate: Fraction = Fraction(30)) -> EDL:
    words = say(*((1 + 4.0 * i, f"Glass {i} bends the light.") for i in range(15)))
    main = talk(70, words, video=video_stream(70, rate=rate))
    city = talk(20, kind=AssetKind.B_ROLL, ident="city", digest="b")
    music = recorder(main, offset_us=0, drift_ppm=0, correlation=0.1)
    return plan([main, city, music], Variant.CINEMATIC_FULL, PlanOptions(title="Glass"))


@pytest.mark.parametrize("rate", RATE_FAMILY)
def test_an_exported_timeline_opens_and_lasts_exactly_as_long(rate: Fraction) -> None:
    edl = edit(rate)
    timeline = otio.adapters.read_from_string(
        export_otio(edl, media_url=lambda source: f"file:///{source.id}"), "otio_json"
    )
    assert timeline.name == "Glass"
    video, b_roll, *audio = timeline.tracks
    assert timeline.duration().value == edl.duration
    assert timeline.duration().rate == float(rate)
    assert [clip.duration().value for clip in video] == [clip.duration for clip in edl.video]
    assert [b_roll.range_of_child(clip).start_time.value for clip in b_roll if isinstance(clip, otio.schema.Clip)] == [
        clip.start for clip in edl.overlays
    ]
    assert [track.kind for track in audio] == ["Audio", "Audio"]
    assert Fraction(timeline.metadata["cinema"]["rate"]) == rate


def test_markers_carry_the_decisions() -> None:
    edl = edit()
    timeline = otio.adapters.read_from_string(
        export_otio(edl, media_url={s.id: s.id for s in edl.sources}), "otio_json"
    )
    placed = [decision for decision in edl.decisions if decision.start is not None]
    assert [marker.name for marker in timeline.tracks.markers] == [decision.sentence for decision in placed]
    assert [marker.marked_range.start_time.value for marker in timeline.tracks.markers] == [d.start for d in placed]


def test_every_clip_in_the_timeline_says_why_and_where_its_media_lies() -> None:
    edl = edit()
    timeline = otio.adapters.read_from_string(export_otio(edl, media_url=lambda s: f"media/{s.name}"), "otio_json")
    for clip in timeline.find_clips():
        assert clip.metadata["cinema"]["reason"]
        assert clip.media_reference.target_url.startswith("media/")
        assert clip.available_range().start_time <= clip.source_range.start_time
        assert clip.source_range.end_time_exclusive() <= clip.available_range().end_time_exclusive()


def test_the_schema_describes_an_edl() -> None:
    schema = edl_json_schema()
    assert set(json.loads(edit().model_dump_json())) <= set(schema["properties"])


def test_an_edit_can_be_read_by_a_person() -> None:
    text = explain(edit())
    assert text.startswith("Glass: cinematic full, 0:")
    assert "without speech" in text
    assert "jump cut" in text
    assert edit().director_version == DIRECTOR_VERSION


def test_every_choice_has_a_decision_with_evidence() -> None:
    edl = edit()
    kinds = {decision.kind for decision in edl.decisions}
    assert {"story", "pause", "framing", "b_roll", "music", "captions"} <= kinds
    assert all(decision.evidence for decision in edl.decisions)
