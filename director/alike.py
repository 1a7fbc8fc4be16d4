"""Sentences that say the same but for their numbers, told as one."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Told = TypeVar("Told")

#: A number that stands by itself: not one in a name, such as that of a file.
_NUMBER = re.compile(r"(?<!\S)\d+(?:\.\d+)?(?=\s)")
#: Places that are named; the rest are counted.
_PLACES_NAMED = 10


def alike(things: Iterable[Told], key: Callable[[Told], tuple[str, str]]) -> list[list[Told]]:
    """Groups of what is of one kind and said alike, each where the first of it is; ``key`` is the kind and sentence."""
    groups: dict[tuple[str, str], list[Told]] = {}
    for thing in things:
        kind, sentence = key(thing)
        groups.setdefault((kind, _NUMBER.sub("#", sentence)), []).append(thing)
    return list(groups.values())


def in_one(sentences: Sequence[str]) -> str:
    """What sentences that are alike say, with the least and the greatest of each number in them."""
    ranges = [_range(numbers) for numbers in zip(*map(_NUMBER.findall, sentences), strict=True)]
    return _NUMBER.sub(lambda _: ranges.pop(0), sentences[0])


def times(places: Sequence[str | None]) -> str:
    """How often, and where else than at the first of the ``places``; nothing where there is only that.

    ``None`` is no place on the timeline.
    """
    if len(places) < 2:
        return ""
    others = [place for place in places[1:] if place is not None]
    more = f" and {len(others) - _PLACES_NAMED} more" if len(others) > _PLACES_NAMED else ""
    often = "twice" if len(places) == 2 else f"{len(places)} times"
    return f", {often}" + (f": also at {', '.join(others[:_PLACES_NAMED])}{more}" if others else "")


def _range(numbers: Sequence[str]) -> str:
    least, most = min(numbers, key=float), max(numbers, key=float)
    return least if float(least) == float(most) else f"{least} to {most}"
