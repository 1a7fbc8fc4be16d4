"""Sound where and as loud as the edit says, as heard by whoever decodes the finished file."""

import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from render.loudness import LoudnessMeter
from render.mix import PcmFile, envelope
from render.sounds import SoundReader
from render.soundtrack import mix_timeline
from render.timeline import Heard
from schemas.edl import EDL, NOISE_REDUCTION_DB, AudioRole, AudioTrack, Caption, CaptionStyle, GainKey, SourceAudio
from schemas.facts import ChannelMix
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest
from tests.render.render_media import (
    Media,
    Writer,
    audio_clip,
    describe,
    edit,
    lumas,
    run,
    samples,
    shared_media,
    video_clip,
    yuv_frame,
)

pytestmark = pytest.mark.media

RATE = Fraction(30)
Stereo = NDArray[np.float32]


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> Stereo:
    return (
        (np.random.default_rng(seed).standard_normal((2, round(seconds * 48_000))) * level)
        .astype(np.float32)
        .clip(-1, 1)
    )


def sound_of(folder: Path, wave: Stereo, name: str = "sound.wav", identifier: str = "s", **more: object) -> Media:
    path = folder / name
    Writer(path).write(sound=wave, **more)  # type: ignore[arg-type]
    return describe(path, identifier)


def mixed(edl: EDL, media: list[Media], folder: Path) -> Stereo:
    """The mix before mastering: bit for bit what the edit says."""
    total = round(edl.duration / edl.rate * 48_000)
    with PcmFile(folder / "mix.f32", total) as target:
        sources = {m.source.id: m.path for m in media}
        mix_timeline(RenderRequest(edl=edl, sources=sources, folder=folder), target, ignore_progress)
        return target.read(0, total)


def loudness(wave: Stereo) -> tuple[float | None, float | None]:
    meter = LoudnessMeter()
    meter.push(wave)
    result = meter.result()
    return result.integrated_lufs, result.true_peak_dbtp


def test_every_sample_lies_where_the_edit_puts_it(counted: Media, tmp_path: Path) -> None:
    wave = noise(10)
    source = sound_of(tmp_path, wave)
    firsts = [30, 200, 10, 100]
    sound = [audio_clip(source, 15 * n, 15, first, RATE) for n, first in enumerate(firsts)]
    edl = edit([counted, source], [video_clip(counted, 0, 60, 0, RATE)], sound)
    expected = np.concatenate([wave[:, first * 1600 : (first + 15) * 1600] for first in firsts], axis=1)
    assert np.abs(mixed(edl, [counted, source], tmp_path) - expected).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "codec", "sample_rate"),
    [
        ("a.m4a", "aac", 48_000),
        ("a.m4a", "aac", 44_100),
        ("a.mkv", "libopus", 48_000),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.flac", "flac", 32_000),
        ("a.wav", "pcm_s24le", 96_000),
        ("a.ts", "aac", 48_000),
        ("a.ogg", "libopus", 48_000),
    ],
)
def test_reading_after_a_jump_gives_the_samples_that_lie_there(
    name: str, codec: str, sample_rate: int, tmp_path: Path
) -> None:
    at = np.arange(8 * sample_rate) / sample_rate
    chirp = (0.5 * np.sin(2 * np.pi * (200 + 150 * at) * at)).astype(np.float32)
    source = sound_of(tmp_path, np.stack([chirp, chirp]), name, sound_codec=codec, sound_rate=sample_rate)
    straight = SoundReader(source.source, source.path)
    whole = straight.read(0, 7 * 48_000)
    straight.close()
    reader = SoundReader(source.source, source.path)
    for start in (5 * 48_000 + 77, 48_000 + 13, 6 * 48_000, 100_000):
        part = reader.read(start, 9600)
        # Matroska and MPEG-TS keep time to the millisecond or coarser, so a jump may land a little beside.
        errors = [np.abs(part - whole[:, start + by : start + by + 9600]).max() for by in range(-50, 51)]
        assert min(errors) < 0.1, start
    reader.close()


def test_sound_that_starts_late_is_silent_until_then(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with_picture = [(pts, yuv_frame(np.full((64, 64), 100, np.uint8))) for pts in (0, 270_000)]
    Writer(path).write(with_picture, (64, 64), sound=noise(2, 0.2), sound_start=48_000)
    media = describe(path)
    reader = SoundReader(media.source, path)
    wave = reader.read(0, 3 * 48_000)
    reader.close()
    begin = int(np.flatnonzero(np.abs(wave[0]) > 0)[0])
    assert begin == pytest.approx(48_000, abs=48)


@pytest.mark.parametrize(
    ("mix", "left", "right"),
    [
        (ChannelMix.ALL, 0.4, -0.2),
        (ChannelMix.LEFT, 0.4, 0.4),
        (ChannelMix.RIGHT, -0.2, -0.2),
        (ChannelMix.DIFFERENCE, 0.3, 0.3),
    ],
)
def test_channels_are_mixed_as_analysis_decided(
    mix: ChannelMix, left: float, right: float, counted: Media, tmp_path: Path
) -> None:
    wave = np.stack([np.full(96_000, 0.4), np.full(96_000, -0.2)]).astype(np.float32)
    source = sound_of(tmp_path, wave)
    audio = SourceAudio(stream_index=0, samples=96_000, channel_mix=mix)
    source = Media(source.path, source.source.model_copy(update={"audio": audio}))
    edl = edit([counted, source], [video_clip(counted, 0, 30, 0, RATE)], [audio_clip(source, 0, 30, 0, RATE)])
    heard = mixed(edl, [counted, source], tmp_path)
    assert heard[:, 100:-100].mean(axis=1) == pytest.approx([left, right], abs=0.01)


def test_the_centre_of_surround_sound_reaches_both_sides(tmp_path: Path) -> None:
    wave = np.zeros((6, 96_000), np.float32)
    wave[2] = 0.5
    source = sound_of(tmp_path, wave, layout="5.1")
    reader = SoundReader(source.source, source.path)
    heard = reader.read(24_000, 24_000)
    reader.close()
    assert (heard.mean(axis=1) > 0.3).all()


def test_mono_sounds_on_both_sides_at_full_level(tmp_path: Path) -> None:
    source = sound_of(tmp_path, np.full((1, 96_000), 0.5, np.float32), layout="mono")
    reader = SoundReader(source.source, source.path)
    assert reader.read(24_000, 24_000).mean(axis=1) == pytest.approx([0.5, 0.5], abs=0.01)
    reader.close()


def test_a_crossfade_of_unlike_sounds_keeps_its_power(counted: Media, tmp_path: Path) -> None:
    one, two = (
        sound_of(tmp_path, noise(8, 0.1, 1), "1.wav", "one"),
        sound_of(tmp_path, noise(8, 0.1, 2), "2.wav", "two"),
    )
    fade = 9600
    sound = [audio_clip(one, 0, 60, 30, RATE, fade_out=fade), audio_clip(two, 60, 60, 60, RATE, fade_in=fade)]
    edl = edit([counted, one, two], [video_clip(counted, 0, 120, 0, RATE)], sound)
    heard = mixed(edl, [counted, one, two], tmp_path)
    join = 60 * 1600
    levels = [heard[:, begin : begin + 1600].std() for begin in range(join - fade, join, 1600)]
    assert levels == pytest.approx([0.1] * len(levels), rel=0.05)


@given(fade=st.integers(1, 4000), begin=st.integers(0, 100_000), blocks=st.integers(1, 5000))
def test_fades_at_a_join_add_up_to_one_in_power_whatever_the_blocks(fade: int, begin: int, blocks: int) -> None:
    join = begin + fade
    before = Heard(start=0, begin=0, end=join, fade_in=0, fade_out=fade)
    after = Heard(start=join, begin=begin, end=join + 10_000, fade_in=fade, fade_out=0)
    keys = (np.array([0.0]), np.array([0.0]))
    count = min(blocks, fade)
    power = envelope(before, keys, begin, count) ** 2 + envelope(after, keys, begin, count) ** 2
    assert power == pytest.approx(np.ones(count), abs=1e-5)


def test_gain_moves_linearly_in_decibels(counted: Media, tmp_path: Path) -> None:
    source = sound_of(tmp_path, np.full((2, 5 * 48_000), 0.5, np.float32))
    gain = (GainKey(frame=30, gain=0), GainKey(frame=60, gain=-2000))
    sound = [audio_clip(source, 0, 90, 0, RATE, gain=gain)]
    heard = mixed(edit([counted, source], [video_clip(counted, 0, 90, 0, RATE)], sound), [counted, source], tmp_path)
    decibels = 20 * np.log10(heard[0, [0, 24_000, 48_000, 72_000, 96_000, 140_000]] / 0.5)
    assert decibels == pytest.approx([0, 0, 0, -10, -20, -20], abs=0.05)


def test_tracks_are_summed(counted: Media, tmp_path: Path) -> None:
    one = sound_of(tmp_path, np.full((2, 96_000), 0.2, np.float32), "1.wav", "one")
    two = sound_of(tmp_path, np.full((2, 96_000), 0.3, np.float32), "2.wav", "two")
    tracks = (
        AudioTrack(role=AudioRole.DIALOGUE, clips=(audio_clip(one, 0, 30, 0, RATE),)),
        AudioTrack(role=AudioRole.MUSIC, clips=(audio_clip(two, 10, 20, 0, RATE),)),
    )
    edl = edit([counted, one, two], [video_clip(counted, 0, 30, 0, RATE)]).model_copy(update={"audio": tracks})
    heard = mixed(edl, [counted, one, two], tmp_path)
    assert heard[0, 8000] == pytest.approx(0.2, abs=0.001)
    assert heard[0, 30_000] == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(
    "wave",
    [
        pytest.param(noise(6, 0.003), id="quiet noise"),
        pytest.param(noise(6, 0.4), id="loud noise"),
        pytest.param(noise(6, 0.02) * (1 + 40 * (np.arange(288_000) % 24_000 < 60)).astype(np.float32), id="clicks"),
    ],
)
def test_loudness_and_peak_after_aac(wave: Stereo, counted: Media, tmp_path: Path) -> None:
    source = sound_of(tmp_path, wave.clip(-1, 1))
    edl = edit([counted, source], [video_clip(counted, 0, 180, 0, RATE)], [audio_clip(source, 0, 180, 0, RATE)])
    result = run(edl, [counted, source], tmp_path / "o")
    integrated, peak = loudness(samples(result.video))
    assert integrated == pytest.approx(-14, abs=0.5)
    assert peak is not None
    assert peak <= -1


def test_what_had_to_be_encoded_again_is_recorded(counted: Media, tmp_path: Path) -> None:
    clicks = noise(6, 0.02) * (1 + 40 * (np.arange(288_000) % 24_000 < 60)).astype(np.float32)
    source = sound_of(tmp_path, clicks.clip(-1, 1))
    edl = edit([counted, source], [video_clip(counted, 0, 180, 0, RATE)], [audio_clip(source, 0, 180, 0, RATE)])
    correction, *more = run(edl, [counted, source], tmp_path / "o").report.corrections
    assert not more
    assert correction.name == "loudness and true peak"
    assert correction.before != correction.after
    assert correction.after.startswith("-1")


def test_a_shout_too_short_to_have_a_loudness_keeps_its_peak_all_the_same(counted: Media, tmp_path: Path) -> None:
    source = sound_of(tmp_path, noise(1, 0.9), sound_codec="pcm_f32le")
    edl = edit([counted, source], [video_clip(counted, 0, 6, 0, RATE)], [audio_clip(source, 0, 6, 0, RATE)])
    report = run(edl, [counted, source], tmp_path / "o").report
    assert report.passed
    assert report.metrics.true_peak_dbtp is not None
    assert -6 < report.metrics.true_peak_dbtp <= -1


def test_floating_point_sound_that_is_no_number_is_heard_as_silence(tmp_path: Path) -> None:
    wave = noise(2)
    wave[:, 10_000:20_000] = np.nan
    wave[:, 30_000:40_000] = np.inf
    source = sound_of(tmp_path, wave, sound_codec="pcm_f32le")
    reader = SoundReader(source.source, source.path)
    heard = reader.read(0, 96_000)
    reader.close()
    assert np.isfinite(heard).all()
    assert np.all(heard[:, 10_000:20_000] == 0)
    assert np.abs(heard[:, 50_000:] - wave[:, 50_000:]).max() < 1e-6


def test_sound_that_ends_before_the_picture_is_silent_from_there_on(counted: Media, tmp_path: Path) -> None:
    source = sound_of(tmp_path, noise(1))
    reader = SoundReader(source.source, source.path)
    heard = reader.read(24_000, 96_000)
    reader.close()
    assert np.abs(heard[:, :24_000]).max() > 0.1
    assert np.all(heard[:, 24_000:] == 0)
    edl = edit([counted, source], [video_clip(counted, 0, 120, 0, RATE)], [audio_clip(source, 0, 30, 0, RATE)])
    assert run(edl, [counted, source], tmp_path / "o").report.passed


def test_two_hours_without_a_sound_between_two_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for second in (0, 7200):
            packet = av.Packet(np.full(4800, 8000, np.int16).tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, 48_000)
            packet.pts = packet.dts = second * 48_000
            output.mux(packet)
    media = describe(path)
    reader = SoundReader(media.source, path)
    tracemalloc.start()
    parts = [reader.read(at, 4800) for at in (0, 3600 * 48_000, 7200 * 48_000)]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reader.close()
    assert [float(part.mean()) > 0.1 for part in parts] == [True, False, True]
    assert most < 10_000_000


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(lambda count: count + 960 * (count // 1024 % 10 == 9), id="some packets say 20 ms more"),
        pytest.param(lambda count: count * 1.0005, id="a fast clock"),
        pytest.param(lambda count: count * 0.9995, id="a slow clock"),
        pytest.param(lambda count: count + 1024 * (count > 500_000), id="a lost packet"),
    ],
)
def test_an_uneven_clock_neither_clicks_nor_runs_away(time: Callable[[int], float], tmp_path: Path) -> None:
    """A tone of 70 s in packets of 21 ms, as live recordings have them: as smooth as it was, and in time to its end."""
    tone = np.rint(9000 * np.sin(2 * np.pi * 440 * np.arange(3_360_000) / 48_000)).astype(np.int16)
    path = tmp_path / "live.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for begin in range(0, tone.size - 1023, 1024):
            packet = av.Packet(tone[begin : begin + 1024].tobytes())
            packet.stream, packet.time_base, packet.duration = stream, Fraction(1, 48_000), 1024
            packet.pts = packet.dts = last = round(time(begin))
            output.mux(packet)
    media = describe(path)
    reader = SoundReader(media.source, path)
    heard = reader.read(0, 3_400_000)[0]
    reader.close()
    end = int(np.flatnonzero(np.abs(heard) > 0.01)[-1])
    assert end == pytest.approx(last + 1024, abs=960)
    bends = np.abs(np.diff(heard[: end - 100], 2))
    assert bends.max() < 1.5 * bends[10_000:20_000].max()


def test_a_late_packet_moves_nothing_that_is_read_from_it_on(tmp_path: Path) -> None:
    wave = np.rint(20_000 * noise(20)[0] / np.abs(noise(20)).max()).astype(np.int16)
    late = np.random.default_rng(1).random(wave.size // 1024) < 0.25
    path = tmp_path / "live.mkv"
    with av.open(str(path), "w", container_options={"cluster_time_limit": "60"}) as output:
        stream = output.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for number, begin in enumerate(range(0, wave.size - 1023, 1024)):
            packet = av.Packet(wave[begin : begin + 1024].tobytes())
            packet.stream, packet.time_base, packet.duration = stream, Fraction(1, 48_000), 1024
            packet.pts = packet.dts = begin + 960 * int(late[number])
            output.mux(packet)
    media = describe(path)
    reader = SoundReader(media.source, path)
    for start in range(17 * 48_000, 48_000, -50_000):
        part = reader.read(start, 4800)[0] * 32768
        errors = [np.abs(part - wave[start + by : start + by + 4800]).max() for by in range(-50, 51)]
        assert min(errors) < 2, start
    reader.close()


def decibels(wave: Stereo) -> float:
    return float(10 * np.log10(np.mean(wave.astype(np.float64) ** 2)))


def talk_in_a_noisy_room(seconds: int = 8) -> tuple[Stereo, Stereo]:
    """Bursts of sound as words are, a quarter of the time, and the steady noise under them."""
    words = noise(seconds, 0.2, seed=3)
    words[:, np.arange(words.shape[1]) % 48_000 > 12_000] = 0
    return words, noise(seconds, 0.003, seed=4)


def denoised(tmp_path: Path, counted: Media, wave: Stereo, *, lowered: bool) -> Stereo:
    source = sound_of(tmp_path, wave)
    length = wave.shape[1] // 1600
    track = AudioTrack(
        role=AudioRole.DIALOGUE, noise_reduction=lowered, clips=(audio_clip(source, 0, length, 0, RATE),)
    )
    edl = edit([counted, source], [video_clip(counted, 0, length, 0, RATE)])
    return mixed(edl.model_copy(update={"audio": (track,)}), [counted, source], tmp_path)


def test_noise_reduction_lowers_the_noise_gently_and_moves_nothing(counted: Media, tmp_path: Path) -> None:
    words, hiss = talk_in_a_noisy_room()
    before = denoised(tmp_path, counted, words + hiss, lowered=False)
    after = denoised(tmp_path, counted, words + hiss, lowered=True)
    pause = (np.arange(words.shape[1]) % 48_000 > 24_000) & (np.arange(words.shape[1]) > 96_000)
    assert decibels(before[:, pause]) - decibels(after[:, pause]) == pytest.approx(NOISE_REDUCTION_DB, abs=2)
    spoken = ~pause & (words[0] != 0)
    assert decibels(after[:, spoken]) == pytest.approx(decibels(before[:, spoken]), abs=0.5)
    assert np.corrcoef(after[0, spoken], before[0, spoken])[0, 1] > 0.98, "each sample is where it was"


def test_the_dark_noise_of_a_room_is_lowered_as_a_hiss_is(counted: Media, tmp_path: Path) -> None:
    words, hiss = talk_in_a_noisy_room()
    spectrum = np.fft.rfft(hiss)
    spectrum /= np.sqrt(np.maximum(1, np.arange(spectrum.shape[1]) / (8 * 100)))  # 3 dB an octave from 100 Hz on: pink
    dark = np.fft.irfft(spectrum, hiss.shape[1]).astype(np.float32)
    dark *= np.float32(0.003 / dark.std())
    before, after = (denoised(tmp_path, counted, words + dark, lowered=lowered) for lowered in (False, True))
    pause = (np.arange(words.shape[1]) % 48_000 > 24_000) & (np.arange(words.shape[1]) > 96_000)
    assert decibels(before[:, pause]) - decibels(after[:, pause]) > NOISE_REDUCTION_DB / 3
    assert np.corrcoef(after[0, ~pause], before[0, ~pause])[0, 1] > 0.98


def test_noise_reduction_leaves_a_clean_recording_and_an_unbroken_one_alone(counted: Media, tmp_path: Path) -> None:
    words, _ = talk_in_a_noisy_room()
    unbroken = noise(8, 0.1, seed=5)
    for wave in (words, unbroken):
        before = denoised(tmp_path, counted, wave, lowered=False)
        after = denoised(tmp_path, counted, wave, lowered=True)
        assert np.allclose(after, before, atol=1e-5)


def test_room_tone_lies_under_a_gap_that_is_kept(counted: Media, tmp_path: Path) -> None:
    words, hiss = talk_in_a_noisy_room()
    source = sound_of(tmp_path, words + hiss)
    spoken = [audio_clip(source, 0, 7, 0, RATE), audio_clip(source, 37, 7, 60, RATE)]
    tone = audio_clip(source, 7, 30, 40, RATE, id="tone", fade_in=480, fade_out=480)
    short = tone.model_copy(update={"duration": 15})
    tracks = (
        AudioTrack(role=AudioRole.DIALOGUE, clips=tuple(spoken)),
        AudioTrack(role=AudioRole.ROOM_TONE, clips=(short,)),
    )
    edl = edit([counted, source], [video_clip(counted, 0, 44, 0, RATE)])
    wave = mixed(edl.model_copy(update={"audio": tracks}), [counted, source], tmp_path)
    under = wave[:, 8 * 1600 : 21 * 1600]
    assert decibels(under) == pytest.approx(decibels(hiss), abs=1)
    assert np.all(wave[:, 23 * 1600 : 36 * 1600] == 0), "and nowhere else"


def test_silence_is_delivered_as_silence(counted: Media, tmp_path: Path) -> None:
    edl = edit([counted], [video_clip(counted, 0, 30, 0, RATE)])
    result = run(edl, [counted], tmp_path / "o")
    assert np.abs(samples(result.video)).max() == 0
    assert result.report.passed
    assert result.report.metrics.integrated_lufs is None


def test_hiss_is_not_blown_up(counted: Media, tmp_path: Path) -> None:
    source = sound_of(tmp_path, noise(6, 0.0004))
    edl = edit([counted, source], [video_clip(counted, 0, 180, 0, RATE)], [audio_clip(source, 0, 180, 0, RATE)])
    result = run(edl, [counted, source], tmp_path / "o")
    assert np.abs(samples(result.video)).max() < 0.01
    assert any("too quiet" in note for note in result.report.notes)


def test_speech_recorded_far_too_quietly_is_levelled_and_said_to_be(counted: Media, tmp_path: Path) -> None:
    source = sound_of(tmp_path, noise(6, 0.001))
    edl = edit([counted, source], [video_clip(counted, 0, 180, 0, RATE)], [audio_clip(source, 0, 180, 0, RATE)])
    style = CaptionStyle(burn_in=False, left=0, top=0, right=edl.canvas.width, bottom=edl.canvas.height, font_size=10)
    spoken = {"captions": (Caption(start=0, end=60, lines=("Can you hear me?",)),), "caption_style": style}
    result = run(edl.model_copy(update=spoken), [counted, source], tmp_path / "o")
    integrated, _ = loudness(samples(result.video))
    assert integrated == pytest.approx(-14, abs=0.5)
    assert any("very quietly" in note for note in result.report.notes)


def flashes_and_beeps(folder: Path, seconds: int) -> Media:
    """White for 4 frames with a beep, every second, at frame 10 of it."""
    path = folder / "flash.mp4"
    dark, white = (np.full((90, 160), value, np.uint8) for value in (20, 230))
    frames = ((n * 3000, yuv_frame(white if 10 <= n % 30 < 14 else dark)) for n in range(seconds * 30))
    at = np.arange(seconds * 48_000)
    beep = np.where((at % 48_000 >= 16_000) & (at % 48_000 < 22_400), 0.5 * np.sin(2 * np.pi * 1000 * at / 48_000), 0)
    Writer(path).write(frames, (160, 90), sound=np.stack([beep, beep]).astype(np.float32), sound_codec="aac")
    return describe(path)


def offsets_ms(video: Path, rate: Fraction) -> list[float]:
    """For each flash that starts, how much later the nearest beep starts, in milliseconds."""
    brightness = np.array([luma.mean() for luma in lumas(video)])
    flashes = np.flatnonzero((brightness[1:] > 125) & (brightness[:-1] <= 125)) + 1
    loud = np.flatnonzero(np.abs(samples(video)[0]) > 0.05)
    beeps = loud[np.r_[True, np.diff(loud) > 480]]
    times = [float(flash / rate * 1000) for flash in flashes]
    return [min((beep / 48 - time for beep in beeps), key=abs) for time in times]


@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(25)])
def test_picture_and_sound_stay_together_after_many_cuts(rate: Fraction, tmp_path: Path) -> None:
    media = flashes_and_beeps(tmp_path, 20)
    rng = np.random.default_rng(5)
    video, sound, position = [], [], 0
    for _ in range(55):
        # Cuts fall outside the flashes, so that each flash and its beep have one beginning.
        length = int(rate * Fraction(int(rng.integers(19, 28)), 30))
        first = int(int(rng.integers(0, 18)) * rate) + int(rate * Fraction(int(rng.integers(1, 6)), 30))
        video.append(video_clip(media, position, length, first, rate))
        sound.append(audio_clip(media, position, length, first, rate, fade_out=240))
        position += length
    result = run(edit([media], video, sound, canvas=(160, 90), rate=rate), [media], tmp_path / "o")
    found = offsets_ms(result.video, rate)
    assert len(found) > 15
    assert np.abs(found).max() <= float(1000 / rate)


def test_real_flashes_and_beeps_stay_together(tmp_path: Path) -> None:
    media = describe(shared_media("sync/flash_beep_30fps_90s.mp4"))
    rng = np.random.default_rng(11)
    video, sound, position = [], [], 0
    for _ in range(60):
        length, first = int(rng.integers(12, 28)), int(rng.integers(5, 2600))
        video.append(video_clip(media, position, length, first, RATE))
        sound.append(audio_clip(media, position, length, first, RATE, fade_out=240))
        position += length
    result = run(edit([media], video, sound), [media], tmp_path / "o")
    found = offsets_ms(result.video, RATE)
    assert len(found) >= 15
    assert np.abs(found).max() <= 1000 / 30
    assert np.median(np.abs(found)) < 2
