"""The delivery check measures files, and finds what is wrong with them."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from render import check_delivery, restated
from render.boxes import box_order
from render.delivery import MEASURED, require_passed
from schemas.delivery import DeliveryReport
from schemas.edl import Caption, CaptionStyle
from schemas.errors import DeliveryRejected
from schemas.rendering import RenderResult
from tests.render.render_media import Media, audio_clip, edit, run, video_clip

pytestmark = pytest.mark.media


@pytest.fixture(scope="module")
def finished(counted: Media, tmp_path_factory: pytest.TempPathFactory) -> tuple[RenderResult, Media]:
    rate = Fraction(30)
    edl = edit([counted], [video_clip(counted, 0, 150, 0, rate)], [audio_clip(counted, 0, 150, 0, rate)])
    return run(edl, [counted], tmp_path_factory.mktemp("finished") / "o"), counted


def failed(report: DeliveryReport) -> set[str]:
    return {check.name for check in report.checks if check.hard and not check.passed}


def test_a_finished_file_keeps_every_limit(finished: tuple[RenderResult, Media]) -> None:
    report = finished[0].report
    assert report.passed
    assert report.frames == 150
    assert 0 <= report.samples - 240_000 < 1024
    assert report.metrics.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert {stage.stage for stage in report.metrics.stages} == {
        "sound",
        "decode and filter",
        "encode",
        "assemble",
        "check",
    }


def test_what_was_measured_is_told_of_another_edit_with_that_edits_own_captions(
    finished: tuple[RenderResult, Media], counted: Media
) -> None:
    rate, report = Fraction(30), finished[0].report
    assert {check.name for check in report.checks} == MEASURED, "this edit has no captions"
    caption = Caption(start=0, end=30, lines=("Light is what you paint with.",))
    style = CaptionStyle(burn_in=False, left=0, top=0, right=320, bottom=180, font_size=20)
    clips, sounds = [video_clip(counted, 0, 150, 0, rate)], [audio_clip(counted, 0, 150, 0, rate)]
    captioned = edit([counted], clips, sounds, captions=(caption,), caption_style=style)
    told = restated(report, captioned)
    assert told.reused
    assert told.checks[: len(report.checks)] == report.checks
    added = [(check.name, check.passed) for check in told.checks[len(report.checks) :]]
    assert added == [("caption lines", True), ("caption reading speed", False)]
    assert told.metrics == report.metrics.model_copy(update={"words_per_minute": 72.0})
    assert restated(told, edit([counted], clips, sounds)) == report.model_copy(update={"reused": True})


def test_files_lie_in_the_folder_and_nothing_else_does(finished: tuple[RenderResult, Media]) -> None:
    result = finished[0]
    kept = {result.video, result.thumbnail, result.storyboard, result.srt, result.vtt}
    assert set(result.video.parent.iterdir()) == kept
    assert result.thumbnail.read_bytes()[:2] == b"\xff\xd8"


def test_a_file_of_another_length_or_size_is_rejected(finished: tuple[RenderResult, Media], counted: Media) -> None:
    rate = Fraction(30)
    longer = edit([counted], [video_clip(counted, 0, 151, 0, rate)], canvas=(640, 360))
    report = check_delivery(finished[0].video, longer)
    assert {"duration", "picture size"} <= failed(report)
    with pytest.raises(DeliveryRejected, match="duration is 150 frames"):
        require_passed(report.checks)


def test_a_careless_encode_is_found_out(finished: tuple[RenderResult, Media], counted: Media, tmp_path: Path) -> None:
    careless = tmp_path / "careless.mp4"
    with av.open(str(finished[0].video)) as source, av.open(str(careless), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "g": "250", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv444p"
        for frame in source.decode(video=0):
            converted = frame.reformat(format="yuv444p")
            converted.pict_type = av.video.frame.PictureType.NONE
            output.mux(stream.encode(converted))
        output.mux(stream.encode(None))
    edl = edit([counted], [video_clip(counted, 0, 150, 0, Fraction(30))])
    assert {
        "pixel format",
        "longest GOP",
        "moov before mdat",
        "edit lists",
        "audio length against picture",
        "A/V start offset",
        "video codec",
    } <= failed(check_delivery(careless, edl))


def test_pictures_labelled_otherwise_than_their_file_are_found_out(
    finished: tuple[RenderResult, Media], counted: Media, tmp_path: Path
) -> None:
    relabelled = tmp_path / "relabelled.mp4"
    x264 = "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m"
    with av.open(str(finished[0].video)) as source, av.open(str(relabelled), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "x264-params": x264})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        for frame in source.decode(video=0):
            frame.pict_type = av.video.frame.PictureType.NONE
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(str(relabelled)) as container:
        assert container.streams.video[0].codec_context.colorspace == 1
    edl = edit([counted], [video_clip(counted, 0, 150, 0, Fraction(30))])
    tags = next(check for check in check_delivery(relabelled, edl).checks if check.name == "colour tags")
    assert (tags.measured, tags.passed) == ("(6, 6, 6, 1)", False)


def test_an_index_at_the_end_is_put_first_and_the_report_says_so(
    counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = Fraction(30)
    edl = edit([counted], [video_clip(counted, 0, 60, 0, rate)], [audio_clip(counted, 0, 60, 0, rate)])
    wanted = run(edl, [counted], tmp_path / "wanted")
    monkeypatch.setattr("render.assembly.DELIVERY_OPTIONS", {"movflags": "+negative_cts_offsets", "use_editlist": "0"})
    result = run(edl, [counted], tmp_path / "corrected")
    correction = next(one for one in result.report.corrections if one.name == "index of the file")
    assert (correction.before, correction.after) == ("mdat moov", "moov mdat")
    assert "index of the file" not in {one.name for one in wanted.report.corrections}
    assert result.report.checks == wanted.report.checks
    assert box_order(result.video) == box_order(wanted.video)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_what_is_no_video_is_rejected_with_a_sentence(content: bytes, counted: Media, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    edl = edit([counted], [video_clip(counted, 0, 10, 0, Fraction(30))])
    with pytest.raises(DeliveryRejected, match="could not be decoded"):
        check_delivery(path, edl)
