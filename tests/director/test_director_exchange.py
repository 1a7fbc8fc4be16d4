"""Edits that go to other editing programs and come back."""

from collections.abc import Callable
from fractions import Fraction
from xml.etree import ElementTree as ET

import opentimelineio as otio
import pytest

from director import EXPORTS, ExportFormat, PlanOptions, export_otio, import_otio, plan
from schemas.edl import EDL, SAMPLE_RATE, Evidence, Variant
from schemas.invalid_input import InvalidInput
from schemas.media import AssetKind
from schemas.timebase import RATE_FAMILY
from schemas.timeline import visible_stretches
from tests.director.director_footage import face_track, recorder, say, talk, video_stream

pytestmark = pytest.mark.unit

NTSC = Fraction(30000, 1001)


def edit(rate: Fraction = NTSC, *, variant: Variant = Variant.CINEMATIC_FULL, name: str = "talk.mp4") -> EDL:
    words = say(*((1 + 4.0 * i, f"Glass {i} bends the light.") for i in range(15)))
    face = face_track(*((0.5 * i, 0.4, 0.3) for i in range(140)))
    main = talk(70, words, name=name, video=video_stream(70, rate=rate), tracks=(face,))
    city = talk(20, kind=AssetKind.B_ROLL, ident="city", digest="b")
    music = recorder(main, offset_us=0, drift_ppm=0, correlation=0.1)
    return plan([main, city, music], variant, PlanOptions(title="Glass"))


def written(edl: EDL, format_: ExportFormat) -> str:
    return EXPORTS[format_].write(edl, media_url=lambda source: f"media/{source.name}")


def changed(edl: EDL, change: Callable[[otio.schema.Timeline], None]) -> EDL:
    """The edit after somebody changed its timeline in another program."""
    timeline = otio.adapters.read_from_string(written(edl, ExportFormat.OTIO), "otio_json")
    change(timeline)
    return import_otio(timeline.to_json_string())


def dissolving(edl: EDL) -> EDL:
    """The edit with a dissolve into its second clip."""
    first, second, *others = edl.video
    return EDL.model_validate({**dict(edl), "video": (first, second.model_copy(update={"dissolve_in": 6}), *others)})


class TestOpenTimelineIO:
    @pytest.mark.parametrize("variant", Variant)
    @pytest.mark.parametrize("rate", RATE_FAMILY)
    def test_a_timeline_that_nobody_changed_is_the_same_edit(self, rate: Fraction, variant: Variant) -> None:
        edl = edit(rate, variant=variant)
        assert import_otio(written(edl, ExportFormat.OTIO)) == edl

    def test_a_timeline_without_captions_is_the_same_edit(self) -> None:
        edl = EDL.model_validate({**dict(edit()), "captions": ()})
        assert import_otio(written(edl, ExportFormat.OTIO)) == edl

    @pytest.mark.parametrize("format_", [ExportFormat.OTIO, ExportFormat.PREMIERE])
    def test_a_number_that_no_timeline_has_room_for_is_refused(self, format_: ExportFormat) -> None:
        edl = edit()
        huge = edl.decisions[-1].model_copy(update={"evidence": (Evidence(fact="f", value="v", start_us=1 << 63),)})
        with pytest.raises(InvalidInput, match="64 bits"):
            written(EDL.model_validate({**dict(edl), "decisions": (*edl.decisions[:-1], huge)}), format_)

    def test_a_clip_whose_source_is_no_name_is_refused(self) -> None:
        def spoil(timeline: otio.schema.Timeline) -> None:
            timeline.video_tracks()[0][0].metadata["cinema"]["clip"]["source"] = {}

        with pytest.raises(InvalidInput, match="source"):
            changed(edit(), spoil)

    def test_an_object_among_what_we_wrote_is_refused(self) -> None:
        def spoil(timeline: otio.schema.Timeline) -> None:
            timeline.video_tracks()[0][0].metadata["cinema"]["clip"]["fit"] = otio.opentime.RationalTime(1, 30)

        with pytest.raises(InvalidInput, match="metadata"):
            changed(edit(), spoil)

    def test_a_clip_taken_out_takes_its_captions_along_and_the_rest_moves_up(self) -> None:
        edl = edit()
        gone = edl.video[7]

        def cut_it(timeline: otio.schema.Timeline) -> None:
            del timeline.tracks[0][7]
            del timeline.tracks[1:]

        after = changed(edl, cut_it)
        assert after.duration == edl.duration - gone.duration
        before_it = [caption for caption in edl.captions if caption.end <= gone.start]
        behind_it = [caption for caption in edl.captions if caption.start >= gone.end]
        assert [c for c in after.captions if c.end <= gone.start] == before_it
        assert [c.lines for c in after.captions if c.start >= gone.start] == [c.lines for c in behind_it]
        assert after.captions[-1].start == edl.captions[-1].start - gone.duration

    def test_a_clip_shortened_at_its_head_shows_what_is_left(self) -> None:
        edl = edit()
        shortened = edl.video[1]

        def trim(timeline: otio.schema.Timeline) -> None:
            clip = timeline.tracks[0][1]
            clip.source_range = otio.opentime.TimeRange(
                clip.source_range.start_time + otio.opentime.RationalTime(7, float(edl.rate)),
                clip.source_range.duration - otio.opentime.RationalTime(7, float(edl.rate)),
            )
            del timeline.tracks[1:]

        after = changed(edl, trim).video[1]
        time_base = edl.sources[0].video.time_base if edl.sources[0].video else Fraction(1)
        assert after.duration == shortened.duration - 7
        assert abs((after.source_in - shortened.source_in) * time_base - 7 / edl.rate) <= time_base
        assert after.source_out == pytest.approx(shortened.source_out, abs=1)

    def test_a_dissolve_is_there_for_every_program_and_comes_back(self) -> None:
        edl = dissolving(edit())
        assert import_otio(written(edl, ExportFormat.OTIO)) == edl
        assert ET.fromstring(written(edl, ExportFormat.FCPXML)).find(".//spine/transition") is not None
        assert ET.fromstring(written(edl, ExportFormat.PREMIERE)).find(".//video/track/transitionitem") is not None

    def test_a_clip_that_has_become_the_first_dissolves_from_nothing(self) -> None:
        def take_the_first_out(timeline: otio.schema.Timeline) -> None:
            del timeline.tracks[0][0]
            del timeline.tracks[1:]

        assert changed(dissolving(edit()), take_the_first_out).video[0].dissolve_in == 0

    def test_a_clip_split_in_two_becomes_two_clips(self) -> None:
        edl = edit()
        length = edl.video[0].duration

        def split(timeline: otio.schema.Timeline) -> None:
            first = timeline.tracks[0][0]
            second = first.deepcopy()
            at = otio.opentime.RationalTime(length // 2, float(edl.rate))
            start = first.source_range.start_time
            first.source_range = otio.opentime.TimeRange(start, at)
            second.source_range = otio.opentime.TimeRange(start + at, second.source_range.duration - at)
            timeline.tracks[0].insert(1, second)

        after = changed(edl, split)
        assert after.duration == edl.duration
        assert [clip.duration for clip in after.video[:2]] == [length // 2, length - length // 2]
        assert after.video[0].id != after.video[1].id
        assert after.captions == edl.captions

    def test_a_clip_of_media_that_the_edit_does_not_know_is_refused_by_its_place(self) -> None:
        def put_in(timeline: otio.schema.Timeline) -> None:
            time = otio.opentime.RationalTime(30, float(NTSC))
            stranger = otio.schema.Clip(
                "cat", otio.schema.ExternalReference("cat.mp4"), otio.opentime.TimeRange(time, time)
            )
            timeline.tracks[0].append(stranger)

        with pytest.raises(InvalidInput, match=r"Video\.\d+: is of media"):
            changed(edit(), put_in)

    def test_a_gap_in_the_picture_is_refused(self) -> None:
        def make_gap(timeline: otio.schema.Timeline) -> None:
            time = otio.opentime.RationalTime(30, float(NTSC))
            timeline.tracks[0].insert(1, otio.schema.Gap(duration=time))

        with pytest.raises(InvalidInput, match="base track"):
            changed(edit(), make_gap)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("[" * 100_000 + "]" * 100_000, id="deep"),
            pytest.param("{" + '"OTIO_SCHEMA": "Timeline.1", "tracks": null', id="cut off"),
            pytest.param('{"OTIO_SCHEMA": "Gap.1", "name": "", "metadata": {}}', id="no timeline"),
            pytest.param("cinema", id="no JSON"),
        ],
    )
    def test_what_is_no_timeline_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            import_otio(text)

    def test_a_timeline_from_elsewhere_is_refused_with_the_reason(self) -> None:
        with pytest.raises(InvalidInput, match="only a timeline that was exported here"):
            import_otio(otio.schema.Timeline("theirs").to_json_string())

    def test_times_that_are_no_numbers_are_refused(self) -> None:
        text = written(edit(), ExportFormat.OTIO)
        with pytest.raises(InvalidInput):
            import_otio(text.replace('"value": 0.0', '"value": 1e300'))


def seconds(text: str) -> Fraction:
    return Fraction(text.removesuffix("s"))


class TestFinalCutPro:
    @pytest.mark.parametrize("rate", RATE_FAMILY)
    def test_every_clip_lies_on_its_exact_frame(self, rate: Fraction) -> None:
        edl = edit(rate)
        root = ET.fromstring(written(edl, ExportFormat.FCPXML))
        sequence, spine = root.find(".//sequence"), root.findall(".//spine/asset-clip")
        assert sequence is not None
        assert seconds(sequence.attrib["duration"]) * rate == edl.duration
        assert seconds(root.findall(".//format")[0].attrib["frameDuration"]) == 1 / rate
        assert [seconds(clip.attrib["offset"]) * rate for clip in spine] == [clip.start for clip in edl.video]
        assert [seconds(clip.attrib["duration"]) * rate for clip in spine] == [clip.duration for clip in edl.video]

    def test_covers_and_sound_are_connected_where_they_begin(self) -> None:
        edl = edit()
        root = ET.fromstring(written(edl, ExportFormat.FCPXML))
        placed: dict[int, list[Fraction]] = {}
        for base in root.findall(".//spine/asset-clip"):
            for connected in base.findall("asset-clip"):
                inside = seconds(connected.attrib["offset"]) - seconds(base.attrib["start"])
                at = (seconds(base.attrib["offset"]) + inside) * edl.rate
                placed.setdefault(int(connected.attrib["lane"]), []).append(at)
        assert placed[1] == [clip.start for clip in edl.overlays]
        for number, track in enumerate(edl.audio, start=1):
            assert placed[-number] == [clip.start for clip in track.clips]

    def test_sound_begins_at_its_exact_sample(self) -> None:
        edl = edit()
        root = ET.fromstring(written(edl, ExportFormat.FCPXML))
        heard = [c for c in root.iter("asset-clip") if c.attrib.get("lane") == "-1"]
        assert [seconds(c.attrib["start"]) * SAMPLE_RATE for c in heard] == [c.source_in for c in edl.audio[0].clips]
        assert {c.attrib["audioRole"] for c in heard} == {"dialogue"}

    def test_a_reel_is_framed_as_the_director_framed_it(self) -> None:
        edl = edit(variant=Variant.VERTICAL_REEL)
        transform = ET.fromstring(written(edl, ExportFormat.FCPXML)).find(".//spine/asset-clip/adjust-transform")
        assert transform is not None
        crop = edl.video[0].crop[0]
        fitted = edl.canvas.width / 1920
        assert float(transform.attrib["scale"].split()[0]) == pytest.approx(
            edl.canvas.width / crop.width / fitted, rel=1e-3
        )

    def test_names_that_no_xml_can_hold_are_made_printable(self) -> None:
        edl = edit(name="talk\x00\x1b<&>\udcff.mp4".encode("utf-8", "replace").decode())
        for format_ in (ExportFormat.FCPXML, ExportFormat.PREMIERE):
            text = written(edl, format_)
            assert ET.fromstring(text) is not None
            assert "\x00" not in text


def interview() -> EDL:
    """One asks, the other answers: the answer's picture is there before its sound."""
    asks = talk(20, say((1, "Is the glass warm?")), ident="question", name="question.mp4", digest="1")
    answers = talk(20, say((2, "It is cold.")), ident="reply", name="reply.mp4", digest="2")
    return plan([asks, answers], Variant.CINEMATIC_FULL, PlanOptions(title="Glass"))


class TestSplitEdits:
    def test_sound_that_lasts_over_the_next_picture_comes_back_as_it_was(self) -> None:
        edl = interview()
        assert edl.video[1].start < edl.audio[0].clips[1].start
        assert import_otio(written(edl, ExportFormat.OTIO)) == edl

    def test_every_program_is_told_of_it(self) -> None:
        edl = interview()
        seen, heard = edl.video[1].start, edl.audio[0].clips[1].start
        root = ET.fromstring(written(edl, ExportFormat.FCPXML))
        spine = root.findall(".//spine/asset-clip")
        assert seconds(spine[1].attrib["offset"]) * edl.rate == seen
        base = next(one for one in spine if one.find("asset-clip[@name='reply.mp4'][@lane='-1']") is not None)
        (sound,) = [c for c in base.findall("asset-clip") if c.attrib["name"] == "reply.mp4"]
        inside = seconds(sound.attrib["offset"]) - seconds(base.attrib["start"])
        assert (seconds(base.attrib["offset"]) + inside) * edl.rate == heard
        read = otio.adapters.read_from_string(written(edl, ExportFormat.PREMIERE), "fcp_xml")
        starts = [
            [t.range_of_child(c).start_time.value for c in t.find_clips()] for t in (read.tracks[0], read.tracks[-1])
        ]
        assert (starts[0][1], starts[1][1]) == (seen, heard)


class TestAdapters:
    @pytest.mark.parametrize("rate", RATE_FAMILY)
    def test_premiere_gets_every_clip_on_its_frame(self, rate: Fraction) -> None:
        edl = edit(rate)
        read = otio.adapters.read_from_string(written(edl, ExportFormat.PREMIERE), "fcp_xml")
        video, covers, *sound = read.tracks
        for track, clips in zip(
            (video, covers, *sound), (edl.video, edl.overlays, *(t.clips for t in edl.audio)), strict=True
        ):
            found = list(track.find_clips())
            assert [track.range_of_child(c).start_time.value for c in found] == [clip.start for clip in clips]
            assert [c.duration().value for c in found] == [clip.duration for clip in clips]
            assert all(c.duration().rate == pytest.approx(float(rate)) for c in found)

    @pytest.mark.parametrize("rate", [rate for rate in RATE_FAMILY if rate <= 30])
    def test_a_cmx_list_shows_what_a_viewer_sees(self, rate: Fraction) -> None:
        edl = edit(rate)
        text = written(edl, ExportFormat.CMX3600)
        read = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
        seen = [(s.clip.source, s.end - s.first) for s in visible_stretches(edl)]
        reels = {source.id: f"R{number:03d}" for number, source in enumerate(edl.sources, start=1)}
        found = [(c.metadata["cmx_3600"]["reel"], c.duration().value) for c in read.find_clips()]
        assert found == [(reels[source], frames) for source, frames in seen]
        assert ("FCM: DROP FRAME" in text) == (rate == NTSC)

    def test_a_name_cannot_add_lines_to_a_list(self) -> None:
        text = written(edit(name="talk\n002  AX V C 00:00:00:00 00:00:01:00.mp4"), ExportFormat.CMX3600)
        assert not any(line.startswith("002  AX") for line in text.splitlines())


def test_every_exported_media_address_is_the_given_one() -> None:
    edl = edit()
    for format_ in ExportFormat:
        assert "media/talk.mp4" in written(edl, format_)


def test_an_unknown_source_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        export_otio(edit(), media_url={})
