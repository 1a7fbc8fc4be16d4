"""Loudness, silence, channels and speech of sounds whose truth is known."""

import importlib.util
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from analysis.channels import find_mix
from analysis.listening import SPEECH_RATE, record_dialogue
from analysis.probe import probe
from analysis.recording import record
from analysis.sound import measure_sound
from schemas.facts import ChannelMix, Sound
from tests.analysis.analysis_media import MakeClip, noise, tone

pytestmark = pytest.mark.media


def measured(path: Path) -> Sound:
    return measure_sound(record(path, probe(path)))


def test_loudness_of_the_calibration_tone(make_clip: MakeClip) -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS reads -23 LUFS."""
    sound = measured(make_clip("tone.wav", sound=np.repeat(tone(8, -23, frequency=1000), 2, axis=0)))
    assert sound.integrated_lufs == pytest.approx(-23.0, abs=0.1)
    assert sound.true_peak_dbtp == pytest.approx(-23.0, abs=0.2)
    assert sound.speech == ()


def test_digital_silence_has_no_loudness_and_no_speech(make_clip: MakeClip) -> None:
    sound = measured(make_clip("silence.wav", sound=np.zeros((2, 96_000), np.float32)))
    assert (sound.integrated_lufs, sound.true_peak_dbtp, sound.noise_floor_dbfs) == (None, None, None)
    assert sound.speech == ()
    assert [(span.start_us, span.end_us) for span in sound.silences] == [(0, 2_000_000)]
    assert sound.room_tone is None


def test_silences_lie_between_the_bursts(make_clip: MakeClip) -> None:
    samples = noise(4, -60)
    for start in (1.0, 2.5):
        samples[:, round(start * 48_000) : round((start + 0.5) * 48_000)] += tone(0.5, -20)
    sound = measured(make_clip("bursts.wav", sound=samples, layout="mono"))
    borders = [round(edge / 1e6, 2) for span in sound.silences for edge in (span.start_us, span.end_us)]
    assert borders == pytest.approx([0, 1.0, 1.5, 2.5, 3.0, 4.0], abs=0.021)
    assert sound.noise_floor_dbfs == pytest.approx(-65, abs=2)  # of a white noise at -60, what 16 kHz can hold
    assert sound.room_tone is not None
    assert sound.room_tone.duration_us > 800_000


@pytest.mark.parametrize("offset", [0.003, -0.06])
def test_a_constant_that_a_cheap_interface_adds_is_no_noise(make_clip: MakeClip, offset: float) -> None:
    samples = noise(4, -60)
    samples[:, 48_000:72_000] += tone(0.5, -20)
    true = measured(make_clip("true.wav", sound=samples, layout="mono"))
    moved = measured(make_clip("moved.wav", sound=samples + np.float32(offset), layout="mono"))
    assert moved.noise_floor_dbfs == pytest.approx(true.noise_floor_dbfs, abs=0.5)
    assert moved.silences == true.silences


@pytest.mark.parametrize(
    ("gains", "mix"),
    [
        pytest.param((1.0, 0.0), ChannelMix.LEFT, id="left only"),
        pytest.param((0.001, 1.0), ChannelMix.RIGHT, id="crosstalk in the left"),
        pytest.param((1.0, -1.0), ChannelMix.DIFFERENCE, id="one channel inverted"),
        pytest.param((1.0, 0.5), ChannelMix.ALL, id="off centre"),
    ],
)
def test_finds_which_channels_carry_the_sound(make_clip: MakeClip, gains: tuple[float, float], mix: ChannelMix) -> None:
    path = make_clip("channels.wav", sound=noise(2, -30) * np.array(gains, np.float32)[:, None])
    assert find_mix(path, probe(path)) is mix


def test_sound_is_placed_on_the_media_clock(tmp_path: Path) -> None:
    """A gap in the time stamps stays a gap: what comes after it is heard where it belongs."""
    path = tmp_path / "gap.mka"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for start_s, burst in ((0, tone(0.5, -12)), (2, tone(0.5, -12))):
            for offset in range(0, burst.shape[1], 4608):
                block = (burst[:, offset : offset + 4608] * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="s16", layout="mono")
                frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
                frame.pts = start_s * 48_000 + offset
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    wave = record_dialogue(path, probe(path), ChannelMix.ALL)
    heard = np.flatnonzero(np.abs(wave) > 1000) / SPEECH_RATE
    assert heard[heard < 1].max() == pytest.approx(0.5, abs=0.03)
    assert heard[heard > 1].min() == pytest.approx(2.0, abs=0.03)


def test_resampling_does_not_move_a_click(make_clip: MakeClip) -> None:
    samples = np.zeros((1, 48_000), np.float32)
    samples[0, 24_000:24_006] = 0.9
    path = make_clip("click.wav", sound=samples, layout="mono")
    wave = record_dialogue(path, probe(path), ChannelMix.ALL)
    assert int(np.abs(wave).argmax()) / SPEECH_RATE == pytest.approx(0.5, abs=0.0002)


@pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="no speech synthesiser here")
@pytest.mark.parametrize("gain_db", [0, -40])
def test_speech_is_found_loud_or_faint(make_clip: MakeClip, gain_db: int) -> None:
    from demo import SCRIPT  # noqa: PLC0415  # only where there is a synthesiser
    from demo.talk_sound import in_room, say  # noqa: PLC0415

    talk = say(SCRIPT[:3])
    faint = (in_room(talk) * 10 ** (gain_db / 20))[None].astype(np.float32)
    sound = measured(make_clip("talk.wav", sound=faint, layout="mono"))
    first, last = talk.words[0].word, talk.words[-1].word
    assert sound.speech[0].start_us / 1e6 == pytest.approx(first.start_s, abs=0.15)
    assert sound.speech[-1].end_us / 1e6 == pytest.approx(last.end_s, abs=0.2)
    for start_s, end_s in talk.pauses:
        assert any(
            span.start_us / 1e6 < start_s + 0.12 and span.end_us / 1e6 > end_s - 0.12 for span in sound.silences
        ), (start_s, end_s)


def test_labelled_silences(media: Path) -> None:
    sound = measured(media / "talking_heads" / "greenscreen_timecode_voice_pauses.mp4")
    for start_s, end_s in ((0.64, 1.32), (13.02, 13.87), (17.3, 39.97)):
        assert any(
            span.start_us / 1e6 < start_s + 0.15 and span.end_us / 1e6 > end_s - 0.1 for span in sound.silences
        ), (start_s, end_s)
    assert [span for span in sound.speech if 17.5 < span.start_us / 1e6 < 39.5] == []
