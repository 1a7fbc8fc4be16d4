"""The edit as Final Cut Pro's XML (FCPXML 1.10), which Final Cut Pro and Resolve read.

Times are exact fractions of a second, so that 23.976 and 29.97 survive. The format is Apple's ("FCPXML Reference" in
its developer documentation): base clips lie in the spine, all else is connected to the base clip it begins on, covers
in lanes above it and sound in lanes below.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import count
from typing import Final, TypeVar
from xml.etree import ElementTree as ET

from director.interchange.media import MediaUrl, media_urls
from director.interchange.printing import printable
from schemas.edl import (
    EDL,
    SAMPLE_RATE,
    AudioClip,
    AudioRole,
    Canvas,
    CropKey,
    Decision,
    Source,
    SourceVideo,
    VideoClip,
)
from schemas.timebase import round_half_up

_VERSION: Final = "1.10"
_ROLES: Final[Mapping[AudioRole, str]] = {AudioRole.DIALOGUE: "dialogue", AudioRole.MUSIC: "music"}
_OTHER_ROLE: Final = "effects"
#: The lane of the first track of sound; further ones lie below it.
_SOUND_LANE: Final = -1
_COVER_LANE: Final = 1

Item = TypeVar("Item")


def export_fcpxml(edl: EDL, *, media_url: MediaUrl) -> str:
    """The edit as FCPXML: cuts, covers, sound with its roles, framing at each clip's first frame, and the reasons.

    Moves of the frame, fades, grades and captions are left out.

    Raises:
        KeyError: the mapping lacks a source.
    """
    root = ET.Element("fcpxml", version=_VERSION)
    resources = ET.SubElement(root, "resources")
    _format(resources, "edit", edl.rate, (edl.canvas.width, edl.canvas.height))
    urls = media_urls(edl, media_url)
    for source in edl.sources:
        _asset(resources, source, urls[source.id])
    event = ET.SubElement(ET.SubElement(root, "library"), "event", name=printable(edl.title))
    project = ET.SubElement(event, "project", name=printable(edl.title))
    sequence = ET.SubElement(
        project, "sequence", format="edit", duration=_seconds(edl.duration / edl.rate), tcStart="0s", tcFormat="NDF"
    )
    _Spine(edl).write(ET.SubElement(sequence, "spine"))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n' + ET.tostring(root, encoding="unicode") + "\n"


class _Spine:
    """Base clips in order, each with what is connected to it and the decisions that were made on it."""

    def __init__(self, edl: EDL) -> None:
        self._edl = edl
        self._sources = {source.id: source for source in edl.sources}
        self._starts = [clip.start for clip in edl.video]
        self._covers = self._by_base((clip.start, clip) for clip in edl.overlays)
        self._sounds = self._by_base(
            (clip.start, (lane, track.role, clip))
            for lane, track in zip(count(_SOUND_LANE, -1), edl.audio, strict=False)
            for clip in track.clips
        )
        self._decisions = self._by_base((one.start, one) for one in edl.decisions if one.start is not None)

    def write(self, spine: ET.Element) -> None:
        for at, clip in enumerate(self._edl.video):
            if clip.dissolve_in:
                length = _seconds(self._seconds(clip.dissolve_in))
                start = _seconds(self._seconds(clip.start))
                ET.SubElement(spine, "transition", name="Cross Dissolve", offset=start, duration=length)
            written = self._picture(spine, clip, self._seconds(clip.start))
            zero = self._picture_in(clip) - self._seconds(clip.start)
            for cover in self._covers[at]:
                self._picture(written, cover, zero + self._seconds(cover.start)).set("lane", str(_COVER_LANE))
            for lane, role, sound in self._sounds[at]:
                self._sound(written, sound, zero + self._seconds(sound.start), lane, role)
            for decision in self._decisions[at]:
                self._marker(written, decision, zero)

    def _by_base(self, placed: Iterable[tuple[int, Item]]) -> defaultdict[int, list[Item]]:
        """What begins on each base clip, by the clip's place in the track."""
        found: defaultdict[int, list[Item]] = defaultdict(list)
        for start, item in placed:
            found[bisect_right(self._starts, start) - 1].append(item)
        return found

    def _picture(self, parent: ET.Element, clip: VideoClip, offset: Fraction) -> ET.Element:
        written = self._clip(parent, clip, offset, self._picture_in(clip))
        written.set("srcEnable", "video")
        video = self._sources[clip.source].video
        if video is not None and clip.crop:
            written.append(_framing(clip.crop[0], video, self._edl.canvas))
        return written

    def _sound(self, parent: ET.Element, clip: AudioClip, offset: Fraction, lane: int, role: AudioRole) -> None:
        written = self._clip(parent, clip, offset, Fraction(clip.source_in, SAMPLE_RATE))
        written.attrib.update(lane=str(lane), srcEnable="audio", audioRole=_ROLES.get(role, _OTHER_ROLE))
        if clip.gain:
            ET.SubElement(written, "adjust-volume", amount=f"{clip.gain[0].gain / 100:g}dB")

    def _clip(self, parent: ET.Element, clip: VideoClip | AudioClip, offset: Fraction, start: Fraction) -> ET.Element:
        return ET.SubElement(
            parent,
            "asset-clip",
            ref=_reference(clip.source),
            name=printable(self._sources[clip.source].name),
            offset=_seconds(offset),
            start=_seconds(start),
            duration=_seconds(self._seconds(clip.duration)),
        )

    def _marker(self, parent: ET.Element, decision: Decision, zero: Fraction) -> None:
        ET.SubElement(
            parent,
            "marker",
            start=_seconds(zero + self._seconds(decision.start or 0)),
            duration=_seconds(self._seconds(1)),
            value=printable(decision.sentence),
        )

    def _picture_in(self, clip: VideoClip) -> Fraction:
        """Seconds from the source's first picture to the clip's in point, on one of the source's frames."""
        video = self._sources[clip.source].video
        if video is None:
            return Fraction(0)
        frame = round_half_up((clip.source_in - video.start_pts) * video.time_base * video.frame_rate)
        return frame / video.frame_rate

    def _seconds(self, frames: int) -> Fraction:
        return frames / self._edl.rate


def _format(resources: ET.Element, name: str, rate: Fraction, size: tuple[int, int]) -> None:
    ET.SubElement(
        resources, "format", id=name, frameDuration=_seconds(1 / rate), width=str(size[0]), height=str(size[1])
    )


def _asset(resources: ET.Element, source: Source, url: str) -> None:
    """A source from its first picture on, or its first sample where it has none."""
    name = _reference(source.id)
    about: dict[str, str] = {"start": "0s"}
    lengths = []
    if source.video is not None:
        video = source.video
        _format(resources, f"f-{name}", video.frame_rate, (video.display_width, video.display_height))
        about |= {"hasVideo": "1", "format": f"f-{name}"}
        lengths.append((video.end_pts - video.start_pts) * video.time_base)
    if source.audio is not None:
        about |= {"hasAudio": "1", "audioSources": "1", "audioChannels": "2", "audioRate": str(SAMPLE_RATE)}
        lengths.append(Fraction(source.audio.samples, SAMPLE_RATE))
    about |= {"id": name, "name": printable(source.name), "duration": _seconds(max(lengths, default=Fraction(0)))}
    asset = ET.SubElement(resources, "asset", about)
    ET.SubElement(asset, "media-rep", kind="original-media", src=printable(url))


def _framing(crop: CropKey, video: SourceVideo, canvas: Canvas) -> ET.Element:
    """The transform that shows a crop, of a clip that was first fitted into the canvas.

    Positions count hundredths of the canvas's height from its middle, upwards.
    """
    fitted = min(Fraction(canvas.width, video.display_width), Fraction(canvas.height, video.display_height))
    scale = Fraction(canvas.width, crop.width)
    right = Fraction(2 * crop.x + crop.width - video.display_width, 2) * scale
    down = Fraction(2 * crop.y + crop.height - video.display_height, 2) * scale
    enlarged = float(scale / fitted)
    position = f"{float(-100 * right / canvas.height):.4f} {float(100 * down / canvas.height):.4f}"
    return ET.Element("adjust-transform", position=position, scale=f"{enlarged:.6f} {enlarged:.6f}")


def _reference(source_id: str) -> str:
    """An XML id for a source: it may not begin with a digit."""
    return f"source-{source_id}"


def _seconds(time: Fraction) -> str:
    return f"{time.numerator}s" if time.denominator == 1 else f"{time.numerator}/{time.denominator}s"
