"""Integrated loudness and true peak (ITU-R BS.1770-4), by FFmpeg's ebur128 filter."""

import math
from fractions import Fraction

import av
import av.error
from av.filter import Graph
from av.filter.context import FilterContext

#: The absolute gate of BS.1770-4: quieter than this has no loudness.
ABSOLUTE_GATE_LUFS = -70.0


class LoudnessMeter:
    """Fed with a stream's frames as they are decoded, in order.

    Frames whose format differs from the first one's are left out: a stream that changes its layout has no single
    loudness by BS.1770.
    """

    def __init__(self) -> None:
        self._shape: tuple[str, str, int] | None = None
        self._source: FilterContext | None = None
        self._sink: FilterContext | None = None
        self._graph: Graph | None = None
        self._samples = 0
        self._readings: dict[str, str] = {}

    def add(self, frame: av.AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._shape is None:
            self._open(frame)
            self._shape = shape
        if shape != self._shape or self._source is None:
            return
        pts, time_base = frame.pts, frame.time_base
        frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)
        self._samples += frame.samples
        self._source.push(frame)
        frame.pts = pts
        if time_base is not None:
            frame.time_base = time_base
        self._pull()

    @property
    def integrated_lufs(self) -> float | None:
        """``None`` where nothing is louder than the absolute gate."""
        value = self._reading("lavfi.r128.I")
        return value if value is not None and value > ABSOLUTE_GATE_LUFS else None

    @property
    def true_peak_dbtp(self) -> float | None:
        """``None`` for digital silence."""
        peak = self._reading("lavfi.r128.true_peak")
        return 20 * math.log10(peak) if peak else None

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
                self._readings = self._sink.pull().metadata
            except (av.error.BlockingIOError, av.error.EOFError):
                return

    def _reading(self, name: str) -> float | None:
        value = float(self._readings.get(name, "nan"))
        return value if math.isfinite(value) else None
