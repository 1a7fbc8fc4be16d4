"""Every awkward file is measured or refused with its reason; whatever is usable survives every analysis."""

import time
from pathlib import Path

import pytest

from analysis.probe import probe
from analysis.recording import record
from analysis.sound import measure_sound
from schemas.errors import ErrorCode, MediaRefused
from schemas.facts import ChannelMix
from schemas.media import MediaProbe
from tests.analysis.analysis_media import faces_of, shots_of

pytestmark = pytest.mark.media

#: Of processor time.
SLOWEST_PROBE_S = 20

FORBIDDEN = ErrorCode.MEDIA_FORBIDDEN_FORMAT
UNREADABLE = ErrorCode.MEDIA_UNREADABLE
REFUSED = {
    "concat_script_no_header.mp4": FORBIDDEN,
    "concat_script_relative_renamed.mp4": FORBIDDEN,
    "concat_script_renamed.mp4": FORBIDDEN,
    "dash_mpd_renamed.mp4": FORBIDDEN,
    "garbage_prefix.mp4": UNREADABLE,
    "hls_good/index.m3u8": FORBIDDEN,
    "hls_playlist_relative_renamed.mov": FORBIDDEN,
    "hls_playlist_renamed.mp4": FORBIDDEN,
    "html_renamed.mp4": FORBIDDEN,
    "only_ftyp.mp4": UNREADABLE,
    "png_renamed.mp4": FORBIDDEN,
    "random_bytes.mp4": UNREADABLE,
    "real_mpegh_audio_undecodable.mp4": UNREADABLE,
    "sdp_renamed.mp4": FORBIDDEN,
    "svg_renamed.mp4": FORBIDDEN,
    "text_renamed.mp4": FORBIDDEN,
    "truncated_no_moov.mp4": UNREADABLE,
    "zero_byte.mp4": ErrorCode.MEDIA_EMPTY,
}
#: Files with picture but without a usable one, and the reverse, by name.
NO_PICTURE = {"audio_only_in_mp4.mp4", "broken_stsz_box.mp4", "mp3_renamed.mp4", "real_alac_audio_only.mp4"}
#: Seconds that are really there.
LENGTHS = {
    "lying_duration_1000h.mkv": 6.0,
    "lying_duration_mvhd.mp4": 6.0,
    "truncated_half_faststart.mp4": 2.6,
    "real_no_duration.webm": 4.94,
    "audio_starts_1500ms_late.mkv": 6.0,
    "start_time_offset_10s.ts": 4.12,
    "single_frame.mp4": 0.033,
    "fps_1.mp4": 7.0,
}
RATES = {"vfr_15_then_60fps.mkv": 60, "vfr_dropped_frames.mp4": 30, "fps_1.mp4": 24}


@pytest.fixture(scope="module")
def outcomes(media: Path) -> dict[str, MediaProbe | MediaRefused]:
    found: dict[str, MediaProbe | MediaRefused] = {}
    folder = media / "awkward"
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name, began = str(path.relative_to(folder)), time.process_time()
        try:
            found[name] = probe(path)
        except MediaRefused as refused:
            found[name] = refused
        assert time.process_time() - began < SLOWEST_PROBE_S, f"{name} took too long"
    return found


def test_exactly_what_should_be_refused_is_refused(outcomes: dict[str, MediaProbe | MediaRefused]) -> None:
    for name, outcome in outcomes.items():
        if isinstance(outcome, MediaRefused):
            print(f"{name:48} refused  {outcome.message}")  # the table that this run is for
        else:
            print(f"{name:48} usable   {' '.join(outcome.notes)}")
    assert {name: one.code for name, one in outcomes.items() if isinstance(one, MediaRefused)} == REFUSED


def test_what_is_usable_is_measured_right(outcomes: dict[str, MediaProbe | MediaRefused]) -> None:
    usable = {name: one for name, one in outcomes.items() if isinstance(one, MediaProbe)}
    assert {name for name, one in usable.items() if one.video is None} == NO_PICTURE
    for name, seconds in LENGTHS.items():
        assert usable[name].duration_us / 1e6 == pytest.approx(seconds, abs=0.05), name
    for name, rate in RATES.items():
        video = usable[name].video
        assert video is not None
        assert video.frame_rate == rate, name


def test_turned_mirrored_hdr_and_odd_pictures(outcomes: dict[str, MediaProbe | MediaRefused]) -> None:
    def shown(name: str) -> tuple[int, int, int, bool]:
        found = outcomes[name]
        assert isinstance(found, MediaProbe)
        assert found.video is not None
        video = found.video
        return video.display_width, video.display_height, video.rotation, video.mirrored

    assert shown("rotated_90_portrait_stored_landscape.mp4") == (360, 640, 270, False)
    assert shown("rotated_180_upside_down_stored.mov") == (640, 360, 180, False)
    assert shown("real_rotate_and_reflect.mp4") == (720, 1080, 90, True)
    assert shown("anamorphic_sar_720x576_sar64-45.mp4") == (1024, 576, 0, False)
    assert shown("odd_size_641x361_yuv444.mp4") == (641, 361, 0, False)
    hlg = outcomes["hdr_hlg_10bit_hevc_portrait_rotated.mov"]
    assert isinstance(hlg, MediaProbe)
    assert hlg.video is not None
    assert (hlg.video.colour.hdr, hlg.video.bit_depth) == ("hlg", 10)
    interlaced = outcomes["mpeg2_ac3.ts"]
    assert isinstance(interlaced, MediaProbe)
    assert interlaced.video is not None
    assert interlaced.video.interlaced


def test_everything_usable_survives_every_analysis(
    media: Path, face_models: Path, outcomes: dict[str, MediaProbe | MediaRefused]
) -> None:
    for name, found in outcomes.items():
        if not isinstance(found, MediaProbe):
            continue
        path = media / "awkward" / name
        measure_sound(record(path, found))
        shots = shots_of(path).shots
        faces_of(path, face_models, detector="yunet")
        assert bool(shots) == (found.video is not None), name


@pytest.mark.parametrize(
    ("name", "mix"),
    [
        ("audio_left_only.mp4", ChannelMix.LEFT),
        ("audio_out_of_phase.mp4", ChannelMix.DIFFERENCE),
        ("audio_51_aac.mp4", ChannelMix.ALL),
        ("audio_very_quiet_minus45dB.mp4", ChannelMix.ALL),
    ],
)
def test_speech_is_found_whatever_the_channels(media: Path, name: str, mix: ChannelMix) -> None:
    path = media / "awkward" / name
    sound = measure_sound(record(path, probe(path)))
    assert sound.channel_mix is mix
    assert sound.speech[0].start_us < 300_000
    assert sum(span.duration_us for span in sound.speech) > 2_500_000


def test_the_same_face_is_in_the_same_place_however_it_is_stored(media: Path, face_models: Path) -> None:
    upright = media / "talking_heads" / "portrait_hevc_1spk_vlogger_english.mp4"
    turned = media / "awkward" / "rotated_90_portrait_stored_landscape.mp4"
    boxes = [faces_of(path, face_models, detector="yunet").tracks[0].samples[0] for path in (upright, turned)]
    assert boxes[0].left == pytest.approx(boxes[1].left, abs=0.03)
    assert boxes[0].eyes_y == pytest.approx(boxes[1].eyes_y, abs=0.03)
