"""Cuts to the frame; no cut where there is only a flash, a light or a title."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from analysis.probe import probe
from schemas.facts import TransitionKind
from tests.analysis.analysis_media import MakeClip, scene, shots_of

pytestmark = pytest.mark.media


def cuts(path: Path) -> list[int]:
    """Cut times in microseconds."""
    return [span.start_us for span in shots_of(path).shots[1:]]


def frames_of(path: Path) -> list[int]:
    video = probe(path).video
    assert video is not None
    return [round(at * video.frame_rate / 1_000_000) for at in cuts(path)]


def test_hard_cuts_are_found_to_the_frame(make_clip: MakeClip) -> None:
    path = make_clip(frames=[scene(1)] * 20 + [scene(2)] * 7 + [scene(3)] * 23)
    assert frames_of(path) == [20, 27]
    shots = shots_of(path).shots
    assert (shots[0].start_us, shots[-1].end_us) == (0, 2_000_000)


def test_cuts_in_a_variable_rate_lie_on_the_frame_that_begins_the_shot(make_clip: MakeClip) -> None:
    ticks = [0, 20, 40, 80, 100, 180, 200, 220, 400, 420, 440, 460, 480, 500, 520]
    path = make_clip("vfr.mkv", frames=[scene(1)] * 8 + [scene(2)] * 7, ticks=ticks)
    assert cuts(path) == [pytest.approx(400 / 600 * 1e6, abs=1000)]


def test_a_cut_is_found_to_the_frame_in_a_file_that_keeps_no_times_to_show_pictures_at(make_clip: MakeClip) -> None:
    reordering = {"preset": "medium", "x264-params": "bframes=3:b-adapt=0:scenecut=0"}
    frames = [np.roll(scene(1 + number // 31), number, axis=1) for number in range(62)]
    path = make_clip("clip.avi", frames=frames, encoder=reordering)
    assert frames_of(path) == [31]
    video = probe(path).video
    assert video is not None
    assert (video.start_pts, video.end_pts, video.frame_count) == (0, 62, 62)


def test_a_flash_is_no_cut(make_clip: MakeClip) -> None:
    white = np.full_like(scene(1), 250)
    assert cuts(make_clip(frames=[scene(1)] * 20 + [white] * 3 + [scene(1)] * 20)) == []


def test_a_change_of_light_is_no_cut(make_clip: MakeClip) -> None:
    darker = (scene(1) * 0.55).astype(np.uint8)
    assert cuts(make_clip(frames=[scene(1)] * 20 + [darker] * 20)) == []


def test_a_title_is_no_cut(make_clip: MakeClip) -> None:
    titled = scene(1).copy()
    titled[70:85, 10:110] = 255
    assert cuts(make_clip(frames=[scene(1)] * 20 + [titled] * 20)) == []


def test_a_dissolve_is_a_range_and_divides_in_its_middle(make_clip: MakeClip) -> None:
    blend = [(scene(1) * (1 - n / 16) + scene(2) * (n / 16)).astype(np.uint8) for n in range(1, 16)]
    path = make_clip(frames=[scene(1)] * 20 + blend + [scene(2)] * 20)
    shots = shots_of(path)
    (dissolve,) = shots.gradual
    assert dissolve.kind is TransitionKind.DISSOLVE
    assert (dissolve.start_us, dissolve.end_us) == (pytest.approx(800_000, abs=80_000), pytest.approx(1.4e6, abs=8e4))
    assert frames_of(path) == [pytest.approx(27, abs=2)]


def test_a_wipe_is_a_range(make_clip: MakeClip) -> None:
    def wiped(step: int) -> np.ndarray:
        frame = scene(1).copy()
        frame[:, : step * frame.shape[1] // 12] = scene(2)[:, : step * frame.shape[1] // 12]
        return frame

    path = make_clip(frames=[scene(1)] * 20 + [wiped(step) for step in range(1, 12)] + [scene(2)] * 20)
    (wipe,) = shots_of(path).gradual
    assert wipe.kind is TransitionKind.WIPE
    assert (wipe.start_us, wipe.end_us) == (pytest.approx(800_000, abs=80_000), pytest.approx(1.24e6, abs=8e4))


def test_a_punch_in_is_no_cut(make_clip: MakeClip) -> None:
    wide = np.asarray(cv2.GaussianBlur(scene(1, height=180, width=320), (0, 0), 6), np.uint8)
    near = np.asarray(cv2.resize(wide[23:157, 41:279], (320, 180)), np.uint8)
    assert cuts(make_clip(frames=[wide] * 20 + [near] * 20)) == []


def test_a_jump_in_one_half_of_a_split_screen_is_no_cut(make_clip: MakeClip) -> None:
    before, after = scene(1, height=180, width=320), scene(1, height=180, width=320).copy()
    after[:, :130] = after[:, :130] * 0.6 + scene(2, height=180, width=320)[:, :130] * 0.4
    assert cuts(make_clip(frames=[before] * 20 + [after] * 20)) == []


def test_slow_exposure_and_a_moving_camera_are_no_change_of_picture(make_clip: MakeClip) -> None:
    wide = scene(3, height=180, width=480)
    brighter = [np.clip(wide[:, :320] * (1 + n / 40), 0, 255).astype(np.uint8) for n in range(20)]
    panned = [np.clip(wide[:, n * 4 : n * 4 + 320] * 1.5, 0, 255).astype(np.uint8) for n in range(40)]
    path = make_clip(frames=brighter + panned)
    shots = shots_of(path)
    assert (len(shots.shots), shots.gradual) == (1, ())


def test_fading_through_black_divides_in_the_middle_of_the_black(make_clip: MakeClip) -> None:
    def faded(number: int, share: float) -> np.ndarray:
        return (scene(number) * share).astype(np.uint8)

    down = [faded(1, 1 - step / 12) for step in range(13)]
    up = [faded(2, step / 12) for step in range(13)]
    path = make_clip(frames=[scene(1)] * 15 + down + [np.zeros_like(scene(1))] * 4 + up + [scene(2)] * 15)
    (middle,) = frames_of(path)
    assert 27 <= middle <= 33


@pytest.mark.parametrize("length", [8, 15, 25])
def test_fading_through_white_divides_in_it(make_clip: MakeClip, length: int) -> None:
    def faded(number: int, share: float) -> np.ndarray:
        return (scene(number) * share + 250 * (1 - share)).astype(np.uint8)

    out = [faded(1, 1 - step / length) for step in range(1, length + 1)]
    back = [faded(2, step / length) for step in range(1, length + 1)]
    path = make_clip(frames=[scene(1)] * 15 + out + [np.full_like(scene(1), 250)] * 2 + back + [scene(2)] * 15)
    (middle,) = frames_of(path)
    assert 15 + length - 3 <= middle <= 15 + length + 5
    assert {one.kind for one in shots_of(path).gradual} == {TransitionKind.FADE}


def test_a_file_without_picture_has_no_shots(make_clip: MakeClip) -> None:
    path = make_clip("sound.wav", sound=np.zeros((2, 4800), np.float32))
    assert shots_of(path).shots == ()


@pytest.mark.parametrize(
    "name",
    [
        "city_bikes_5cuts.mp4",
        "cuts_and_gradual_640x360_25fps.mp4",
        "fades_leaf_deer_wood.mp4",
        "hardcuts_labelled_640x360_25fps.mp4",
        "big_buck_bunny_0-30s_vp8.webm",
    ],
)
def test_every_labelled_cut_is_found_and_no_other(media: Path, name: str) -> None:
    truth = json.loads((media / "truth" / f"{Path(name).stem}.json").read_text())
    gradual = [(one["start_frame"], one["end_frame"]) for one in truth.get("gradual", ())]
    found = frames_of(media / "cuts" / name)
    hard = [frame for frame in found if not any(start <= frame <= end for start, end in gradual)]
    assert hard == truth["hard_cut_frames"]


@pytest.mark.parametrize("name", ["cuts_and_gradual_640x360_25fps.mp4", "fades_leaf_deer_wood.mp4"])
def test_labelled_gradual_changes_are_told_where_they_are(media: Path, name: str) -> None:
    truth = json.loads((media / "truth" / f"{Path(name).stem}.json").read_text())["gradual"]
    path = media / "cuts" / name
    video = probe(path).video
    assert video is not None
    told = shots_of(path).gradual
    kinds = {"fade_through_black": "fade", "fade_in": "fade", "fade_out": "fade"}
    assert [one.kind for one in told] == [kinds.get(one["type"], one["type"]) for one in truth]
    for one, known in zip(told, truth, strict=True):
        start, end = (float(at * video.measured_rate) / 1e6 for at in (one.start_us, one.end_us))
        assert (start, end) == (pytest.approx(known["start_frame"], abs=3), pytest.approx(known["end_frame"], abs=6))


def test_flashes_and_jump_cuts_in_real_footage(media: Path) -> None:
    assert cuts(media / "sync" / "flash_beep_30fps_90s.mp4") == []
    assert frames_of(media / "talking_heads" / "portrait_hevc_1spk_vlogger_english.mp4") == [271]
