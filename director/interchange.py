"""The edit for other programs: OpenTimelineIO, and the JSON Schema of the EDL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from schemas.edl import EDL, SAMPLE_RATE, AudioClip, Decision, Source, VideoClip
from schemas.timebase import round_half_up

MediaUrl = Callable[[Source], str] | Mapping[str, str]


def edl_json_schema() -> dict[str, Any]:
    """The JSON Schema of a serialised EDL, for clients."""
    return EDL.model_json_schema(mode="serialization")


def export_otio(edl: EDL, *, media_url: MediaUrl) -> str:
    """The edit as OpenTimelineIO JSON. Every duration is a whole number of frames at the edit's rate.

    Args:
        edl: the edit.
        media_url: where each source lies, as a function of the source or a mapping from its id.

    Raises:
        KeyError: the mapping lacks a source.
    """
    timeline = otio.schema.Timeline(name=edl.title, global_start_time=_time(0, edl.rate))
    timeline.metadata["cinema"] = {
        "schema_version": edl.schema_version,
        "director_version": edl.director_version,
        "variant": str(edl.variant),
        "rate": str(edl.rate),
        "canvas": {"width": edl.canvas.width, "height": edl.canvas.height},
    }
    urls = {source.id: media_url(source) if callable(media_url) else media_url[source.id] for source in edl.sources}
    sources = {source.id: source for source in edl.sources}
    reasons = {decision.id: decision for decision in edl.decisions}
    export = _Export(edl, sources, urls, reasons)
    timeline.tracks.append(export.track("Video", otio.schema.TrackKind.Video, edl.video))
    if edl.overlays:
        timeline.tracks.append(export.track("B-roll", otio.schema.TrackKind.Video, edl.overlays))
    for track in edl.audio:
        timeline.tracks.append(export.track(track.role.capitalize(), otio.schema.TrackKind.Audio, track.clips))
    timeline.tracks.markers.extend(_markers(edl))
    text: str = timeline.to_json_string(indent=2)
    return text


class _Export:
    """The parts of an edit that every exported clip is looked up in."""

    def __init__(
        self, edl: EDL, sources: Mapping[str, Source], urls: Mapping[str, str], reasons: Mapping[str, Decision]
    ) -> None:
        self._edl = edl
        self._sources = sources
        self._urls = urls
        self._reasons = reasons

    def track(self, name: str, kind: str, clips: Sequence[VideoClip | AudioClip]) -> otio.schema.Track:
        track = otio.schema.Track(name=name, kind=kind)
        position = 0
        for clip in clips:
            if clip.start > position:
                track.append(otio.schema.Gap(source_range=_range(0, clip.start - position, self._edl.rate)))
            track.append(self._clip(clip))
            position = clip.end
        return track

    def _clip(self, clip: VideoClip | AudioClip) -> otio.schema.Clip:
        source = self._sources[clip.source]
        first = self._first_frame(clip, source)
        available = max(first + clip.duration, self._frames_of(clip, source))
        reference = otio.schema.ExternalReference(
            target_url=self._urls[clip.source], available_range=_range(0, available, self._edl.rate)
        )
        made = otio.schema.Clip(
            name=source.name, media_reference=reference, source_range=_range(first, clip.duration, self._edl.rate)
        )
        decision = self._reasons[clip.reason]
        made.metadata["cinema"] = {
            "clip": clip.model_dump(mode="json"),
            "sha256": source.sha256,
            "reason": decision.sentence,
        }
        return made

    def _first_frame(self, clip: VideoClip | AudioClip, source: Source) -> int:
        """The clip's in point, in frames from the source's first picture or sample."""
        if isinstance(clip, AudioClip):
            return round_half_up(Fraction(clip.source_in, SAMPLE_RATE) * self._edl.rate)
        if source.video is None:
            return 0
        return round_half_up((clip.source_in - source.video.start_pts) * source.video.time_base * self._edl.rate)

    def _frames_of(self, clip: VideoClip | AudioClip, source: Source) -> int:
        if isinstance(clip, AudioClip):
            return (source.audio.samples * self._edl.rate / SAMPLE_RATE).__floor__() if source.audio else 0
        video = source.video
        return round_half_up((video.end_pts - video.start_pts) * video.time_base * self._edl.rate) if video else 0


def _markers(edl: EDL) -> Iterator[otio.schema.Marker]:
    for decision in edl.decisions:
        if decision.start is None:
            continue
        length = max(1, (decision.end or decision.start + 1) - decision.start)
        marker = otio.schema.Marker(
            name=decision.sentence,
            marked_range=_range(decision.start, length, edl.rate),
            color=otio.schema.MarkerColor.CYAN,
        )
        marker.metadata["cinema"] = decision.model_dump(mode="json")
        yield marker


def _time(frames: int, rate: Fraction) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(frames, float(rate))


def _range(start: int, frames: int, rate: Fraction) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(_time(start, rate), _time(frames, rate))
