"""Loudness by ITU-R BS.1770-4 (FFmpeg's ebur128), measured on a stream of samples."""

from dataclasses import dataclass
from fractions import Fraction
from math import log10

import av.error
import numpy as np
from av import AudioFrame
from av.filter import Graph

from render.sounds import Stereo
from schemas.edl import SAMPLE_RATE

#: BS.1770-4's absolute gate: what never rises above it has no loudness.
ABSOLUTE_GATE_LUFS = -70.0


@dataclass(frozen=True)
class Loudness:
    """``None`` stands for digital silence (or nothing above the absolute gate)."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None


class SoundChain:
    """Stereo float samples through a row of FFmpeg filters."""

    def __init__(self, steps: list[tuple[str, dict[str, str]]]) -> None:
        self._graph = Graph()
        self._graph.threads = 1
        self._source = self._graph.add(
            "abuffer",
            time_base=f"1/{SAMPLE_RATE}",
            sample_rate=str(SAMPLE_RATE),
            sample_fmt="fltp",
            channel_layout="stereo",
        )
        self._sink = self._graph.add("abuffersink")
        self._filters = [self._graph.add(name, **options) for name, options in steps]
        self._graph.link_nodes(self._source, *self._filters, self._sink).configure()
        self._pushed = 0

    def push(self, samples: Stereo | None) -> list[AudioFrame]:
        """Frames that come out for these samples; ``None`` ends the stream."""
        if samples is not None and samples.shape[1]:
            self._source.push(audio_frame(samples, self._pushed))
            self._pushed += samples.shape[1]
        elif samples is None:
            self._source.push(None)
        return self._pulled()

    def command(self, command: str, argument: str) -> None:
        """Tell the first filter something; it holds for the samples that follow."""
        self._filters[0].process_command(command, argument)

    def _pulled(self) -> list[AudioFrame]:
        frames: list[AudioFrame] = []
        while True:
            try:
                frame = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return frames
            if isinstance(frame, AudioFrame):
                frames.append(frame)


def audio_frame(samples: Stereo, pts: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout="stereo")
    frame.sample_rate = SAMPLE_RATE
    frame.pts, frame.time_base = pts, Fraction(1, SAMPLE_RATE)
    return frame


class LoudnessMeter:
    """Integrated loudness and true peak of everything pushed."""

    #: The meter reports every 100 ms; a last bit is filled up with silence, which the gate leaves out.
    _STEP = SAMPLE_RATE // 10

    def __init__(self) -> None:
        self._chain = SoundChain([("ebur128", {"peak": "true", "metadata": "1", "framelog": "quiet"})])
        self._last: dict[str, str] = {}

    def push(self, samples: Stereo) -> None:
        self._note(self._chain.push(samples))

    def result(self) -> Loudness:
        self.push(np.zeros((2, self._STEP), np.float32))
        self._note(self._chain.push(None))
        integrated = float(self._last.get("lavfi.r128.I", "-inf"))
        peak = max(float(self._last.get(f"lavfi.r128.true_peaks_ch{channel}", "0")) for channel in range(2))
        return Loudness(
            integrated if integrated > ABSOLUTE_GATE_LUFS else None,
            20 * log10(peak) if peak > 0 else None,
        )

    def _note(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            self._last = dict(frame.metadata) or self._last
