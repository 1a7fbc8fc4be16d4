"""Where a separately recorded sound track lies against a camera's sound, and how far their clocks drift apart."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Len
from numpy.typing import NDArray

from analysis.listening import SPEECH_RATE, Waveform
from analysis.probe import probe as probe_file
from analysis.progressing import in_steps, stage
from analysis.recording import hear_dialogue
from analysis.voice import Levels, levels_dbfs
from schemas.errors import MediaRefused
from schemas.facts import Alignment
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Samples of an envelope frame: 5 ms, 200 frames a second.
ENVELOPE_FRAME = SPEECH_RATE // 200
#: The envelope's floor: what is this far below the loudest is noise, and noise does not correlate.
ENVELOPE_RANGE_DB = 50.0
#: Least overlap of two recordings for an offset to be believed, in envelope frames (3 s).
MIN_OVERLAP = 600
#: Windows in which the offset is measured again on the waveform, and their length in seconds; their line gives offset
#: and drift. Within long ones clocks that drift far move high sounds apart, so that only short ones agree.
WINDOWS = 24
WINDOW_LENGTHS_S = (8, 2)
#: How far from the envelope's offset the waveform is searched: room for its 5 ms steps and for the drift.
SEARCH_S = 0.25
#: A window counts if its waveforms agree this much; microphones in different places agree less than copies. A short one
#: must agree by more, for the shorter two sounds are, the more they are alike by chance: measured, up to 0.46 over 1 s.
MIN_WINDOW_CORRELATION = 0.2
MIN_CORRELATION_OVER_1_S = 0.55
#: How far the spectrum of what agrees is levelled to tell its moment: generalised cross-correlation with a phase
#: transform (Knapp and Carter 1976). Unlevelled, an even voice agrees nearly as well with itself a period later, and in
#: an echoing room better: measured, up to 96 ms off. Wholly levelled, a narrow sound would drown in the noise.
LEVELLING = 0.8
#: The moment is told where the levelled agreement stands out of its surroundings by so many times their root mean
#: square: 8 to 60 times, measured, down to a camera in an echoing room whose noise is 3 dB below the voice.
MIN_SHARPNESS = 7.0
#: Windows further from the line than this are echoes; at least this part of them must lie on it.
MAX_RESIDUAL_S = 0.004
MIN_ON_LINE = 0.5
#: Drift is told only over at least this much between the outermost windows.
MIN_DRIFT_BASE_S = 20.0
#: Of the progress over a reference, the part that decoding it takes.
HEARING_SHARE = 0.7
#: Quartz clocks are within 100 ppm of each other; more than this is a wrong fit.
MAX_DRIFT_PPM = 500.0


class AlignmentParameters(Model):
    """The reference's content, so that an alignment is remembered for the pair; measured from the file where absent."""

    reference_sha256: Annotated[str, Len(64, 64)] | None = None


@dataclass(frozen=True)
class _Moment:
    """Where the track lies at one time of the reference: both in seconds."""

    at: float
    offset: float
    agreement: float


def align(
    track: Waveform,
    reference: Path,
    reference_probe: MediaProbe | None,
    parameters: AlignmentParameters,
    progress: ProgressCallback = ignore_progress,
) -> Alignment:
    """Align a track's dialogue to a reference file's, to within 5 ms where both heard the same sound.

    A reference that cannot be heard is one that the track does not agree with: what is wrong with it is for its own
    analyses to tell, and no fault of the track.
    """
    progress = in_steps(progress)
    try:
        heard = hear_dialogue(
            reference, reference_probe or probe_file(reference), stage(progress, 0, HEARING_SHARE)
        ).wave
    except MediaRefused:
        heard = np.zeros(0, np.int16)
    offset_us, drift_ppm, correlation = align_waves(track, heard)
    progress(1.0)
    return Alignment(
        reference_sha256=parameters.reference_sha256 or _sha256(reference),
        offset_us=offset_us,
        drift_ppm=drift_ppm,
        correlation=correlation,
    )


def align_waves(track: Waveform, reference: Waveform) -> tuple[int, float, float]:
    """Offset in µs, drift in ppm and correlation, 0 to 1, of two recordings at ``SPEECH_RATE``.

    The ups and downs of any two talks are alike somewhere, the more so the shorter they are. So what the envelopes say
    is believed only where the waveforms say it too, and each stretch of them the same; else the correlation is 0.
    """
    heard, expected = _envelope(track), _envelope(reference)
    lag = _coarse(heard, expected)
    lines = (_line_of(track, reference, lag * ENVELOPE_FRAME, seconds) for seconds in WINDOW_LENGTHS_S)
    line = next((one for one in lines if one is not None), None)
    if line is None:
        return round(lag * ENVELOPE_FRAME * 1_000_000 / SPEECH_RATE), 0.0, 0.0
    offset, drift_ppm = line
    return round(offset * 1_000_000), drift_ppm, _correlation(heard, expected, offset, drift_ppm)


def _envelope(wave: Waveform) -> Levels:
    """Level over time above the noise, without its mean."""
    levels = levels_dbfs(wave, ENVELOPE_FRAME)
    if not len(levels):
        return levels
    above = np.maximum(levels - max(float(levels.max()) - ENVELOPE_RANGE_DB, -90.0), 0)
    return np.asarray(above - above.mean(), np.float32)


def _coarse(track: Levels, reference: Levels) -> int:
    """The lag of the track in envelope frames at which what both cover is most alike."""
    if min(len(track), len(reference)) < 2:
        return 0
    size = 1 << (len(track) + len(reference) - 1).bit_length()
    product = _correlate(track, reference, size)
    energy_track = _correlate(track**2, np.ones_like(reference), size)
    energy_reference = _correlate(np.ones_like(track), reference**2, size)
    overlap = _correlate(np.ones_like(track), np.ones_like(reference), size)
    enough = overlap >= min(MIN_OVERLAP, len(track), len(reference)) - 0.5
    scale = np.sqrt(np.maximum(energy_track * energy_reference, 1e-6))
    # A short overlap correlates highly by chance; weighing by its root keeps a true long one ahead.
    score = np.where(enough, product / scale * np.sqrt(np.clip(overlap / overlap.max(), 0, 1)), -1.0)
    best = int(score.argmax())
    return best if best < len(track) else best - size


def _correlation(track: Levels, reference: Levels, offset: float, drift_ppm: float) -> float:
    """How alike what both cover is, 0 to 1, once the track is put where it belongs; ``offset`` in seconds."""
    frames = np.arange(len(reference))
    places = frames * (1 + drift_ppm / 1e6) + offset * SPEECH_RATE / ENVELOPE_FRAME
    covered = (places >= 0) & (places <= len(track) - 1)
    heard, expected = np.interp(places[covered], np.arange(len(track)), track), reference[covered]
    scale = np.sqrt(max(float(np.sum(heard**2) * np.sum(expected**2)), 1e-6))
    return float(np.clip(np.sum(heard * expected) / scale, 0, 1))


def _correlate(a: NDArray[np.floating], b: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """Circular cross-correlation: element k is the sum of a[n + k] b[n]."""
    spectrum = np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size))
    return np.fft.irfft(spectrum, size)


def _line_of(track: Waveform, reference: Waveform, lag: int, seconds: int) -> tuple[float, float] | None:
    """Offset in seconds and drift in ppm by windows of that length; none where the waveforms do not agree.

    That they do is told by how alike they are as they are, and when by how alike they are with their spectra levelled.
    """
    windows = list(_windows(track, reference, lag, seconds))
    least = max(MIN_WINDOW_CORRELATION, MIN_CORRELATION_OVER_1_S / float(np.sqrt(windows[0].seconds))) if windows else 0
    alike = [moment for window in windows if (moment := window.likeness()).agreement >= least]
    line = _line(alike)
    if line is None:
        return None
    sharp = [moment for window in windows if (moment := window.sharpness()).agreement >= MIN_SHARPNESS]
    return (_line(sharp) if 2 * len(sharp) >= len(alike) else None) or line


def _windows(track: Waveform, reference: Waveform, lag: int, seconds: int) -> Iterator["_Window"]:
    """Windows of the reference, evenly spread, and where the track is searched for them; ``lag`` is in samples."""
    length, reach = seconds * SPEECH_RATE, round(SEARCH_S * SPEECH_RATE)
    first, last = max(0, reach - lag), min(len(reference), len(track) - lag - reach) - length
    if last < first:
        length = max(0, min(len(reference), len(track) - lag - reach) - first)
        last = first
    if length < SPEECH_RATE // 2:
        return
    for start in np.unique(np.linspace(first, last, WINDOWS).astype(int)):
        heard = reference[start : start + length].astype(np.float64)
        searched = track[start + lag - reach : start + lag + length + reach].astype(np.float64)
        yield _Window(int(start), lag - reach, heard - heard.mean(), searched)


@dataclass(frozen=True)
class _Window:
    """A window of the reference from sample ``start`` on, and what of the track is searched for it, from ``lag``."""

    start: int
    lag: int
    heard: NDArray[np.float64]
    searched: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        return len(self.heard) / SPEECH_RATE

    def likeness(self) -> _Moment:
        """Where the waveforms are most alike, by their correlation."""
        length = len(self.heard)
        size = 1 << (len(self.searched) + length).bit_length()
        product = _correlate(self.searched, self.heard, size)[: len(self.searched) - length + 1]
        energy = np.concatenate(([0.0], np.cumsum(self.searched**2)))
        scale = np.sqrt(np.maximum((energy[length:] - energy[:-length]) * np.sum(self.heard**2), 1e-9))
        return self._best(product / scale)

    def sharpness(self) -> _Moment:
        """The same with levelled spectra, by how far it stands out."""
        length = len(self.heard)
        size = 1 << (len(self.searched) + length).bit_length()
        cross = np.fft.rfft(self.searched, size) * np.conj(np.fft.rfft(self.heard * np.hanning(length), size))
        levelled = cross / np.maximum(np.abs(cross), 1e-9) ** LEVELLING
        product = np.fft.irfft(levelled, size)[: len(self.searched) - length + 1]
        return self._best(product / max(float(np.sqrt(np.mean(product**2))), 1e-9))

    def _best(self, agreement: NDArray[np.float64]) -> _Moment:
        # A microphone may be wired the other way round.
        agreement = np.abs(agreement)
        best = int(agreement.argmax())
        at = self.start / SPEECH_RATE + self.seconds / 2
        return _Moment(at, (self.lag + best + _vertex(agreement, best)) / SPEECH_RATE, float(agreement[best]))


def _vertex(values: NDArray[np.float64], best: int) -> float:
    """Where between samples the peak lies, by a parabola through it and its neighbours."""
    if not 0 < best < len(values) - 1:
        return 0.0
    before, peak, after = values[best - 1 : best + 2]
    curvature = before - 2 * peak + after
    return float(np.clip((before - after) / (2 * curvature), -0.5, 0.5)) if curvature < 0 else 0.0


def _line(windows: list[_Moment]) -> tuple[float, float] | None:
    """Offset at the reference's zero in seconds and drift in ppm, by a line through the windows; none if there is none.

    Over a short time a drift cannot be told from noise, and does not matter.
    """
    if not windows:
        return None
    at = np.array([window.at for window in windows])
    offset = np.array([window.offset for window in windows])
    slope = _median_slope(at, offset) if np.ptp(at) >= MIN_DRIFT_BASE_S else 0.0
    strays = np.abs(offset - slope * at - np.median(offset - slope * at))
    kept = strays <= MAX_RESIDUAL_S + (0 if slope else MAX_DRIFT_PPM / 1e6 * float(np.ptp(at)) / 2)
    if kept.mean() < MIN_ON_LINE or abs(slope) * 1e6 > MAX_DRIFT_PPM:
        return None
    if np.ptp(at[kept]) < MIN_DRIFT_BASE_S:
        return float(np.median(offset[kept])), 0.0
    slope, base = np.polyfit(at[kept], offset[kept], 1)
    return float(base), float(slope * 1e6)


def _median_slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Theil-Sen: the median of the slopes of all pairs, which a third of wild points does not move."""
    i, j = np.triu_indices(len(x), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
