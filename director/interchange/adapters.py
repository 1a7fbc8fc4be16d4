"""The edit as Premiere Pro's XML and as a CMX 3600 list, through OpenTimelineIO's own adapters.

Both keep 23.976 and 29.97 as what they are (a time base and an NTSC flag; drop-frame timecode). The adapter for Final
Cut Pro X does not, so that one is written here (``fcpxml``).
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import opentimelineio as otio

from director.interchange.media import MediaUrl, media_urls
from director.interchange.opentimeline import TrackWriter, timeline_of
from director.interchange.printing import printable
from director.interchange.source_frames import first_frame
from director.interchange.trimming import trimmed_picture
from schemas.edl import EDL, VideoClip
from schemas.timeline import visible_stretches

_XMEML: Final = "fcp_xml"
_CMX: Final = "cmx_3600"

#: Rates whose timecode drops frame numbers to keep up with the clock (SMPTE ST 12-1).
_DROP_FRAME: Final = frozenset({Fraction(30000, 1001), Fraction(60000, 1001)})


def export_premiere(edl: EDL, *, media_url: MediaUrl) -> str:
    """Final Cut Pro 7's interchange format (xmeml 4), which Premiere Pro and Resolve read: cuts, covers and sound.

    Crops, fades, grades and captions, for which these programs share no words in it, are left out.

    Raises:
        KeyError: the mapping lacks a source.
    """
    timeline = timeline_of(edl, media_url=media_url)
    size = {"width": str(edl.canvas.width), "height": str(edl.canvas.height)}
    timeline.tracks.metadata[_XMEML] = {"media": {"video": {"format": {"samplecharacteristics": size}}}}
    return _written(timeline, _XMEML)


def export_cmx3600(edl: EDL, *, media_url: MediaUrl) -> str:
    """The picture as one CMX 3600 list, covers cut into it: the format knows a single track of picture.

    Each source is a reel, numbered in the edit's order; the file's name stands in a comment.

    Raises:
        KeyError: the mapping lacks a source.
    """
    reels = {source.id: f"R{number:03d}" for number, source in enumerate(edl.sources, start=1)}
    seen = tuple(_seen(edl))
    track = TrackWriter(edl, media_urls(edl, media_url)).track("V", otio.schema.TrackKind.Video, seen)
    for clip, written in zip(seen, track, strict=True):
        written.metadata[_CMX] = {"reel": reels[clip.source]}
    timeline = otio.schema.Timeline(name=edl.title)
    timeline.tracks.append(track)
    code_mode = "DROP FRAME" if edl.rate in _DROP_FRAME else "NON-DROP FRAME"
    return _written(timeline, _CMX).replace("\n\n", f"\nFCM: {code_mode}\n\n", 1)


def _seen(edl: EDL) -> Iterator[VideoClip]:
    """What a viewer sees, piece by piece, each as a clip of its own."""
    sources = {source.id: source for source in edl.sources}
    for stretch in visible_stretches(edl):
        clip, source = stretch.clip, sources[stretch.clip.source]
        first = first_frame(clip, source, edl.rate) + stretch.first - clip.start
        part = trimmed_picture(clip, source, edl.rate, first, stretch.end - stretch.first)
        yield part.model_copy(update={"start": stretch.first, "dissolve_in": 0})


def _written(timeline: otio.schema.Timeline, adapter: str) -> str:
    timeline.name = printable(timeline.name)
    for marker in timeline.tracks.markers:
        marker.name = printable(marker.name)
    for clip in timeline.find_clips():
        clip.name = printable(clip.name)
        clip.media_reference.target_url = printable(clip.media_reference.target_url)
    text: str = otio.adapters.write_to_string(timeline, adapter)
    return text
