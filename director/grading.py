"""What is done to colours: shots brought to the light and white of the others, then the look of the style."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import log2

from director.ledger import Ledger
from director.material import Footage
from director.style import (
    EXPOSURE_MATCH_MILLISTOPS,
    LEAST_MATCH_MILLISTOPS,
    LEAST_MATCH_WHITE,
    LOOKS,
    WHITE_MATCH,
    WHITE_PER_CAST,
)
from schemas.edl import Evidence, Grade, VideoClip
from schemas.facts import PictureMeasures
from schemas.jobs import EditStyle
from schemas.timebase import round_half_up

#: Video is coded so that light is about this power of the luma (ITU-R BT.1886 has 2.4; cameras aim a little below).
_GAMMA = 2.2
#: Of a picture darker than this, the light is not worth measuring.
_DARK = 0.02

Clips = tuple[VideoClip, ...]


def graded(
    video: Clips, overlays: Clips, footage: Mapping[str, Footage], style: EditStyle, ledger: Ledger
) -> tuple[Clips, Clips]:
    """The clips with their grades: none for the natural style, which shows the picture as it was shot.

    The light and the white that shots are brought to are the medians of the base track, by time.
    """
    look = LOOKS[style]
    if look is None:
        return video, overlays
    asked = Evidence(fact="style asked for", value=style.value)
    ledger.record("look", f"The picture is graded {style.value}", asked, worth={"look": 1})
    measured = {clip.id: found for clip in (*video, *overlays) if (found := _measures(clip, footage[clip.source]))}
    base = [(measured[clip.id], clip.duration) for clip in video if clip.id in measured]
    if not base:
        return tuple(_with(clip, look) for clip in video), tuple(_with(clip, look) for clip in overlays)
    aim = tuple(_median([(_value(one, name), frames) for one, frames in base]) for name in _MATCHED)
    grades = {ident: _matched(look, one, aim) for ident, one in measured.items()}
    _record_matching(grades, look, aim, ledger)
    both = tuple(tuple(_with(clip, grades.get(clip.id, look)) for clip in clips) for clips in (video, overlays))
    return both[0], both[1]


_MATCHED = ("exposure", "warmth", "tint")


def _value(measures: PictureMeasures, name: str) -> float:
    return float(getattr(measures, name))


def _with(clip: VideoClip, grade: Grade) -> VideoClip:
    return clip.model_copy(update={"grade": grade})


def _measures(clip: VideoClip, footage: Footage) -> PictureMeasures | None:
    """How the shot looks that the middle of the clip lies in."""
    picture, clock = footage.facts.picture, footage.clock
    if picture is None or not picture.shots:
        return None
    first = round_half_up((clip.source_in - clock.start_pts) * clock.time_base * clock.rate)
    middle_us = clock.us(first + clip.duration // 2)
    return picture.shots[max(0, bisect_right(picture.shots, middle_us, key=lambda shot: shot.start_us) - 1)].measures


def _median(weighed: Sequence[tuple[float, int]]) -> float:
    ordered = sorted(weighed)
    half, passed = sum(weight for _, weight in ordered) / 2, 0
    for value, weight in ordered:
        passed += weight
        if passed >= half:
            return value
    return ordered[-1][0]


def _matched(look: Grade, measures: PictureMeasures, aim: Sequence[float]) -> Grade:
    """The look, after the shot is brought nearer to what is aimed at; differences nobody sees are left."""
    stops = 0.0
    if min(measures.exposure, aim[0]) > _DARK:
        stops = _GAMMA * log2(aim[0] / measures.exposure)
    exposure = _within(1000 * stops, EXPOSURE_MATCH_MILLISTOPS, LEAST_MATCH_MILLISTOPS)
    warmth = _within(WHITE_PER_CAST * (aim[1] - measures.warmth), WHITE_MATCH, LEAST_MATCH_WHITE)
    tint = _within(WHITE_PER_CAST * (aim[2] - measures.tint), WHITE_MATCH, LEAST_MATCH_WHITE)
    return look.model_copy(update={"exposure_millistops": exposure, "warmth": warmth, "tint": tint})


def _within(value: float, most: int, least: int) -> int:
    whole = min(max(round(value), -most), most)
    return whole if abs(whole) >= least else 0


def _record_matching(grades: Mapping[str, Grade], look: Grade, aim: Sequence[float], ledger: Ledger) -> None:
    changed = [grade for grade in grades.values() if grade != look]
    if not changed:
        return
    most = max((grade.exposure_millistops for grade in changed), key=abs)
    ledger.record(
        "matching",
        f"{len(changed)} of {len(grades)} clips are brought to the light and white of the others, "
        f"by up to {abs(most) / 1000:.2f} stops",
        Evidence(fact="median luma of the base track", value=f"{aim[0]:.3f}"),
        Evidence(fact="median warmth of the base track", value=f"{aim[1]:+.3f}"),
        Evidence(fact="median tint of the base track", value=f"{aim[2]:+.3f}"),
        worth={"matched": len(changed) / len(grades)},
    )
