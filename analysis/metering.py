"""How loud a stream is, and how much of it is clipped, measured while it is decoded and before anything changes it.

A meter hears what was before it for as long as its filters remember. So each stretch has a meter of its own, which
begins a little before, and measures to the last digit the same whether or not the stretches before were measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import av
import numpy as np
from av.audio.fifo import AudioFifo

from analysis.clipping import clipped_samples
from analysis.kept_sound import STRETCH_S, KeptSound, Measured
from analysis.loudness import LoudnessMeter, integrated_lufs, true_peak_dbtp

#: Samples are measured a second at a time, a whole number of the 100 ms that the meter's blocks are apart.
STEPS_IN_SECOND = 10
#: Seconds that a stretch's meter hears before: a block of loudness, and several times what its filters remember.
BEFORE_S = 2


@dataclass(frozen=True)
class StreamLevels:
    """Integrated loudness and true peak, ``None`` for what is too quiet to have one, and the share that is clipped."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    clipped_share: float


@dataclass
class _Stretch:
    """A stretch that is being measured."""

    meter: LoudnessMeter = field(default_factory=LoudnessMeter)
    samples: int = 0
    clipped: int = 0

    def hear_before(self, second: av.AudioFrame) -> None:
        self.meter.add(second)
        self.meter.forget()

    def add(self, second: av.AudioFrame) -> None:
        self.samples += second.samples * second.layout.nb_channels
        self.clipped += clipped_samples(second)
        self.meter.add(second)

    @property
    def measured(self) -> Measured:
        return Measured(
            blocks=self.meter.blocks[:, None], peak=self.meter.peak, samples=self.samples, clipped=self.clipped
        )


class StreamMeter:
    """Fed with a stream's frames as they are decoded, in order; what was measured before is not measured again.

    Frames whose format differs from the first one's are left out: a stream that changes its layout has no single
    loudness by BS.1770.
    """

    def __init__(self, kept: KeptSound) -> None:
        self._kept = kept
        self._measured = kept.found(Measured)
        self._shape: tuple[str, str, int] | None = None
        self._waiting = AudioFifo()
        self._seconds = 0
        self._stretch, self._next = _Stretch(), _Stretch()

    def add(self, frame: av.AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        self._shape = self._shape or shape
        if shape != self._shape or frame.samples <= 0:
            return
        # Of time stamps the meter knows nothing; whoever places the samples does.
        pts, frame.pts = frame.pts, None
        self._waiting.write(frame)
        frame.pts = pts
        whole = max(1, frame.sample_rate // STEPS_IN_SECOND) * STEPS_IN_SECOND
        while (second := self._waiting.read(whole)) is not None:
            self._measure(second)

    def finish(self) -> StreamLevels:
        """What was measured, once there are no more frames."""
        rest = self._waiting.read()
        if rest is not None:
            self._measure(rest)
        if self._stretch.samples:
            self._end_stretch(is_last=True)
        blocks = np.concatenate([np.zeros(0), *(one.blocks[:, 0] for one in self._measured)])
        clipped, samples = (_sum(self._measured, name) for name in ("clipped", "samples"))
        peak = max((one.peak for one in self._measured), default=0.0)
        return StreamLevels(integrated_lufs(blocks), true_peak_dbtp(peak), clipped / max(1, samples))

    def _measure(self, second: av.AudioFrame) -> None:
        number, at_s = divmod(self._seconds, STRETCH_S)
        self._seconds += 1
        if number >= len(self._measured):
            self._stretch.add(second)
        if at_s >= STRETCH_S - BEFORE_S and number + 1 >= len(self._measured):
            self._next.hear_before(second)
        if at_s == STRETCH_S - 1:
            if number == len(self._measured):
                self._end_stretch(is_last=False)
            self._stretch, self._next = self._next, _Stretch()

    def _end_stretch(self, *, is_last: bool) -> None:
        self._measured.append(self._stretch.measured)
        if not is_last or len(self._measured) > 1:
            self._kept.keep(self._measured[-1])


def _sum(measured: Sequence[Measured], name: str) -> int:
    return sum(int(getattr(one, name)) for one in measured)
