"""Whether a long output is made sooner in one piece: where most of it is copied, little is left to share out."""

from collections.abc import Sequence
from fractions import Fraction

from render import MOST_BITS_PER_PIXEL, untouched_frames
from schemas.edl import EDL
from schemas.facts import AssetFacts
from schemas.media import MediaProbe, VideoStream
from schemas.timebase import MICROSECOND

#: The share of an output that must be likely to be copied: the rest is encoded on one machine then, not on many.
_MOSTLY = Fraction(3, 4)


def mostly_copied(edl: EDL, facts: Sequence[AssetFacts]) -> bool:
    """Whether the picture of one source makes up most of the edit just as it is, and can probably be copied.

    The renderer looks at the file itself; this goes by what its probe says, and where that is not enough says no.
    """
    copyable = {found.sha256 for found in facts if _delivered_as_it_is(found.probe, edl)}
    untouched = untouched_frames(edl)
    most = max((untouched[source.id] for source in edl.sources if source.sha256 in copyable), default=0)
    return most >= _MOSTLY * edl.duration


def _delivered_as_it_is(probe: MediaProbe, edl: EDL) -> bool:
    video = probe.video
    if video is None or not _is_plain(video) or not {"mp4", "mov"} & set(probe.container.split(",")):
        return False
    bits_a_second = 8 * probe.size_bytes / (probe.duration_us * MICROSECOND)
    pixels_a_second = video.coded_width * video.coded_height * edl.rate
    return video.frame_rate == edl.rate and bits_a_second <= Fraction(MOST_BITS_PER_PIXEL) * pixels_a_second


def _is_plain(video: VideoStream) -> bool:
    upright = not video.rotation and not video.mirrored
    even = not video.variable_frame_rate and not video.interlaced
    return video.codec == "h264" and video.pixel_format == "yuv420p" and upright and even
