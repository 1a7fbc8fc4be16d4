"""What a caller sees when a source is hostile, a file is gone, or the machine gives out."""

import errno
from fractions import Fraction
from pathlib import Path

import pytest

import render
from render.failures import reporting_output
from schemas.edl import SourceAudio
from schemas.errors import CinemaError, ErrorCode, MediaRefused, TransientError
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest
from tests.render.render_media import FAST, Media, audio_clip, describe, edit, run, shared_media, video_clip

pytestmark = pytest.mark.media

RATE = Fraction(30)


def render_with(source: Path, counted: Media, folder: Path) -> None:
    """Render an edit that believes ``source`` to be the counted clip."""
    media = Media(source, counted.source)
    edl = edit([media], [video_clip(media, 0, 20, 0, RATE)], [audio_clip(media, 0, 20, 0, RATE)])
    run(edl, [media], folder / "o")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"ffconcat version 1.0\nfile '{other}'\n", id="concat script"),
        pytest.param(b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{other}\n#EXT-X-ENDLIST\n", id="playlist"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\x01\x02\x03" * 5000, id="noise"),
    ],
)
def test_what_is_no_media_or_points_elsewhere_is_refused(content: bytes, counted: Media, tmp_path: Path) -> None:
    path = tmp_path / "evil.mp4"
    path.write_bytes(content.replace(b"{other}", str(counted.path).encode()))
    with pytest.raises(MediaRefused, match="could not be read"):
        render_with(path, counted, tmp_path)


@pytest.mark.parametrize("name", ["concat_script_relative_renamed.mp4", "hls_good/index.m3u8", "dash_mpd_renamed.mp4"])
def test_real_scripts_and_playlists_are_refused(name: str, counted: Media, tmp_path: Path) -> None:
    with pytest.raises(MediaRefused):
        render_with(shared_media(f"awkward/{name}"), counted, tmp_path)


def test_a_file_that_is_gone_may_come_back(counted: Media, tmp_path: Path) -> None:
    with pytest.raises(TransientError) as caught:
        render_with(tmp_path / "gone.mp4", counted, tmp_path)
    assert caught.value.code is ErrorCode.OBJECT_MISSING


def test_a_file_without_the_stream_that_was_found_in_it_is_refused_by_name(counted: Media, tmp_path: Path) -> None:
    sound = SourceAudio(stream_index=7, samples=480_000)
    heard = Media(counted.path, counted.source.model_copy(update={"audio": sound}))
    with pytest.raises(MediaRefused, match=r"counted\.mp4.* has no sound where some was found before"):
        run(edit([heard], [video_clip(heard, 0, 20, 0, RATE)], [audio_clip(heard, 0, 20, 0, RATE)]), [heard], tmp_path)
    assert counted.source.video is not None
    picture = counted.source.video.model_copy(update={"stream_index": 7})
    shown = Media(counted.path, counted.source.model_copy(update={"video": picture}))
    with pytest.raises(MediaRefused, match=r"counted\.mp4.* has no picture where one was found before"):
        run(edit([shown], [video_clip(shown, 0, 20, 0, RATE)]), [shown], tmp_path)


def test_a_source_that_was_not_handed_over_is_named(counted: Media, tmp_path: Path) -> None:
    edl = edit([counted], [video_clip(counted, 0, 20, 0, RATE)])
    with pytest.raises(CinemaError, match=r"counted\.mp4"):
        render.render(RenderRequest(edl=edl, sources={}, folder=tmp_path, encoder=FAST), ignore_progress)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "no space"), ErrorCode.DISK_FULL),
        (OSError(errno.EIO, "input/output error"), ErrorCode.ENCODER_FAILED),
        (MemoryError(), ErrorCode.OUT_OF_MEMORY),
    ],
)
def test_the_machine_giving_out_can_be_retried(error: Exception, code: ErrorCode) -> None:
    with pytest.raises(TransientError) as caught, reporting_output():
        raise error
    assert caught.value.code is code
    assert caught.value.info.retryable


def test_a_folder_that_is_gone_is_a_clear_failure(counted: Media, tmp_path: Path) -> None:
    edl = edit([counted], [video_clip(counted, 0, 20, 0, RATE)])
    request = RenderRequest(edl=edl, sources={"a": counted.path}, folder=tmp_path / "nowhere", encoder=FAST)
    with pytest.raises(TransientError):
        render.render(request, ignore_progress)


def test_an_impossible_encoder_setting_fails_and_ends_its_thread(counted: Media, tmp_path: Path) -> None:
    edl = edit([counted], [video_clip(counted, 0, 20, 0, RATE)])
    settings = FAST.model_copy(update={"preset": "no such preset"})
    with pytest.raises(TransientError) as caught:
        run(edl, [counted], tmp_path / "o", settings)
    assert caught.value.code is ErrorCode.ENCODER_FAILED


def test_progress_rises_from_nothing_to_all(counted: Media, tmp_path: Path) -> None:
    said: list[float] = []
    edl = edit([counted], [video_clip(counted, 0, 60, 0, RATE)], [audio_clip(counted, 0, 60, 0, RATE)])
    render.render(RenderRequest(edl=edl, sources={"a": counted.path}, folder=tmp_path, encoder=FAST), said.append)
    assert said[0] == 0
    assert said[-1] == 1
    assert said == sorted(said)


@pytest.mark.parametrize(
    "name",
    [
        "real_h264_ac3_srt.mkv",
        "real_audio_track_first_bt601.mov",
        "real_mdat_too_long.mp4",
        "real_invalid_nalu.mp4",
        "real_av1_aac.mp4",
        "real_audio_shorter_60fps.mp4",
        "real_two_audio_tracks_mp3_ac3-51_sar4-3.mp4",
        "real_no_duration.webm",
        "real_mpeg4_mp3.avi",
    ],
)
def test_awkward_real_footage_is_delivered_within_the_limits(name: str, tmp_path: Path) -> None:
    media = describe(shared_media(f"awkward/{name}"))
    sound = [audio_clip(media, 0, 20, 0, RATE)] if media.source.audio is not None else []
    result = run(edit([media], [video_clip(media, 0, 20, 0, RATE)], sound), [media], tmp_path / "o")
    assert result.report.passed
