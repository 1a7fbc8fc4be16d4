"""A separate recording found against the camera's, offset and drift."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.alignment import AlignmentParameters, align, align_waves
from analysis.listening import SPEECH_RATE
from analysis.probe import probe
from schemas.errors import ErrorCode, MediaRefused
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


def test_files_are_aligned_and_the_reference_named(make_clip: MakeClip) -> None:
    said = np.repeat(talking(12, 11), 3)[None].astype(np.float32)
    camera = make_clip("camera.mov", frames=[scene(1)] * 25, sound=said, layout="mono")
    microphone = make_clip(
        "mic.wav", sound=np.concatenate((np.zeros((1, 24_000), np.float32), said), axis=1), layout="mono"
    )
    found = align(microphone, probe(microphone), camera, AlignmentParameters())
    assert found.offset_us == pytest.approx(500_000, abs=5000)
    assert found.reference_sha256 == hashlib.sha256(camera.read_bytes()).hexdigest()


def test_a_silent_film_cannot_be_a_reference(make_clip: MakeClip) -> None:
    film = make_clip("film.mp4", frames=[scene(1)] * 25)
    microphone = make_clip("mic.wav", sound=noise(1, -30), layout="mono")
    with pytest.raises(MediaRefused) as refused:
        align(microphone, probe(microphone), film, AlignmentParameters())
    assert refused.value.code is ErrorCode.MEDIA_NO_STREAMS
