"""What the demo is directed from: made once, whole, and as described."""

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from analysis import run_analyzer
from demo import Footage, Line, Recipe, make_footage
from demo.footage import FILES, MANIFEST
from demo.talk_sound import MIC_OFFSET_S, SAMPLE_RATE
from demo.voice import VoiceError
from schemas.analysing import AnalysisRequest
from schemas.facts import Faces
from schemas.media import AssetKind
from schemas.progress import ignore_progress

pytestmark = pytest.mark.media


def test_each_file_is_what_a_camera_or_recorder_would_leave(short_footage: Footage) -> None:
    assert _picture(short_footage.talk) == (1920, 1080, 30)
    assert _picture(short_footage.city) == (1280, 720, 25)
    assert _picture(short_footage.screen) == (1440, 900, 30)
    assert _sound_streams(short_footage.talk) == _sound_streams(short_footage.microphone) == 1
    assert _sound_streams(short_footage.screen) == 0


def test_picture_and_sound_of_the_talk_last_as_long_as_its_words_say(short_footage: Footage) -> None:
    duration_s = _truth(short_footage)["duration_s"]
    assert _frames(short_footage.talk) == pytest.approx(duration_s * 30, abs=1)
    assert len(_sound(short_footage.talk)) / SAMPLE_RATE == pytest.approx(duration_s, abs=0.05)


def test_words_are_heard_where_the_truth_says(short_footage: Footage) -> None:
    """Loud in every word, quiet in every pause, and never digital silence."""
    sound, truth = _sound(short_footage.talk), _truth(short_footage)
    words = truth["words"]
    assert " ".join(word["text"] for word in words) == " ".join(line["text"] for line in truth["sentences"])
    assert all(_level_dbfs(sound, word["start_s"], word["end_s"]) > -40 for word in words)
    for before, after in pairwise(words):
        if after["start_s"] - before["end_s"] > 0.3:
            assert -70 < _level_dbfs(sound, before["end_s"] + 0.05, after["start_s"] - 0.05) < -50


def test_the_broken_off_sentence_is_marked(short_footage: Footage) -> None:
    abandoned = [word["text"] for word in _truth(short_footage)["words"] if word["abandoned"]]
    assert abandoned == ["Look", "at", "the"]


def test_the_microphone_hears_the_same_later(short_footage: Footage) -> None:
    camera, microphone = _sound(short_footage.talk), _sound(short_footage.microphone)
    size = len(camera) + len(microphone)
    likeness = np.fft.irfft(np.fft.rfft(microphone, size) * np.conj(np.fft.rfft(camera, size)))
    assert int(likeness.argmax()) / SAMPLE_RATE == pytest.approx(MIC_OFFSET_S, abs=0.001)
    assert _truth(short_footage)["microphone_offset_s"] == MIC_OFFSET_S


def test_a_face_detector_follows_the_speaker_across_the_picture(short_footage: Footage, tmp_path: Path) -> None:
    parameters = {"detector": "centerface"}
    request = AnalysisRequest(analyzer="faces", path=short_footage.talk, kind=AssetKind.A_ROLL, parameters=parameters)
    faces = Faces.model_validate(run_analyzer(request, ignore_progress, tmp_path).model_dump())
    samples = [sample for track in faces.tracks for sample in track.samples]
    expected = _truth(short_footage)["duration_s"] * 1_000_000 / faces.step_us
    assert len({sample.at_us for sample in samples}) >= 0.95 * expected - 1
    middles = [sample.left + sample.width / 2 for sample in samples]
    assert min(middles) == pytest.approx(1 / 3, abs=0.05)
    assert max(middles) == pytest.approx(2 / 3, abs=0.05)


def test_made_once(short_footage: Footage, recipe: Recipe) -> None:
    steps: list[str] = []
    again = make_footage(short_footage.talk.parent, recipe, steps.append)
    assert short_footage.made
    assert not again.made
    assert not steps


def test_made_again_byte_for_byte_where_a_file_is_damaged(
    short_footage: Footage, recipe: Recipe, tmp_path: Path
) -> None:
    for name in (*FILES, MANIFEST):
        (tmp_path / name).write_bytes((short_footage.talk.parent / name).read_bytes())
    (tmp_path / "city.mp4").write_bytes(b"cut short")
    again = make_footage(tmp_path, recipe)
    assert again.made
    assert [_sha256(tmp_path / name) for name in FILES] == [_sha256(short_footage.talk.parent / name) for name in FILES]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((*FILES, MANIFEST))


def test_a_failure_leaves_what_was_there_and_nothing_half_made(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / "talk.mp4").write_bytes(b"of an earlier version")
    with pytest.raises(VoiceError):
        make_footage(tmp_path, replace(recipe, script=(Line(" ", 1.0),)))
    assert [path.name for path in tmp_path.iterdir()] == ["talk.mp4"]
    assert (tmp_path / "talk.mp4").read_bytes() == b"of an earlier version"


def _truth(footage: Footage) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads(footage.talk_words.read_text())
    return truth


def _picture(path: Path) -> tuple[int, int, float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, float(stream.average_rate or 0)


def _frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def _sound_streams(path: Path) -> int:
    with av.open(str(path)) as container:
        return len(container.streams.audio)


def _sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in (*frames, *resampler.resample(None))])


def _level_dbfs(sound: np.ndarray, start_s: float, end_s: float) -> float:
    part = sound[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]
    return float(10 * np.log10(np.mean(part**2)))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
