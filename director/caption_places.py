"""Where captions stand in the picture: at the foot of their area, or where they hide less of what is to be seen.

That is at its head, off a mouth, or beside a picture that is shown whole and leaves a band of the canvas free. Each
shot has one place, so that text does not jump about while the picture stands still.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from director.costs import shares
from director.ledger import Ledger
from director.material import Footage, SeenFace
from director.style import BESIDE_PICTURE_EMS, CAPTION_HEIGHT_EMS, EYES_REACH, MOUTH_REACH, RIVAL_FACE
from schemas.edl import EDL, Canvas, Caption, CaptionStyle, Evidence, Fit
from schemas.timebase import round_half_up
from schemas.timeline import Area, Stretch, crop_at, visible_stretches

#: A shot: its source, and the source frame it starts on.
_Shot = tuple[str, int]
#: Parts of a face by their names in the table of costs, for a sentence.
_PARTS = {"mouth_covered": "mouth", "eyes_covered": "eyes", "face_covered": "face"}
#: What a place may spare, likewise.
_SPARED = {**{part: f"the {what}" for part, what in _PARTS.items()}, "picture_covered": "a picture that is shown whole"}
#: Rows of the canvas, from the first to one past the last.
_Rows = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Head:
    """Rows of the canvas that the parts of a face take up, at one sampled time."""

    whole: _Rows
    eyes: _Rows
    mouth: _Rows

    def covered_by(self, rows: _Rows) -> tuple[float, ...]:
        """The shares of the mouth, the eyes and the whole face that text on these rows lies over."""
        return tuple(_share_of(part, rows) for part in (self.mouth, self.eyes, self.whole))


@dataclass(frozen=True, slots=True)
class _Stand:
    """A place for captions: the row that two lines of text end on, and its name for a sentence."""

    bottom: int
    place: str


def _share_of(part: _Rows, rows: _Rows) -> float:
    return max(0.0, min(part[1], rows[1]) - max(part[0], rows[0])) / max(1.0, part[1] - part[0])


def where_they_hide_least(edl: EDL, footage: Mapping[str, Footage], ledger: Ledger) -> EDL:
    """The same edit with captions moved off mouths and pictures; ``footage`` is by source id."""
    style = edl.caption_style
    if style is None or not style.burn_in or not edl.captions:
        return edl
    stretches = visible_stretches(edl)
    shots = [_shot(stretch, footage[stretch.clip.source]) for stretch in stretches]
    seen: dict[_Shot, list[Stretch]] = defaultdict(list)
    for shot, stretch in zip(shots, stretches, strict=True):
        seen[shot].append(stretch)
    stands: dict[_Shot, _Stand] = {}
    for shot, parts in seen.items():
        heads = [head for part in parts for head in heads_in(part, footage[shot[0]], edl, style)]
        whole = [rows for part in parts if (rows := _whole_picture(part, footage[shot[0]], edl.canvas))]
        foot, *others = ((stand, _worth(heads, whole, stand, style)) for stand in _stands(style, whole))
        stand, worth = max([foot, *others], key=lambda one: _total(one[1]))
        if stand is not foot[0]:
            stands[shot] = stand
            _record(shot, stand, parts, ledger, foot=foot[1], worth=worth)
    captions = tuple(
        caption.model_copy(update={"bottom": stands[shot].bottom})
        if (shot := _longest_shown(caption, stretches, shots)) in stands
        else caption
        for caption in edl.captions
    )
    return edl.model_copy(update={"captions": captions, "decisions": ledger.decisions}) if stands else edl


def _stands(style: CaptionStyle, whole: Sequence[_Rows]) -> Iterator[_Stand]:
    """Where text could stand: at the foot and the head of its area, and beside pictures that are shown ``whole``."""
    height, gap = _height(style), round(BESIDE_PICTURE_EMS * style.font_size)
    yield _Stand(style.bottom, "at the foot")
    yield _Stand(style.top + height, "at the head of their area")
    if whole:
        above, below = min(top for top, _ in whole) - gap, max(bottom for _, bottom in whole) + gap + height
        if above >= style.top + height:
            yield _Stand(min(style.bottom, int(above)), "above the picture")
        if below <= style.bottom:
            yield _Stand(math.ceil(below), "below the picture")


def _whole_picture(stretch: Stretch, footage: Footage, canvas: Canvas) -> _Rows | None:
    """Rows of the canvas that a picture takes up that does not fill it; ``None`` where it does."""
    clip, video = stretch.clip, footage.source.video
    if clip.fit is Fit.FILL or clip.place is not None or video is None:
        return None
    whole = Area(0, 0, video.display_width, video.display_height)
    shown = crop_at(clip.crop, stretch.first - clip.start, clip.motion) if clip.crop else whole
    area = _shown_at(shown, canvas, clip.fit)
    return area.y, area.y + area.height


def _height(style: CaptionStyle) -> int:
    """Of two lines, in pixels of the canvas."""
    return min(style.bottom - style.top, (CAPTION_HEIGHT_EMS * style.font_size).__ceil__())


def _shot(stretch: Stretch, footage: Footage) -> _Shot:
    return footage.source.id, footage.shot_at(_source_frame(stretch, footage))[0]


def _source_frame(stretch: Stretch, footage: Footage) -> int:
    """The frame of the source, at the edit's rate, that the stretch begins with."""
    clock, clip = footage.clock, stretch.clip
    begin = round_half_up((clip.source_in - clock.start_pts) * clock.time_base * clock.rate)
    return begin + stretch.first - clip.start


def heads_in(stretch: Stretch, footage: Footage, edl: EDL, style: CaptionStyle) -> Iterator[Head]:
    """Every face that matters, at each sampled time, that lies in the columns of the caption area."""
    video = footage.source.video
    if video is None or stretch.clip.place is not None:
        return
    begin = _source_frame(stretch, footage)
    first = bisect_left(footage.faces, begin, key=lambda seen: seen.frame)
    end = bisect_left(footage.faces, begin + stretch.end - stretch.first, key=lambda seen: seen.frame)
    whole = Area(0, 0, video.display_width, video.display_height)
    for frame, group in groupby(footage.faces[first:end], key=lambda seen: seen.frame):
        present = list(group)
        most = max(seen.prominence for seen in present)
        keys = stretch.clip.crop
        shown = (
            crop_at(keys, frame - begin + stretch.first - stretch.clip.start, stretch.clip.motion) if keys else whole
        )
        for seen in present:
            if seen.prominence >= RIVAL_FACE * most:
                yield from _head(seen, whole, shown, _shown_at(shown, edl.canvas, stretch.clip.fit), style)


def _shown_at(shown: Area, canvas: Canvas, fit: Fit) -> Area:
    """Where on the canvas a part of the picture is."""
    if fit is Fit.FILL:
        return Area(0, 0, canvas.width, canvas.height)
    scale = min(canvas.width / shown.width, canvas.height / shown.height)
    width, height = scale * shown.width, scale * shown.height
    return Area((canvas.width - width) / 2, (canvas.height - height) / 2, width, height)


def _head(seen: SeenFace, whole: Area, shown: Area, on_canvas: Area, style: CaptionStyle) -> Iterator[Head]:
    face, scale = seen.face, on_canvas.height / shown.height
    left = on_canvas.x + (face.left * whole.width - shown.x) * scale
    if left >= style.right or left + face.width * whole.width * scale <= style.left:
        return
    top, eyes = (on_canvas.y + (share * whole.height - shown.y) * scale for share in (face.top, face.eyes_y))
    chin = top + face.height * whole.height * scale
    reach, upper, lower = EYES_REACH * (chin - top), *(eyes + share * max(0.0, chin - eyes) for share in MOUTH_REACH)
    yield Head((top, chin), (eyes - reach, eyes + reach), (upper, lower))


def _worth(heads: Sequence[Head], whole: Sequence[_Rows], stand: _Stand, style: CaptionStyle) -> dict[str, float]:
    """How much of each part of the table of costs there is with text at this place."""
    rows = stand.bottom - _height(style), stand.bottom
    covered = [head.covered_by(rows) for head in heads] or [(0.0, 0.0, 0.0)]
    means = (sum(values) / len(covered) for values in zip(*covered, strict=True))
    room = style.bottom - style.top - _height(style)
    return {
        **dict(zip(_PARTS, means, strict=True)),
        "picture_covered": sum(_share_of(rows, picture) for picture in whole) / max(1, len(whole)),
        "moved_up": (style.bottom - stand.bottom) / max(1, room),
    }


def _total(worth: Mapping[str, float]) -> float:
    return sum(value for _, value in shares(worth))


def _record(
    shot: _Shot,
    stand: _Stand,
    parts: Sequence[Stretch],
    ledger: Ledger,
    *,
    foot: Mapping[str, float],
    worth: Mapping[str, float],
) -> None:
    hidden = ((foot[part], what) for part, what in _PARTS.items())
    spared = max((foot[part] - worth[part], what) for part, what in _SPARED.items())[1]
    ledger.record(
        "caption_place",
        f"Captions stand {stand.place} in this shot, so that they do not lie over {spared}",
        Evidence(
            fact="what captions at the foot would cover",
            value=" and ".join(f"{share:.0%} of the {what}" for share, what in hidden),
            source=shot[0],
        ),
        worth=worth,
        start=parts[0].first,
        end=parts[-1].end,
    )


def _longest_shown(caption: Caption, stretches: Sequence[Stretch], shots: Sequence[_Shot]) -> _Shot:
    """The shot that is seen longest while a caption is up."""
    at = bisect_left(stretches, caption.start + 1, key=lambda stretch: stretch.end)
    shown: dict[_Shot, int] = defaultdict(int)
    while at < len(stretches) and stretches[at].first < caption.end:
        shown[shots[at]] += min(stretches[at].end, caption.end) - max(stretches[at].first, caption.start)
        at += 1
    return max(shown, key=lambda shot: shown[shot])
