"""An OpenTimelineIO timeline that ``export_otio`` wrote, changed in another program or not, as an edit again."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import opentimelineio as otio
from pydantic import TypeAdapter, ValidationError

from director.by_hand import BY_HAND, by_hand
from director.interchange.moved import Moved, MovedFrames
from director.interchange.opentimeline import OURS
from director.interchange.source_frames import first_frame
from director.interchange.timeline_items import Item, items_of, parsed, plain
from director.interchange.trimming import trimmed_picture, trimmed_sound
from schemas.edl import EDL, AudioClip, Caption, Decision, Source, VideoClip
from schemas.invalid_input import InvalidInput
from schemas.timebase import Rate

_RATE: Final[TypeAdapter[Rate]] = TypeAdapter(Rate)
_SOURCES: Final = TypeAdapter(tuple[Source, ...])
_CAPTIONS: Final = TypeAdapter(tuple[Caption, ...])
_DECISIONS: Final = TypeAdapter(tuple[Decision, ...])


def import_otio(text: str) -> EDL:
    """The timeline as an edit: clips where they are now, captions and decisions moved along with their pictures.

    A timeline that nobody changed gives back the edit it was written from. Crops, gains and fades of a clip that was
    shortened are kept for the part that is left.

    Raises:
        InvalidInput: it is no timeline, was not written by ``export_otio``, uses other media, or makes no valid edit.
    """
    timeline = parsed(text)
    about = plain(timeline.metadata.get(OURS))
    if not isinstance(about, dict):
        raise InvalidInput.of("metadata.cinema", "is missing: only a timeline that was exported here can be read back")
    try:
        return _Reader(timeline, about).edit()
    except ValidationError as error:
        raise InvalidInput.from_validation(error) from error


class _Reader:
    """One timeline, and what it says of the edit that it was written from."""

    def __init__(self, timeline: otio.schema.Timeline, about: Mapping[str, Any]) -> None:
        self._title = timeline.name
        self._about = about
        self._rate = _RATE.validate_python(about.get("rate"))
        self._sources = {source.id: source for source in _SOURCES.validate_python(about.get("sources"))}
        self._pictures = [items_of(track, self._rate) for track in timeline.video_tracks()]
        self._sounds = [
            (plain(track.metadata.get(OURS)), items_of(track, self._rate)) for track in timeline.audio_tracks()
        ]
        self._by_url = dict(self._known_urls())
        self._names: set[str] = set()

    def edit(self) -> EDL:
        if not 1 <= len(self._pictures) <= 2:
            raise InvalidInput.of("tracks", "should have one or two of picture: the base, and what covers it")
        video, *covers = (tuple(map(self._picture, items)) for items in self._pictures)
        video = _from_nothing(video)
        audio = [{**_fields(about), "clips": tuple(map(self._sound, items))} for about, items in self._sounds]
        clips = [*video, *chain.from_iterable(covers), *chain.from_iterable(track["clips"] for track in audio)]
        duration = max((clip.end for clip in video), default=0)
        moved = MovedFrames(tuple(self._moves(video)))
        return EDL.model_validate(
            {
                **self._about,
                "title": self._title,
                "duration": duration,
                "video": video,
                "overlays": tuple(chain.from_iterable(covers)),
                "audio": tuple(audio),
                "captions": moved.captions(_CAPTIONS.validate_python(self._about.get("captions", ())), duration),
                "decisions": self._decisions(moved, frozenset(clip.reason for clip in clips)),
            }
        )

    def _decisions(self, moved: MovedFrames, named: frozenset[str]) -> tuple[Decision, ...]:
        kept = moved.decisions(_DECISIONS.validate_python(self._about.get("decisions", ())), named)
        if BY_HAND in named and all(decision.id != BY_HAND for decision in kept):
            return (*kept, by_hand())
        return kept

    def _known_urls(self) -> Iterator[tuple[str, str]]:
        for item in chain(*self._pictures, *(items for _, items in self._sounds)):
            source = _fields(item.clip).get("source")
            if item.url and isinstance(source, str) and source in self._sources:
                yield item.url, source

    def _moves(self, video: Sequence[VideoClip]) -> Iterator[Moved]:
        for item, clip in zip(self._pictures[0], video, strict=True):
            if item.clip is not None:
                was = VideoClip.model_validate(item.clip)
                first = was.start + item.first - first_frame(was, self._sources[was.source], self._rate)
                yield Moved(first, first + item.duration, clip.start)

    def _picture(self, item: Item) -> VideoClip:
        was = VideoClip.model_validate(item.clip or {**self._new(item), **self._beginning(item)})
        trimmed = trimmed_picture(was, self._source(was), self._rate, item.first, item.duration)
        return trimmed.model_copy(update={"id": self._name(was.id), "start": item.start})

    def _sound(self, item: Item) -> AudioClip:
        was = AudioClip.model_validate(item.clip or {**self._new(item), "source_in": 0})
        trimmed = trimmed_sound(was, self._source(was), self._rate, item.first, item.duration)
        return trimmed.model_copy(update={"id": self._name(was.id), "start": item.start})

    def _new(self, item: Item) -> dict[str, Any]:
        """A clip that was put in since, as if it showed its source from the beginning."""
        source = self._by_url.get(item.url)
        if source is None:
            raise InvalidInput.of(item.path, "is of media that the edit it was exported from does not use")
        return {"id": "new", "source": source, "start": 0, "duration": item.duration, "reason": BY_HAND}

    def _beginning(self, item: Item) -> dict[str, int]:
        video = self._sources[self._by_url[item.url]].video
        if video is None:
            raise InvalidInput.of(item.path, "is on a track of picture, and its media has none")
        return {"source_in": video.start_pts, "source_out": video.start_pts + 1}

    def _source(self, clip: VideoClip | AudioClip) -> Source:
        if clip.source not in self._sources:
            raise InvalidInput.of(
                f"clip {clip.id}", f"names source {clip.source}, which the timeline does not describe"
            )
        return self._sources[clip.source]

    def _name(self, wanted: str) -> str:
        """Of a clip that was split or copied, only the first keeps its name."""
        name, copies = wanted, 1
        while name in self._names:
            copies += 1
            name = f"{wanted[:50]}-{copies}"
        self._names.add(name)
        return name


def _from_nothing(video: tuple[VideoClip, ...]) -> tuple[VideoClip, ...]:
    """A base track whose first clip dissolves from none: one may have become the first."""
    return tuple(clip.model_copy(update={"dissolve_in": 0}) for clip in video[:1]) + video[1:]


def _fields(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
