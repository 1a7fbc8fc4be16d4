"""A separate recording found against the camera's, offset and drift."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import run_analyzer, run_analyzers
from analysis.alignment import AlignmentParameters, align, align_waves
from analysis.listening import SPEECH_RATE, Waveform
from analysis.probe import probe
from analysis.recording import hear_dialogue
from demo.talk_sound import VOICE
from demo.voice import speak_all
from schemas.analysing import AnalysisRequest
from schemas.facts import Alignment
from schemas.media import AssetKind
from schemas.progress import ignore_progress
from tests.analysis.analysis_media import MakeClip, noise, scene

pytestmark = pytest.mark.media


def talking(seconds: float, seed: int) -> NDArray[np.float64]:
    """Noise in syllables: bursts of irregular length and loudness, as speech has."""
    random = np.random.default_rng(seed)
    samples = random.standard_normal(round(seconds * SPEECH_RATE)) * 0.002
    position = 0
    while position < len(samples):
        length = int(random.integers(1500, 6000))
        samples[position : position + length] *= random.uniform(20, 100)
        position += length + int(random.integers(800, 9000))
    return samples


def recorded(samples: NDArray[np.float64], *, seed: int) -> NDArray[np.int16]:
    room = np.random.default_rng(seed).standard_normal(len(samples)) * 0.002
    return np.asarray(np.clip(samples + room, -1, 1) * 32767, np.int16)


def heard(path: Path) -> Waveform:
    return hear_dialogue(path, probe(path)).wave


@pytest.mark.parametrize("offset_s", [1.234, -3.21, 0.0])
def test_offset_is_found_within_five_milliseconds(offset_s: float) -> None:
    said = talking(40, 1)
    shift = round(offset_s * SPEECH_RATE)
    track = np.concatenate((np.zeros(shift), said)) if shift >= 0 else said[-shift:]
    offset_us, drift_ppm, correlation = align_waves(recorded(track, seed=2), recorded(said, seed=3))
    assert offset_us == pytest.approx(offset_s * 1e6, abs=5000)
    assert abs(drift_ppm) < 5
    assert correlation > 0.5


def stretched(samples: NDArray[np.float64], ppm: float) -> NDArray[np.float64]:
    """As a clock records it that runs faster by so much."""
    times = np.arange(round(len(samples) * (1 + ppm / 1e6))) / (1 + ppm / 1e6)
    return np.interp(times, np.arange(len(samples)), samples)


def test_drift_is_found_over_the_length() -> None:
    said, ppm = talking(120, 4), 80.0
    track = stretched(said, ppm)
    offset_us, drift_ppm, _ = align_waves(recorded(track, seed=5), recorded(said, seed=6))
    assert drift_ppm == pytest.approx(ppm, abs=10)
    assert abs(offset_us) < 5000


def test_a_track_that_drifts_by_half_a_second_is_known_for_what_it_is() -> None:
    said, ppm = talking(1500, 4), 333.0
    offset_us, drift_ppm, correlation = align_waves(recorded(stretched(said, ppm), seed=5), recorded(said, seed=6))
    end_off_us = offset_us + (drift_ppm - ppm) * 1500
    assert abs(offset_us) < 5000
    assert abs(end_off_us) < 5000
    assert correlation > 0.9


@pytest.mark.parametrize("seconds", [40, 100])
def test_a_track_at_another_speed_is_not_laid_over_the_picture(seconds: int) -> None:
    """Sound that was pulled down for film runs 1000 ppm slow: wherever it is put, most of it is out of time."""
    said = talking(seconds, 4)
    _, _, correlation = align_waves(recorded(stretched(said, -999), seed=5), recorded(said, seed=6))
    assert correlation == 0


def test_a_microphone_wired_the_other_way_round_is_in_time() -> None:
    said = talking(60, 4)
    tone = np.convolve(said, np.sin(np.arange(160) * 0.06), "same") / 20  # mostly 150 Hz, so that half a wave is 3 ms
    offset_us, drift_ppm, correlation = align_waves(recorded(-tone, seed=5), recorded(tone, seed=6))
    assert abs(offset_us) < 500
    assert abs(drift_ppm) < 5
    assert correlation > 0.9


@pytest.mark.parametrize("seconds", [1, 3, 10])
def test_another_recording_is_not_taken_for_the_same_however_short(seconds: int) -> None:
    others = [
        align_waves(recorded(talking(seconds, seed), seed=8), recorded(talking(30, 9), seed=10)) for seed in range(5)
    ]
    assert [correlation for _, _, correlation in others] == [0] * 5


@pytest.fixture(scope="module")
def spoken() -> NDArray[np.float64]:
    """Two minutes of an even voice; no sentence is said twice."""
    random = np.random.default_rng(1)
    words = ("light", "glass", "water", "camera", "never", "seven", "morning", "under", "window", "table", "follow")
    sentences = [" ".join(random.permutation(words)) + "." for _ in range(22)]
    said = []
    for utterance in speak_all(sentences, VOICE):
        count = round(len(utterance.samples) * SPEECH_RATE / utterance.sample_rate)
        times = np.arange(count) * utterance.sample_rate / SPEECH_RATE
        said += [np.interp(times, np.arange(len(utterance.samples)), utterance.samples), np.zeros(6000)]
    return np.concatenate(said)


def in_room(said: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """As a camera hears it across a room whose echoes are together as loud as the voice."""
    random = np.random.default_rng(seed)
    dying = np.exp(-6.9 * np.arange(8000) / 8000)
    echoes = random.standard_normal(8000) * dying
    echoes[0] = np.sqrt(np.sum(echoes[1:] ** 2))
    size = 1 << (len(said) + 8000).bit_length()
    heard_there = np.fft.irfft(np.fft.rfft(said, size) * np.fft.rfft(echoes, size), size)[: len(said)]
    return np.asarray(heard_there / np.abs(heard_there).max() / 2)


@pytest.mark.parametrize("seconds", [5, 20])
def test_short_clips_of_an_echoing_room_are_found_in_a_long_recording(
    spoken: NDArray[np.float64], seconds: int
) -> None:
    """Where the echoes of an even voice are as loud as itself, it may be more like itself one period of it later."""
    track = recorded(spoken, seed=2)
    for number, at_s in enumerate(np.linspace(3.3, len(spoken) / SPEECH_RATE - seconds, 8)):
        start = round(at_s * SPEECH_RATE)
        camera = in_room(spoken[start : start + seconds * SPEECH_RATE], seed=number)
        offset_us, _, correlation = align_waves(track, recorded(camera, seed=3))
        assert offset_us == pytest.approx(start / SPEECH_RATE * 1e6, abs=5000)
        assert correlation > 0.5


def test_a_track_is_held_against_several_references_alike_alone_and_together(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    said = np.repeat(talking(20, 11), 3)[None].astype(np.float32)
    microphone = make_clip("mic.wav", sound=said, layout="mono")
    cameras = [
        make_clip(f"camera{number}.mov", frames=[scene(1)] * 25, sound=said[:, first:last], layout="mono")
        for number, (first, last) in enumerate(((0, 400_000), (480_000, 900_000)))
    ]
    asked = [
        AnalysisRequest(
            analyzer="alignment",
            path=microphone,
            kind=AssetKind.AUDIO,
            reference=camera,
            parameters={"reference_sha256": str(number) * 64},
        )
        for number, camera in enumerate(cameras)
    ]
    told: list[float] = []
    together = run_analyzers(asked, told.append, tmp_path)
    assert together == tuple(run_analyzer(one, ignore_progress, tmp_path) for one in asked)
    aligned = [one for one in together if isinstance(one, Alignment)]
    assert [one.reference_sha256[0] for one in aligned] == ["0", "1"]
    assert [one.offset_us for one in aligned] == [pytest.approx(0, abs=5000), pytest.approx(10_000_000, abs=5000)]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_files_are_aligned_and_the_reference_named(make_clip: MakeClip) -> None:
    said = np.repeat(talking(12, 11), 3)[None].astype(np.float32)
    camera = make_clip("camera.mov", frames=[scene(1)] * 25, sound=said, layout="mono")
    microphone = make_clip(
        "mic.wav", sound=np.concatenate((np.zeros((1, 24_000), np.float32), said), axis=1), layout="mono"
    )
    found = align(heard(microphone), camera, None, AlignmentParameters())
    assert found.offset_us == pytest.approx(500_000, abs=5000)
    assert found.reference_sha256 == hashlib.sha256(camera.read_bytes()).hexdigest()


def test_a_film_that_cannot_be_heard_is_no_fault_of_the_track(make_clip: MakeClip, tmp_path: Path) -> None:
    microphone = heard(make_clip("mic.wav", sound=noise(1, -30), layout="mono"))
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(b"nothing that could be heard")
    for film in (make_clip("film.mp4", frames=[scene(1)] * 25), torn):
        assert align(microphone, film, None, AlignmentParameters()).correlation == 0
