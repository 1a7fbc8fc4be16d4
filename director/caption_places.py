"""Where captions stand in the picture: at the foot of their area, or at its head where a mouth would be under them.

Each shot has one place, so that text does not jump about while the picture stands still.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from director.costs import shares
from director.ledger import Ledger
from director.material import Footage, SeenFace
from director.style import CAPTION_HEIGHT_EMS, EYES_REACH, MOUTH_REACH, RIVAL_FACE
from schemas.edl import EDL, Canvas, Caption, CaptionStyle, Evidence, Fit
from schemas.timebase import round_half_up
from schemas.timeline import Area, Stretch, crop_at, visible_stretches

#: A shot: its source, and the source frame it starts on.
_Shot = tuple[str, int]
#: Parts of a face by their names in the table of costs, for a sentence.
_PARTS = {"mouth_covered": "mouth", "eyes_covered": "eyes", "face_covered": "face"}
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


def _share_of(part: _Rows, rows: _Rows) -> float:
    return max(0.0, min(part[1], rows[1]) - max(part[0], rows[0])) / max(1.0, part[1] - part[0])


def off_the_mouth(edl: EDL, footage: Mapping[str, Footage], ledger: Ledger) -> EDL:
    """The same edit with captions moved out of the way of mouths; ``footage`` is by source id."""
    style = edl.caption_style
    if style is None or not style.burn_in or not edl.captions:
        return edl
    stretches = visible_stretches(edl)
    shots = [_shot(stretch, footage[stretch.clip.source]) for stretch in stretches]
    seen: dict[_Shot, list[Stretch]] = defaultdict(list)
    for shot, stretch in zip(shots, stretches, strict=True):
        seen[shot].append(stretch)
    above = style.top + _height(style)
    raised: set[_Shot] = set()
    for shot, parts in seen.items():
        heads = [head for part in parts for head in heads_in(part, footage[shot[0]], edl, style)]
        foot = _worth(heads, (style.bottom - _height(style), style.bottom))
        head = _worth(heads, (style.top, above)) | {"moved_up": 1.0}
        if _total(head) > _total(foot):
            raised.add(shot)
            _record(shot, foot, head, parts, ledger)
    captions = tuple(
        caption.model_copy(update={"bottom": above}) if _longest_shown(caption, stretches, shots) in raised else caption
        for caption in edl.captions
    )
    return edl.model_copy(update={"captions": captions, "decisions": ledger.decisions}) if raised else edl


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


def _worth(heads: Sequence[Head], rows: _Rows) -> dict[str, float]:
    """How much of each part of the table of costs there is with text on these rows."""
    covered = [head.covered_by(rows) for head in heads] or [(0.0, 0.0, 0.0)]
    means = (sum(values) / len(covered) for values in zip(*covered, strict=True))
    return dict(zip(_PARTS, means, strict=True))


def _total(worth: Mapping[str, float]) -> float:
    return sum(value for _, value in shares(worth))


def _record(
    shot: _Shot, foot: Mapping[str, float], head: Mapping[str, float], parts: Sequence[Stretch], ledger: Ledger
) -> None:
    covered = " and ".join(f"{foot[part]:.0%} of the {what}" for part, what in _PARTS.items())
    ledger.record(
        "caption_place",
        "Captions stand above the face in this shot, so that they do not lie over the mouth",
        Evidence(fact="what captions at the foot would cover", value=covered, source=shot[0]),
        worth=head,
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
