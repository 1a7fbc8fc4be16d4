"""What of the facts is seen in an edit: A-roll where it is not covered, and its faces where they are on the canvas."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from director.framing import prominent
from director.material import Footage, Material
from schemas.edl import EDL, Canvas, Fit, SourceVideo, VideoClip
from schemas.timebase import round_half_up
from schemas.timeline import Area, crop_at, visible_stretches


@dataclass(frozen=True, slots=True)
class SeenFootage:
    """Timeline frames ``[first, end)`` on which ``clip`` shows ``footage``; an ``inset`` lies over a part of it."""

    clip: VideoClip
    footage: Footage
    first: int
    end: int
    inset: VideoClip | None = None

    @property
    def video(self) -> SourceVideo:
        video = self.footage.source.video
        if video is None:
            raise LookupError(f"{self.footage.source.id} has no picture to be seen")
        return video

    def source_frame(self, frame: int) -> int:
        """The footage's frame, at the edit's rate, that is seen at a timeline frame."""
        into = (self.clip.source_in - self.video.start_pts) * self.video.time_base * self.footage.clock.rate
        return round_half_up(into) + frame - self.clip.start

    def area(self, clip_frame: int) -> Area:
        """The part of the picture that is shown at a clip-relative frame, in display pixels."""
        if self.clip.crop:
            return crop_at(self.clip.crop, clip_frame, self.clip.motion)
        return Area(0, 0, self.video.display_width, self.video.display_height)


def seen_footage(edl: EDL, material: Material) -> Iterator[SeenFootage]:
    """A-roll where it is seen, in order."""
    footage = {one.source.sha256: one for one in material.a_roll}
    digests = {source.id: source.sha256 for source in edl.sources}
    for seen in visible_stretches(edl):
        shown = footage.get(digests[seen.clip.source])
        if shown is not None:
            yield SeenFootage(seen.clip, shown, seen.first, seen.end, seen.inset)


def faces_on_canvas(shown: SeenFootage, canvas: Canvas) -> Iterator[Sequence[Area]]:
    """At each sampled time the faces that matter, in canvas pixels."""
    first, end = shown.source_frame(shown.first), shown.source_frame(shown.end)
    begin = shown.source_frame(shown.clip.start)
    samples = shown.footage.faces
    start = bisect_left(samples, first, key=lambda sample: sample.frame)
    stop = bisect_left(samples, end, key=lambda sample: sample.frame)
    width, height = shown.video.display_width, shown.video.display_height
    for frame, group in groupby(samples[start:stop], key=lambda sample: sample.frame):
        area = shown.area(frame - begin)
        scale, left, top = _fitted(area, canvas, shown.clip.fit)
        yield [
            Area(
                left + (face.left * width - area.x) * scale[0],
                top + (face.top * height - area.y) * scale[1],
                face.width * width * scale[0],
                face.height * height * scale[1],
            )
            for face in prominent(list(group))
        ]


def _fitted(area: Area, canvas: Canvas, fit: Fit) -> tuple[tuple[float, float], float, float]:
    """How many canvas pixels a source pixel is wide and high, and where the area's corner lies on the canvas."""
    across, down = canvas.width / area.width, canvas.height / area.height
    if fit is Fit.FILL:
        return (across, down), 0, 0
    scale = min(across, down)
    return (scale, scale), (canvas.width - area.width * scale) / 2, (canvas.height - area.height * scale) / 2
