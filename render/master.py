"""The mix made into delivered sound: levelled, limited, encoded once as AAC-LC, and measured as decoded again.

AAC is lossy, so peaks after decoding differ from those before; the encoder is run again with a lower ceiling until what
a listener's decoder puts out keeps both limits.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av import AudioCodecContext, AudioFrame

from render.loudness import Loudness, LoudnessMeter, SoundChain
from render.mix import PcmFile
from render.pyav import AnyPacket, float_samples
from render.sounds import Stereo
from schemas.delivery import Correction
from schemas.edl import EDL, SAMPLE_RATE
from schemas.progress import ProgressCallback

#: EDITING, "Sound": -14 LUFS ±0.5, true peak at most -1 dBTP, on the decoded delivery.
TARGET_LUFS = -14.0
TRUE_PEAK_LIMIT_DBTP = -1.0
_LOUDNESS_TOLERANCE = 0.3

#: Below this a mix is noise that nobody meant to be heard; raising it to the target would be worse than leaving it.
QUIETEST_LUFS = -55.0
#: Where words are known to be in it, a mix is raised however quiet it was recorded, as long as it can be measured at
#: all (BS.1770-4 gates at -70 LUFS).
QUIETEST_SPEECH_LUFS = -69.0
#: A mix raised by more than this brings its noise with it.
_AUDIBLE_NOISE_GAIN_DB = 35.0

AAC_FRAME = 1024
_FIRST_CEILING_DBTP = -1.5
_CEILING_MARGIN_DB = 0.15
_LOWEST_CEILING_DBTP = -9.0
_MOST_PASSES = 6

#: alimiter works on 4 times the rate, so that it sees peaks between samples (BS.1770-4 annex 2).
_OVERSAMPLED = 4 * SAMPLE_RATE
_ATTACK_MS, _RELEASE_MS = 5, 80


@dataclass(frozen=True)
class EncodedSound:
    """AAC packets on disk, one after another, with their sizes; packet ``n`` starts at sample ``n * 1024``."""

    path: Path
    sizes: "array[int]"
    loudness: Loudness
    bitrate: int
    corrections: tuple[Correction, ...] = ()

    def packets(self) -> Iterator[AnyPacket]:
        with self.path.open("rb") as file:
            for number, size in enumerate(self.sizes):
                packet = av.Packet(file.read(size))
                packet.pts = packet.dts = number * AAC_FRAME
                packet.duration = AAC_FRAME
                packet.time_base = Fraction(1, SAMPLE_RATE)
                yield packet


@dataclass(frozen=True)
class _Setting:
    gain_db: float
    ceiling_dbtp: float
    limited: bool


def quietest_levelled(edl: EDL) -> float:
    """The loudness in LUFS below which this edit's mix is left as it is."""
    return QUIETEST_SPEECH_LUFS if edl.captions else QUIETEST_LUFS


def master(
    mix: PcmFile, folder: Path, bitrate: int, quietest_lufs: float, progress: ProgressCallback
) -> tuple[EncodedSound, list[str]]:
    """Encode the mix at the delivery's loudness; returns the best of a few passes and notes on what was not reached."""
    measured = _measure(mix)
    progress(0.3)
    target = _target(measured, quietest_lufs)
    setting = _next_setting(measured, _Setting(0.0, _FIRST_CEILING_DBTP, limited=False), target)
    first = best = _encode(mix, setting, folder / "sound-0.aac", bitrate)
    reached = first.loudness
    for number in range(1, _MOST_PASSES):
        progress(0.3 + 0.7 * number / _MOST_PASSES)
        if _distance(reached, target) == 0:
            break
        setting = _next_setting(reached, setting, target)
        attempt = _encode(mix, setting, folder / f"sound-{number}.aac", bitrate)
        reached = attempt.loudness
        best = _better(best, attempt, target)
    progress(1.0)
    best = replace(best, corrections=_corrections(first.loudness, best.loudness, target))
    return best, [*_quiet_notes(measured, target), *_notes(best.loudness, target)]


def _target(measured: Loudness, quietest_lufs: float) -> float | None:
    """The loudness to reach; ``None`` for what is left as loud as it is: too quiet, or too short to be measured."""
    if measured.integrated_lufs is None or measured.integrated_lufs < quietest_lufs:
        return None
    return TARGET_LUFS


def _measure(mix: PcmFile) -> Loudness:
    meter = LoudnessMeter()
    for _, block in mix.blocks():
        meter.push(block)
    return meter.result()


def _next_setting(measured: Loudness, last: _Setting, target: float | None) -> _Setting:
    """Correct the gain by what loudness missed, and the ceiling by what the peak overshot."""
    if measured.true_peak_dbtp is None:
        return last
    correction = 0.0 if target is None or measured.integrated_lufs is None else target - measured.integrated_lufs
    overshoot = measured.true_peak_dbtp - TRUE_PEAK_LIMIT_DBTP
    ceiling = last.ceiling_dbtp
    if last.limited and overshoot > 0:
        ceiling = max(_LOWEST_CEILING_DBTP, ceiling - overshoot - _CEILING_MARGIN_DB)
    limited = last.limited or measured.true_peak_dbtp + correction > ceiling
    return _Setting(last.gain_db + correction, ceiling, limited)


def _distance(loudness: Loudness, target: float | None) -> float:
    """How far outside the limits, in decibels; a peak above its limit counts most."""
    if loudness.true_peak_dbtp is None:
        return 0.0
    missed = 0.0
    if target is not None and loudness.integrated_lufs is not None:
        missed = max(0.0, abs(loudness.integrated_lufs - target) - _LOUDNESS_TOLERANCE)
    overshoot = max(0.0, loudness.true_peak_dbtp - TRUE_PEAK_LIMIT_DBTP)
    return missed + 100 * overshoot


def _corrections(first: Loudness, last: Loudness, target: float | None) -> tuple[Correction, ...]:
    """What encoding again with another gain and ceiling has put right."""
    if _distance(first, target) <= _distance(last, target):
        return ()
    return (Correction(name="loudness and true peak", before=_figures(first), after=_figures(last)),)


def _figures(loudness: Loudness) -> str:
    integrated = "silent" if loudness.integrated_lufs is None else f"{loudness.integrated_lufs:.1f} LUFS"
    peak = "silent" if loudness.true_peak_dbtp is None else f"{loudness.true_peak_dbtp:.2f} dBTP"
    return f"{integrated}, {peak}"


def _better(best: EncodedSound, attempt: EncodedSound, target: float | None) -> EncodedSound:
    """Keep one file: the better one."""
    is_nearer = _distance(attempt.loudness, target) < _distance(best.loudness, target)
    keep, drop = (attempt, best) if is_nearer else (best, attempt)
    drop.path.unlink()
    return keep


def _quiet_notes(measured: Loudness, target: float | None) -> list[str]:
    if measured.integrated_lufs is None:
        return []
    if target is None:
        return ["The sound is too quiet to be levelled; it was left as it is."]
    gain_db = target - measured.integrated_lufs
    if gain_db <= _AUDIBLE_NOISE_GAIN_DB:
        return []
    return [f"The sound was recorded very quietly and was raised by {gain_db:.0f} dB; its noise was raised with it."]


def _notes(loudness: Loudness, target: float | None) -> list[str]:
    if target is None or _distance(loudness, target) == 0:
        return []
    reached = f"The sound reached {loudness.integrated_lufs:.1f} LUFS instead of {target:.0f}"
    return [f"{reached}: its peaks leave no room for more."]


def _encode(mix: PcmFile, setting: _Setting, path: Path, bitrate: int) -> EncodedSound:
    encoder = _encoder(bitrate)
    listener = _Listener(encoder)
    filters = SoundChain(_mastering_steps(setting))
    sizes = array("H")
    with path.open("wb") as file:
        for frame in _frames(mix, filters):
            for packet in encoder.encode(frame):
                # The first packet only primes the decoder, and is left out so that sample 0 is at time 0 with no edit
                # list to say so; the price is that the first 21 ms fade in.
                if packet.pts is not None and 0 <= packet.pts < mix.samples:
                    sizes.append(file.write(bytes(packet)))
                    listener.hear(packet)
    return EncodedSound(path, sizes, listener.result(), bitrate)


def _encoder(bitrate: int) -> AudioCodecContext:
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate = SAMPLE_RATE
    encoder.layout = "stereo"
    encoder.format = "fltp"
    encoder.bit_rate = bitrate
    encoder.time_base = Fraction(1, SAMPLE_RATE)
    encoder.open()
    return encoder


def _mastering_steps(setting: _Setting) -> list[tuple[str, dict[str, str]]]:
    steps = [("volume", {"volume": f"{setting.gain_db:.4f}dB", "precision": "float"})]
    if setting.limited:
        steps += [
            ("aresample", {"sample_rate": str(_OVERSAMPLED)}),
            ("alimiter", {
                "limit": f"{10 ** (setting.ceiling_dbtp / 20):.6f}",
                "attack": str(_ATTACK_MS),
                "release": str(_RELEASE_MS),
                "level": "0",
                "latency": "1",
            }),
            ("aresample", {"sample_rate": str(SAMPLE_RATE)}),
        ]  # fmt: skip
    return [*steps, ("aformat", {"sample_fmts": "fltp"}), ("asetnsamples", {"n": str(AAC_FRAME), "p": "0"})]


def _frames(mix: PcmFile, filters: SoundChain) -> Iterator[AudioFrame | None]:
    """The processed mix in encoder frames numbered from sample 0, then the flush."""
    position = 0
    samples: Iterator[Stereo | None] = (block for _, block in mix.blocks())
    for block in chain(samples, (None,)):
        for frame in filters.push(block):
            frame.pts, frame.time_base = position, Fraction(1, SAMPLE_RATE)
            position += frame.samples
            yield frame
    yield None


class _Listener:
    """Decodes what was encoded, as a player would, and measures it."""

    def __init__(self, encoder: AudioCodecContext) -> None:
        self._decoder = av.CodecContext.create("aac", "r")
        self._decoder.extradata = encoder.extradata
        self._meter = LoudnessMeter()

    def hear(self, packet: AnyPacket) -> None:
        self._measure(self._decoder.decode(packet))

    def result(self) -> Loudness:
        self._measure(self._decoder.decode(None))
        return self._meter.result()

    def _measure(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            self._meter.push(float_samples(frame))
