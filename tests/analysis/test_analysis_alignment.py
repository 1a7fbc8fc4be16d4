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


def test_drift_is_found_over_the_length() -> None:
    said, ppm = talking(120, 4), 80.0
    times = np.arange(round(len(said) * (1 + ppm / 1e6))) / (1 + ppm / 1e6)
    track = np.interp(times, np.arange(len(said)), said)
    offset_us, drift_ppm, _ = align_waves(recorded(track, seed=5), recorded(said, seed=6))
    assert drift_ppm == pytest.approx(ppm, abs=10)
    assert abs(offset_us) < 5000


def test_another_recording_does_not_correlate() -> None:
    _, _, correlation = align_waves(recorded(talking(30, 7), seed=8), recorded(talking(30, 9), seed=10))
    assert correlation < 0.5


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
