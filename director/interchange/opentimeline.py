"""The edit as OpenTimelineIO, which carries the whole of it: what a timeline has no word for lies in its metadata."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import opentimelineio as otio

from director.interchange.media import MediaUrl, media_urls
from director.interchange.source_frames import first_frame, frames_of
from schemas.edl import EDL, AudioClip, Decision, Source, VideoClip
from schemas.invalid_input import InvalidInput

#: Where everything of ours lies in the metadata of a timeline, a clip or a marker.
OURS = "cinema"

#: What a timeline's tracks and clips say already, so that no second copy of it can disagree.
_ON_TRACKS = {"video", "overlays", "audio"}


def export_otio(edl: EDL, *, media_url: MediaUrl) -> str:
    """The edit as OpenTimelineIO JSON; ``import_otio`` reads it back, changed in another program or not.

    Every duration is a whole number of frames at the edit's rate.

    Args:
        edl: the edit.
        media_url: where each source lies, as a function of the source or a mapping from its id.

    Raises:
        InvalidInput: the edit holds a number that a timeline has no room for, as none of a director's does.
        KeyError: the mapping lacks a source.
    """
    text: str = timeline_of(edl, media_url=media_url).to_json_string(indent=2)
    return text


def timeline_of(edl: EDL, *, media_url: MediaUrl) -> otio.schema.Timeline:
    """The edit as an OpenTimelineIO timeline: base picture, covers, and a track for each of the sound's.

    Raises:
        InvalidInput: the edit holds a number that a timeline has no room for, as none of a director's does.
        KeyError: the mapping lacks a source.
    """
    urls = media_urls(edl, media_url)
    try:
        return _timeline(edl, urls)
    except ValueError as error:
        raise InvalidInput.of("", "holds a number that is larger than 64 bits have room for") from error


def _timeline(edl: EDL, urls: Mapping[str, str]) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline(name=edl.title, global_start_time=_time(0, edl.rate))
    timeline.metadata[OURS] = edl.model_dump(mode="json", exclude=_ON_TRACKS)
    tracks = TrackWriter(edl, urls)
    timeline.tracks.append(tracks.track("Video", otio.schema.TrackKind.Video, edl.video))
    if edl.overlays:
        timeline.tracks.append(tracks.track("B-roll", otio.schema.TrackKind.Video, edl.overlays))
    for sound in edl.audio:
        written = tracks.track(sound.role.replace("_", " ").capitalize(), otio.schema.TrackKind.Audio, sound.clips)
        written.metadata[OURS] = sound.model_dump(mode="json", exclude={"clips"})
        timeline.tracks.append(written)
    timeline.tracks.markers.extend(_markers(edl))
    return timeline


class TrackWriter:
    """Writes clips of one edit as tracks, with gaps where nothing lies."""

    def __init__(self, edl: EDL, urls: Mapping[str, str]) -> None:
        self._edl = edl
        self._sources: Mapping[str, Source] = {source.id: source for source in edl.sources}
        self._urls = urls
        self._reasons: Mapping[str, Decision] = {decision.id: decision for decision in edl.decisions}

    def track(self, name: str, kind: str, clips: Sequence[VideoClip | AudioClip]) -> otio.schema.Track:
        track = otio.schema.Track(name=name, kind=kind)
        position = 0
        for clip in clips:
            if clip.start > position:
                track.append(otio.schema.Gap(source_range=_range(0, clip.start - position, self._edl.rate)))
            if isinstance(clip, VideoClip) and clip.dissolve_in:
                track.append(self._dissolve(clip.dissolve_in))
            track.append(self._clip(clip))
            position = clip.end
        return track

    def _dissolve(self, frames: int) -> otio.schema.Transition:
        """Over the first frames of the next clip, out of handles of the last one."""
        return otio.schema.Transition(
            transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve,
            in_offset=_time(0, self._edl.rate),
            out_offset=_time(frames, self._edl.rate),
        )

    def _clip(self, clip: VideoClip | AudioClip) -> otio.schema.Clip:
        source = self._sources[clip.source]
        first = first_frame(clip, source, self._edl.rate)
        available = max(first + clip.duration, frames_of(clip, source, self._edl.rate))
        reference = otio.schema.ExternalReference(
            target_url=self._urls[clip.source], available_range=_range(0, available, self._edl.rate)
        )
        made = otio.schema.Clip(
            name=source.name, media_reference=reference, source_range=_range(first, clip.duration, self._edl.rate)
        )
        decision = self._reasons[clip.reason]
        made.metadata[OURS] = {
            "clip": clip.model_dump(mode="json"),
            "sha256": source.sha256,
            "reason": decision.sentence,
        }
        return made


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
        marker.metadata[OURS] = decision.model_dump(mode="json")
        yield marker


def _time(frames: int, rate: Fraction) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(frames, float(rate))


def _range(start: int, frames: int, rate: Fraction) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(_time(start, rate), _time(frames, rate))
