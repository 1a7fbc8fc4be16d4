"""Where another scene begins: a shot that does not look like the ones before it. A speaker cut short is in the same."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence

from director.material import Footage
from director.script import Script
from director.style import SCENE_COLOUR, SCENE_LIGHT, SCENES_REMEMBERED
from schemas.facts import PictureMeasures

#: A shot: the number of its footage, and the frame it starts on.
_Shot = tuple[int, int]


def scene_changes(script: Script) -> Iterator[bool]:
    """Of each word but the first, whether it is said in another scene than the words before.

    Two people who are shown in turn are one scene. A shot that was not measured is taken for another one.
    """
    shots = _shots_of(script)
    seen: deque[PictureMeasures | None] = deque(maxlen=SCENES_REMEMBERED)
    before: _Shot | None = None
    for number, frame in shots:
        changes = False
        if (number, frame) != before:
            look = look_of(script.footage[number], frame)
            changes = not any(look_alike(look, other) for other in seen)
            if changes:
                seen.append(look)
        if before is not None:
            yield changes
        before = number, frame


def _shots_of(script: Script) -> Sequence[_Shot]:
    spoken = zip(script.places, script.words, strict=True)
    return [(number, script.footage[number].shot_at(word.start)[0]) for (number, _), word in spoken]


def look_of(footage: Footage, frame: int) -> PictureMeasures | None:
    """The light and colour of the shot at a frame; ``None`` where they were not measured."""
    picture, clock = footage.facts.picture, footage.clock
    if picture is None or not picture.shots:
        return None
    middle_us = clock.us(sum(footage.shot_at(frame)) // 2)
    return picture.shots[max(0, bisect_right(picture.shots, middle_us, key=lambda shot: shot.start_us) - 1)].measures


def look_alike(one: PictureMeasures | None, other: PictureMeasures | None) -> bool:
    """Whether two shots may belong to one scene; one that was not measured is taken for another one."""
    if one is None or other is None:
        return False
    light = (one.exposure - other.exposure, one.shadows - other.shadows, one.highlights - other.highlights)
    colour = (one.warmth - other.warmth, one.tint - other.tint, one.saturation - other.saturation)
    return max(map(abs, light)) <= SCENE_LIGHT and max(map(abs, colour)) <= SCENE_COLOUR
