"""One count of time for a source's picture: frames of the edit's rate, from its first picture."""

from dataclasses import dataclass
from fractions import Fraction

from schemas.edl import SAMPLE_RATE, SourceVideo
from schemas.timebase import frame_to_us, nearest, round_half_up, us_to_frame


@dataclass(frozen=True, slots=True)
class PictureClock:
    """Converts between a source's frames at the edit's rate and its ticks, samples and media-clock microseconds.

    ``frames`` is how many frames of the edit the source's picture lasts; ``start`` is when its first picture is shown,
    in seconds on the media clock. A time in microseconds lies at frame ``(us * scale - offset) / divisor``: integers,
    because a day of words is placed by it.
    """

    rate: Fraction
    time_base: Fraction
    start_pts: int
    end_pts: int
    start: Fraction
    frames: int
    scale: int
    offset: int
    divisor: int

    @classmethod
    def of(cls, video: SourceVideo, origin: Fraction, rate: Fraction) -> "PictureClock":
        span = max(0, video.end_pts - video.start_pts) * video.time_base
        start = video.start_pts * video.time_base - origin
        frames = round_half_up(span * rate)
        return cls(
            rate,
            video.time_base,
            video.start_pts,
            video.end_pts,
            start,
            frames,
            scale=rate.numerator * start.denominator,
            offset=start.numerator * rate.numerator * 1_000_000,
            divisor=rate.denominator * start.denominator * 1_000_000,
        )

    def frame_at_or_before(self, us: int) -> int:
        return (us * self.scale - self.offset) // self.divisor

    def frame_at_or_after(self, us: int) -> int:
        return -((self.offset - us * self.scale) // self.divisor)

    def nearest_frame(self, us: int) -> int:
        return nearest(us * self.scale - self.offset, self.divisor)

    def us(self, frame: int) -> int:
        """Start of ``frame`` on the media clock."""
        return max(0, nearest(frame * self.divisor + self.offset, self.scale))

    def sample(self, frame: int) -> int:
        """First sample of ``frame``; negative where the picture starts before the media clock's zero."""
        return nearest((frame * self.divisor + self.offset) * SAMPLE_RATE, self.scale * 1_000_000)

    def ticks(self, first: int, end: int) -> tuple[int, int]:
        """In and out ticks of frames ``[first, end)``, inside the stream and at least one tick apart."""
        into = min(self._tick(first), self.end_pts - 1)
        out = max(into + 1, min(self._tick(end), self.end_pts))
        return into, out

    def length(self, us: int) -> int:
        """A duration in whole frames, to the nearest."""
        return us_to_frame(us, self.rate)

    def length_us(self, frames: int) -> int:
        return frame_to_us(frames, self.rate)

    def _tick(self, frame: int) -> int:
        return self.start_pts + round_half_up(frame / self.rate / self.time_base)
