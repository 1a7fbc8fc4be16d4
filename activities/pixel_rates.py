"""How many pixels a piece of work decodes and encodes for each second of its media."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from schemas.edl import EDL, Variant
from schemas.media import MediaProbe

#: The canvases of the director, and how many lines a source has to have more than for the larger of the upright two.
_UPRIGHT, _LARGE, _SMALL, _SMALL_LINES = (1080, 1920), (1920, 1080), (1280, 720), 720


@dataclass(frozen=True)
class Picture:
    """Of a source or of a canvas: its size in pixels, and frames a second."""

    width: int
    height: int
    rate: Fraction

    @property
    def pixel_rate(self) -> int:
        return max(1, round(self.width * self.height * self.rate))


def picture_of(probe: MediaProbe) -> Picture | None:
    """What is decoded of a file; ``None`` where it has no picture."""
    video = probe.video
    return None if video is None else Picture(video.display_width, video.display_height, video.measured_rate)


def pixel_rate_of(edl: EDL) -> int:
    """Of rendering a video: those of its canvas, and of its sources as long as each is seen."""
    made = Picture(edl.canvas.width, edl.canvas.height, edl.rate).pixel_rate
    rates = {
        source.id: Picture(source.video.display_width, source.video.display_height, source.video.frame_rate).pixel_rate
        for source in edl.sources
        if source.video is not None
    }
    read = sum(clip.duration * rates.get(clip.source, 0) for clip in edl.video)
    return made + read // max(1, edl.duration)


def foreseen_pixel_rate(variant: Variant, sources: Sequence[Picture]) -> int | None:
    """Of rendering an output that is made of these sources, before there is an edit; ``None`` without any."""
    if not sources:
        return None
    most = max(sources, key=lambda picture: picture.pixel_rate)
    landscape = _LARGE if max(source.height for source in sources) > _SMALL_LINES else _SMALL
    width, height = _UPRIGHT if variant is Variant.VERTICAL_REEL else landscape
    return Picture(width, height, most.rate).pixel_rate + most.pixel_rate
