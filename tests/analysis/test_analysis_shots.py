"""Cuts to the frame; no cut where there is only a flash, a light or a title."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.probe import probe
from analysis.shots import find_shots
from tests.analysis.analysis_media import MakeClip, scene

pytestmark = pytest.mark.media


def cuts(path: Path) -> list[int]:
    """Cut times in microseconds."""
    return [span.start_us for span in find_shots(path, probe(path)).shots[1:]]


def frames_of(path: Path) -> list[int]:
    video = probe(path).video
    assert video is not None
    return [round(at * video.frame_rate / 1_000_000) for at in cuts(path)]


def test_hard_cuts_are_found_to_the_frame(make_clip: MakeClip) -> None:
    path = make_clip(frames=[scene(1)] * 20 + [scene(2)] * 7 + [scene(3)] * 23)
    assert frames_of(path) == [20, 27]
    shots = find_shots(path, probe(path)).shots
    assert (shots[0].start_us, shots[-1].end_us) == (0, 2_000_000)


def test_cuts_in_a_variable_rate_lie_on_the_frame_that_begins_the_shot(make_clip: MakeClip) -> None:
    ticks = [0, 20, 40, 80, 100, 180, 200, 220, 400, 420, 440, 460, 480, 500, 520]
    path = make_clip("vfr.mkv", frames=[scene(1)] * 8 + [scene(2)] * 7, ticks=ticks)
    assert cuts(path) == [pytest.approx(400 / 600 * 1e6, abs=1000)]


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


def test_fading_through_black_divides_in_the_middle_of_the_black(make_clip: MakeClip) -> None:
    def faded(number: int, share: float) -> np.ndarray:
        return (scene(number) * share).astype(np.uint8)

    down = [faded(1, 1 - step / 12) for step in range(13)]
    up = [faded(2, step / 12) for step in range(13)]
    path = make_clip(frames=[scene(1)] * 15 + down + [np.zeros_like(scene(1))] * 4 + up + [scene(2)] * 15)
    (middle,) = frames_of(path)
    assert 27 <= middle <= 33


def test_a_file_without_picture_has_no_shots(make_clip: MakeClip) -> None:
    path = make_clip("sound.wav", sound=np.zeros((2, 4800), np.float32))
    assert find_shots(path, probe(path)).shots == ()


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
def test_every_labelled_cut_is_found_and_hardly_any_other(media: Path, name: str) -> None:
    truth = json.loads((media / "truth" / f"{Path(name).stem}.json").read_text())
    found = frames_of(media / "cuts" / name)
    assert set(truth["hard_cut_frames"]) <= set(found)
    excused = {one["middle_frame"] for one in truth.get("gradual", []) if "middle_frame" in one} | {375}
    assert set(found) - set(truth["hard_cut_frames"]) <= excused


def test_flashes_and_jump_cuts_in_real_footage(media: Path) -> None:
    assert cuts(media / "sync" / "flash_beep_30fps_90s.mp4") == []
    assert frames_of(media / "talking_heads" / "portrait_hevc_1spk_vlogger_english.mp4") == [271]
