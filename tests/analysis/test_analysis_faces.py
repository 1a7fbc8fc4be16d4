"""Faces found, followed, and left out where there are none."""

import json
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from analysis.detectors import Box, YuNetDetector, overlap
from analysis.faces import STEP_US, Linker, Sighting
from analysis.models import YUNET, YUNET_DYNAMIC, find_centerface
from tests.analysis.analysis_media import MakeClip, faces_of, scene

pytestmark = pytest.mark.media


def box(left: float, *, score: float = 0.9) -> Box:
    return Box(left=left, top=0.2, width=0.2, height=0.3, eyes_y=0.3, score=score)


def seen(left: float, *, score: float = 0.9) -> Sighting:
    return Sighting(box(left, score=score))


def test_a_moving_face_is_one_track_and_a_second_face_another() -> None:
    linker = Linker()
    for step in range(8):
        linker.add(step * STEP_US, [seen(0.1 + 0.02 * step), seen(0.7)])
    assert [len(track.samples) for track in linker.tracks()] == [8, 8]


def test_a_cut_ends_every_track() -> None:
    linker = Linker()
    for step in range(6):
        if step == 3:
            linker.cut()
        linker.add(step * STEP_US, [seen(0.1)])
    assert [track.samples[0].at_us for track in linker.tracks()] == [0, 3 * STEP_US]


def told(*agreed: float, score: float = 0.7) -> int:
    """How many tracks are told of something that was found in one search after the other."""
    linker = Linker()
    for step, one in enumerate(agreed):
        linker.add(step * STEP_US, [Sighting(box(0.1, score=score), agreed=one)])
    return len(linker.tracks())


def test_what_only_looks_like_a_face_is_none_however_long_it_stays() -> None:
    assert told(0.3) == told(0.6, 0.5) == told(*[0.2] * 20) == 0


def test_a_small_face_or_one_in_profile_is_told() -> None:
    assert told(0.8) == told(0.4, 0.5, 0.6) == told(0.1, score=0.9) == 1


def test_a_doubtful_face_is_told_where_one_was_seen_in_the_same_shot() -> None:
    linker = Linker()
    linker.add(0, [seen(0.1)])
    for step in (8, 9):
        linker.add(step * STEP_US, [Sighting(box(left, score=0.7), agreed=0.2) for left in (0.12, 0.6)])
    assert [track.samples[0].left for track in linker.tracks()] == [0.1, 0.12]
    linker.cut()
    for step in (12, 13):
        linker.add(step * STEP_US, [Sighting(box(0.12, score=0.7), agreed=0.2)])
    assert len(linker.tracks()) == 2


def test_crockery_is_no_face(media: Path, make_clip: MakeClip, face_models: Path) -> None:
    with av.open(str(media / "broll" / "coffee_pour_720p.mp4")) as film:
        pictures = [one.to_ndarray(format="rgb24")[206:, 366:] for one in islice(film.decode(video=0), 30, 120)]
    assert faces_of(make_clip(frames=pictures, rate=30), face_models, detector="yunet").tracks == ()


def test_overlap_is_symmetric_and_one_for_the_same() -> None:
    assert overlap(box(0.1), box(0.1)) == pytest.approx(1)
    assert overlap(box(0.1), box(0.2)) == overlap(box(0.2), box(0.1)) == pytest.approx(1 / 3)
    assert overlap(box(0.0), box(0.5)) == 0


def test_without_a_detector_the_note_says_so(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(frames=[scene(1)] * 5)
    faces = faces_of(path, tmp_path, detector="none")
    assert faces.detector is None
    assert faces.tracks == ()
    assert faces.note is not None


@pytest.mark.parametrize("detector", ["yunet", "centerface"])
@pytest.mark.parametrize("turn", [None, 90.0])
def test_an_astronaut_is_seen_where_she_is(
    make_clip: MakeClip, request: pytest.FixtureRequest, tmp_path: Path, detector: str, turn: float | None
) -> None:
    data = pytest.importorskip("skimage.data", reason="no picture of a face here")
    if detector == "centerface" and find_centerface() is None:
        pytest.skip("no CenterFace here (the offline extra brings it)")
    models = request.getfixturevalue("face_models") if detector == "yunet" else tmp_path
    astronaut = np.asarray(data.astronaut())[:400]
    stored = astronaut if turn is None else np.rot90(astronaut, k=-1)
    path = make_clip("face.mp4", frames=[stored] * 30, turn=turn)
    faces = faces_of(path, models, detector=detector)
    (track,) = faces.tracks
    assert len(track.samples) >= 4
    for sample in track.samples:
        assert 0.30 < sample.left + sample.width / 2 < 0.55  # her face is at x 224, eyes at y 105 of 512 by 400
        assert 0.20 < sample.eyes_y < 0.33


def test_the_model_for_one_size_and_that_for_any_answer_alike(face_models: Path) -> None:
    data = pytest.importorskip("skimage.data", reason="no picture of a face here")
    picture = np.ascontiguousarray(np.asarray(data.astronaut())[:400, :, ::-1])
    fixed, free = (YuNetDetector(face_models / one.name).detect(picture) for one in (YUNET, YUNET_DYNAMIC))
    assert len(free) == 1
    assert fixed == free


def test_random_blocks_have_no_face(make_clip: MakeClip, face_models: Path) -> None:
    path = make_clip(frames=[scene(n // 10, height=360, width=640) for n in range(30)])
    faces = faces_of(path, face_models, detector="yunet")
    assert (faces.detector, faces.tracks) == ("yunet", ())


def test_whoever_speaks_on_a_split_screen_is_told(media: Path, face_models: Path) -> None:
    name = "two_speaker_splitscreen_lipsync_1280x720_30fps"
    turns = json.loads((media / "truth" / f"{name}.json").read_text())["turns"]
    faces = faces_of(media / "composite" / f"{name}.mp4", face_models, detector="yunet")
    spoken = [(span, track.samples[0].left < 0.5) for track in faces.tracks for span in track.speaking]
    right = wrong = total = 0
    for turn in turns:
        for at_us in range(round(turn["start_s"] * 1e6), round(turn["end_s"] * 1e6), 20_000):
            told = {left for span, left in spoken if span.start_us <= at_us < span.end_us}
            total += 1
            right += told == {turn["speaker"] == "left"}
            wrong += bool(told - {turn["speaker"] == "left"})
    assert right / total > 0.85
    assert wrong == 0
