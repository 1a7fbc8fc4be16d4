"""An OpenTimelineIO timeline from outside, taken apart into clips at whole frames."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any, Final

import opentimelineio as otio
from opentimelineio.exceptions import OTIOError

from director.interchange.opentimeline import OURS
from schemas.invalid_input import InvalidInput
from schemas.timebase import nearest_family_rate, round_half_up

#: Other programs keep rates and times as floats: a frame may be this far from a whole one.
_NEARLY_WHOLE: Final = Fraction(1, 100)
#: A frame that no timeline has: three years at 60 a second.
_BEYOND: Final = 1 << 33
#: Levels of metadata: ours has five.
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Item:
    """A clip of a timeline, in frames at the edit's rate.

    ``path`` names it in problems. ``clip`` is what ``export_otio`` wrote with it, ``None`` for one that came later.
    """

    path: str
    name: str
    start: int
    first: int
    duration: int
    url: str
    clip: dict[str, Any] | None


def parsed(text: str) -> otio.schema.Timeline:
    """Raises ``InvalidInput`` where the text is no OpenTimelineIO timeline."""
    try:
        # Python's parser bounds how deep it goes; OpenTimelineIO's would end the process.
        json.loads(text)
        found = otio.adapters.read_from_string(text, "otio_json")
    except (OTIOError, ValueError, TypeError, LookupError, RuntimeError) as error:
        raise InvalidInput.of("", "is no OpenTimelineIO JSON") from error
    if not isinstance(found, otio.schema.Timeline):
        raise InvalidInput.of("", "is OpenTimelineIO, but no timeline")
    return found


def items_of(track: otio.schema.Track, rate: Fraction) -> list[Item]:
    """The clips of a track, each with its place; gaps move on, and transitions take no time of their own.

    Raises:
        InvalidInput: something lies on the track that is no clip, or at no whole frame.
    """
    items, position = [], 0
    for number, child in enumerate(track):
        path = f"{track.name}.{number}"
        if isinstance(child, otio.schema.Transition):
            continue
        if not isinstance(child, otio.schema.Clip | otio.schema.Gap):
            raise InvalidInput.of(path, "is neither a clip nor a gap")
        duration = _frames(path, child.trimmed_range().duration, rate)
        if isinstance(child, otio.schema.Clip):
            items.append(_item(path, position, duration, child, rate))
        position += duration
    return items


def plain(value: Any, levels: int = _DEEPEST) -> Any:
    """Metadata as plain dictionaries and lists.

    Raises:
        InvalidInput: it is nested deeper than any of ours, or holds one of OpenTimelineIO's own objects.
    """
    if levels == 0:
        raise InvalidInput.of("metadata", "is nested too deep")
    match value:
        case Mapping():
            return {key: plain(item, levels - 1) for key, item in value.items()}
        case str():
            return value
        case Sequence():
            return [plain(item, levels - 1) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            raise InvalidInput.of("metadata", "holds more than text, numbers, lists and dictionaries")


def _item(path: str, start: int, duration: int, clip: otio.schema.Clip, rate: Fraction) -> Item:
    if duration < 1:
        raise InvalidInput.of(path, "lasts no frame")
    reference, about = clip.media_reference, plain(clip.metadata.get(OURS))
    return Item(
        path=path,
        name=clip.name or "a clip without a name",
        start=start,
        first=_frames(path, clip.trimmed_range().start_time, rate),
        duration=duration,
        url=reference.target_url if isinstance(reference, otio.schema.ExternalReference) else "",
        clip=about.get("clip") if isinstance(about, dict) and isinstance(about.get("clip"), dict) else None,
    )


def _frames(path: str, time: otio.opentime.RationalTime, rate: Fraction) -> int:
    """A time of the timeline in frames of the edit; its rate is taken for the nearest that there is."""
    if not (isfinite(time.value) and isfinite(time.rate) and time.rate > 0 and abs(time.value) < _BEYOND):
        raise InvalidInput.of(path, "has a time that is none")
    frames = Fraction(time.value) * rate / nearest_family_rate(Fraction(time.rate))
    whole = round_half_up(frames)
    if abs(frames - whole) > _NEARLY_WHOLE:
        raise InvalidInput.of(path, f"has a time that is no whole frame at {rate} frames a second")
    return whole
