"""A file is what its packets and frames are, not what its header says."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from analysis.probe import probe
from analysis.recording_time import recording_time
from schemas.errors import ErrorCode, MediaRefused
from tests.analysis.analysis_media import MakeClip, noise, scene, tone

pytestmark = pytest.mark.media


def test_picture_and_sound_are_measured(make_clip: MakeClip) -> None:
    found = probe(make_clip("talk.mov", frames=[scene(n) for n in range(50)], sound=tone(2.5, -20), layout="mono"))
    assert found.video is not None
    assert found.video.frame_rate == 25
    assert found.video.frame_count == 50
    assert found.duration_us == 2_500_000
    assert [(one.start_us, one.end_us, one.layout) for one in found.audio] == [(0, 2_500_000, "mono")]
    assert found.dialogue_stream == 0
    assert found.notes == ()


def test_ntsc_rate_is_an_exact_fraction(make_clip: MakeClip) -> None:
    video = probe(make_clip(frames=[scene(n) for n in range(30)], rate=Fraction(30000, 1001))).video
    assert video is not None
    assert video.frame_rate == Fraction(30000, 1001)


def test_variable_rate_is_told_and_evened_out(make_clip: MakeClip) -> None:
    ticks = [20 * number for number in range(60) if number % 5 and not 30 < number < 40]
    found = probe(make_clip(frames=[scene(n) for n in range(len(ticks))], ticks=ticks))
    assert found.video is not None
    assert found.video.variable_frame_rate
    assert found.video.frame_rate == 30
    assert any("frame rate varies" in note for note in found.notes)


def test_hdr_that_only_the_file_and_not_its_pictures_tells_of_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hdr.mov"
    frame = av.VideoFrame.from_ndarray(np.full((135, 160), 512, np.uint16), format="yuv420p10le")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores_ks", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv422p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9
        container.mux(stream.encode(frame.reformat(format="yuv422p10le")))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).color_trc != 16
    found = probe(path)
    assert found.video is not None
    assert (found.video.colour.primaries, found.video.colour.transfer) == ("bt2020", "smpte2084")
    assert any("HDR" in note for note in found.notes)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_screen_on_which_nothing_moves_any_more_is_recorded_until_the_sound_ends(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"screen.{suffix}"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        audio = container.add_stream("flac", rate=48_000, layout="mono")
        packets = []
        for number in range(60):
            frame = av.VideoFrame(160, 90, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            packets += video.encode(frame)
        packets += video.encode()
        packets[-1].duration = round(Fraction(8) / packets[-1].time_base)
        said = av.AudioFrame.from_ndarray((tone(6, -20) * 32767).astype(np.int16), format="s16", layout="mono")
        said.sample_rate, said.pts = 48_000, 0
        for packet in (*packets, *audio.encode(said), *audio.encode()):
            container.mux(packet)
    found = probe(path)
    assert found.video is not None
    shown_s = (found.video.end_pts - found.video.start_pts) * found.video.time_base
    assert float(shown_s) == pytest.approx(6, abs=0.1)
    assert found.video.frame_rate == 30
    assert any("stands still for 4.0 s" in note for note in found.notes)


@pytest.mark.parametrize("suffix", ["dv", "avi"])
def test_the_tape_of_a_camcorder_is_a_video(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"tape.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((864, 720), 100, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    video = probe(path).video
    assert video is not None
    assert (video.coded_width, video.coded_height, video.frame_count) == (720, 576, 5)


def test_a_cut_off_recording_gives_what_is_there(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = make_clip("whole.mkv", frames=[scene(n, height=180, width=320) for n in range(100)])
    part = tmp_path / "part.mkv"
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = probe(part)
    assert 1_000_000 < found.duration_us < 3_000_000


def test_silence_is_told_but_usable(make_clip: MakeClip) -> None:
    found = probe(make_clip("quiet.mov", frames=[scene(1)] * 25, sound=np.zeros((2, 48_000), np.float32)))
    assert found.dialogue_stream == 0
    assert "The sound is silent throughout." in found.notes


def test_first_stream_with_sound_is_the_dialogue(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=48_000, layout="mono") for _ in range(2)]
        for stream, sound in zip(streams, (np.zeros((1, 48_000)), noise(1, -30)), strict=True):
            frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48_000, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    found = probe(path)
    assert found.dialogue_stream == 1
    assert found.video is None


def test_a_file_without_streams_is_refused(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = make_clip("whole.mp4", frames=[scene(1)] * 5).read_bytes()
    header_only = tmp_path / "header.mp4"
    header_only.write_bytes(whole[:32])
    with pytest.raises(MediaRefused) as refused:
        probe(header_only)
    assert refused.value.code is ErrorCode.MEDIA_UNREADABLE


@pytest.mark.parametrize(
    ("tags", "recorded"),
    [
        ({"creation_time": "2026-05-01T12:00:30.000000Z"}, "2026-05-01T12:00:30+00:00"),
        ({}, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
    ],
    ids=["told", "untold", "no clock"],
)
def test_the_time_of_recording_is_what_the_container_says(
    tmp_path: Path, tags: dict[str, str], recorded: str | None
) -> None:
    path = tmp_path / "clip.mov"
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        samples = (tone(0.5, -20)[0] * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found = probe(path).recorded_at
    assert (found and found.isoformat()) == recorded


def test_a_copy_of_a_telephones_recording_keeps_its_time() -> None:
    tags = {"creation_time": "2026-05-03T09:00:00Z", "com.apple.quicktime.creationdate": "2026-05-01T14:00:30+0200"}
    assert recording_time(tags) == datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
    assert recording_time({**tags, "com.apple.quicktime.creationdate": "yesterday"}) == datetime(
        2026, 5, 3, 9, tzinfo=UTC
    )


def test_progress_rises_to_one(make_clip: MakeClip) -> None:
    told: list[float] = []
    probe(make_clip(frames=[scene(n) for n in range(50)]), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
