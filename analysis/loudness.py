"""Loudness and true peak (ITU-R BS.1770-4): measured block by block by FFmpeg's ebur128 filter, gated here.

The gates depend on all blocks of a recording, however far apart they were measured.
"""

import math
from fractions import Fraction

import av
import av.error
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from numpy.typing import NDArray

#: The absolute gate: quieter than this has no loudness.
ABSOLUTE_GATE_LUFS = -70.0
#: The relative gate lies this far below the loudness of what passes the absolute one.
RELATIVE_GATE_LU = -10.0
#: What the standard adds to the logarithm of the weighted mean square.
_OFFSET_LUFS = -0.691

#: Loudness of consecutive blocks in LUFS.
Blocks = NDArray[np.float64]


class LoudnessMeter:
    """Fed with a stream's frames in order, all of one format: the loudness of every block of 400 ms, 100 ms apart."""

    def __init__(self) -> None:
        self._source: FilterContext | None = None
        self._sink: FilterContext | None = None
        self._graph: Graph | None = None
        self._samples = 0
        self._blocks: list[float] = []
        self._peak = 0.0

    def add(self, frame: av.AudioFrame) -> None:
        if self._source is None:
            self._open(frame)
        assert self._source is not None
        frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)
        self._samples += frame.samples
        self._source.push(frame)
        self._pull()

    def forget(self) -> None:
        """Leave out the blocks up to here: what comes next is measured as if those had been."""
        self._blocks.clear()

    @property
    def blocks(self) -> Blocks:
        """Those that are not full yet, at the beginning, are silent."""
        return np.array(self._blocks, np.float64)

    @property
    def peak(self) -> float:
        """The true peak so far, 1 being full scale."""
        return self._peak

    def _open(self, frame: av.AudioFrame) -> None:
        graph = Graph()
        self._source = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
        meter = graph.add("ebur128", "peak=true:metadata=1")
        self._sink = graph.add("abuffersink")
        graph.link_nodes(self._source, meter, self._sink).configure()
        self._graph = graph

    def _pull(self) -> None:
        assert self._sink is not None
        while True:
            try:
                readings = self._sink.pull().metadata
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if "lavfi.r128.M" in readings:
                self._blocks.append(_finite(readings["lavfi.r128.M"], otherwise=-math.inf))
                self._peak = max(self._peak, _finite(readings["lavfi.r128.true_peak"], otherwise=0.0))


def integrated_lufs(blocks: Blocks) -> float | None:
    """The gated loudness of a recording's blocks; ``None`` where nothing is louder than the absolute gate."""
    heard = blocks[blocks > ABSOLUTE_GATE_LUFS]
    if not len(heard):
        return None
    return _loudness(heard[heard > _loudness(heard) + RELATIVE_GATE_LU])


def true_peak_dbtp(peak: float) -> float | None:
    """``None`` for digital silence."""
    return 20 * math.log10(peak) if peak else None


def _loudness(blocks: Blocks) -> float:
    powers = 10 ** ((blocks - _OFFSET_LUFS) / 10)
    return float(_OFFSET_LUFS + 10 * np.log10(np.mean(powers)))


def _finite(reading: str, *, otherwise: float) -> float:
    value = float(reading)
    return value if math.isfinite(value) else otherwise
