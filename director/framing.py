"""Which part of the picture is shown: one camera path per shot, never frame by frame."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby, pairwise
from statistics import median_low

from director.material import Footage, SeenFace
from director.style import (
    CROP_ASPECT_RATIO,
    EYE_LINE,
    FACE_INSIDE_SHARE,
    FACE_MARGIN,
    HOLD_BETWEEN_CUTS_US,
    HOLD_US,
    MOVE_US,
    MOVE_WIDTHS_PER_S,
    PAN_WIDTHS_PER_S,
    REVERSALS_PER_S,
    RIVAL_FACE,
    WIDEST_CROPPED,
    WIDEST_OF_UPRIGHT,
)
from schemas.edl import Canvas, CropKey, Fit
from schemas.facts import FaceSample
from schemas.media import AssetKind
from schemas.timebase import round_half_up

Range = tuple[int, int]
#: Crops of an upright picture that are tried, from the lowest to the whole.
_CROPS_TRIED = 4


@dataclass(frozen=True, slots=True)
class Leg:
    """The crop's left edge moves from ``x_start`` to ``x_end`` over source frames ``[start, end)``."""

    start: int
    end: int
    x_start: int
    x_end: int

    def at(self, frame: int) -> int:
        span = max(1, self.end - 1 - self.start)
        progress = min(max(frame - self.start, 0), span)
        return self.x_start + round_half_up(Fraction((self.x_end - self.x_start) * progress, span))


@dataclass(frozen=True, slots=True)
class Framing:
    """How a shot is framed: a crop of fixed size on a path, or (no legs) the whole picture; ``why`` in a sentence.

    ``worth`` is how much there is of each part of the table of costs.
    """

    fit: Fit
    width: int
    height: int
    y: int
    legs: tuple[Leg, ...]
    why: str
    faces: int = 0
    worth: Mapping[str, float] = field(default_factory=dict)

    @property
    def stands_still(self) -> bool:
        return len({x for leg in self.legs for x in (leg.x_start, leg.x_end)}) <= 1

    def at(self, frame: int) -> CropKey:
        """The crop of a framing that stands still, as a key at a clip-relative frame."""
        x = self.legs[0].x_start if self.legs else 0
        return CropKey(frame=frame, x=x, y=self.y, width=self.width, height=self.height)

    def keys(self, first: int, end: int) -> tuple[CropKey, ...]:
        """Crop keys of the clip that shows source frames ``[first, end)``."""
        positions: dict[int, int] = {}
        for leg in self.legs:
            start, stop = max(leg.start, first), min(leg.end, end)
            if start >= stop:
                continue
            positions[start - first] = leg.at(start)
            positions[stop - 1 - first] = leg.at(stop - 1)
        points = _sparse(sorted(positions.items()))
        return tuple(CropKey(frame=at, x=x, y=self.y, width=self.width, height=self.height) for at, x in points)


@dataclass(frozen=True, slots=True)
class Seen:
    """The face or faces to keep in frame at one source frame, in display pixels."""

    frame: int
    left: float
    top: float
    right: float
    bottom: float
    eyes: float


def frame_shot(footage: Footage, kept: Sequence[Range], canvas: Canvas) -> Framing:
    """Frames one shot for the parts of it that are ``kept`` (source frames, in order)."""
    seen = _seen(footage, kept, canvas)
    if _is_cropped(footage, canvas):
        framing = _crop(footage, seen, kept, canvas, Fraction(1))
    else:
        framing = _enlarged(footage, seen, kept, canvas)
    return framing or _whole(footage, canvas, len(seen))


def frame_closer(footage: Footage, kept: Sequence[Range], canvas: Canvas, size: Fraction) -> Framing | None:
    """The same shot ``size`` times closer; ``None`` where its faces do not stay inside so close a framing."""
    seen = _seen(footage, kept, canvas)
    fills = _is_cropped(footage, canvas) and _crop(footage, seen, kept, canvas, Fraction(1)) is not None
    if fills:
        return _crop(footage, seen, kept, canvas, size)
    wide = frame_shot(footage, kept, canvas)
    return _placed(footage, seen, kept, (_pixels(wide.width / size), _pixels(wide.height / size)), Fit.BLURRED)


def _enlarged(footage: Footage, seen: Sequence[Seen], kept: Sequence[Range], canvas: Canvas) -> Framing | None:
    """An upright picture on a wide canvas: as low a part of it as its faces allow, which is shown as large."""
    width, height = _size(footage)
    lowest = round(width / WIDEST_OF_UPRIGHT)
    if canvas.width <= canvas.height or lowest >= height or not seen:
        return None
    for part in range(_CROPS_TRIED):
        rows = lowest + (height - lowest) * part // _CROPS_TRIED
        framing = _placed(footage, seen, kept, (width, rows), Fit.BLURRED)
        if framing is not None:
            why = "Of the upright picture, the part around the speaker is shown large over a blurred fill"
            return replace(framing, why=why)
    return None


def _seen(footage: Footage, kept: Sequence[Range], canvas: Canvas) -> list[Seen]:
    """The speaker where an upright frame has to choose, else everyone who matters."""
    within = faces_within if canvas.height > canvas.width else everyone_within
    return [one for first, end in kept for one in within(footage, first, end)]


def _sparse(points: Sequence[Range]) -> Iterator[Range]:
    """Leaves out keys between two of the same value, which change nothing."""
    for index, point in enumerate(points):
        before = points[index - 1][1] if index else None
        after = points[index + 1][1] if index + 1 < len(points) else before
        if before is None or not before == point[1] == after:
            yield point


def _is_cropped(footage: Footage, canvas: Canvas) -> bool:
    """Whether the picture is cropped to fill the canvas, rather than shown whole over a blur."""
    width, height = _size(footage)
    shape = width * canvas.height / (height * canvas.width)
    if max(shape, 1 / shape) <= CROP_ASPECT_RATIO:
        return True
    upright = canvas.height > canvas.width and shape > 1
    return upright and footage.facts.kind is not AssetKind.SCREEN and width / height <= WIDEST_CROPPED


def _size(footage: Footage) -> Range:
    video = footage.source.video
    return (video.display_width, video.display_height) if video else (1, 1)


def _whole(footage: Footage, canvas: Canvas, faces: int) -> Framing:
    width, height = _size(footage)
    exact = width * canvas.height == height * canvas.width
    why = "The whole picture is shown" if exact else "The whole picture is shown over a blurred fill"
    worth = {"shown_small": float(not exact)}
    return Framing(Fit.FILL if exact else Fit.BLURRED, width, height, 0, (), why, faces, worth)


def _crop(
    footage: Footage, seen: Sequence[Seen], kept: Sequence[Range], canvas: Canvas, size: Fraction
) -> Framing | None:
    width, height = _size(footage)
    if width * canvas.height == height * canvas.width and size == 1:
        return _whole(footage, canvas, len(seen))
    full_width = min(Fraction(width), Fraction(height * canvas.width, canvas.height))
    full_height = min(Fraction(height), Fraction(width * canvas.height, canvas.width))
    return _placed(footage, seen, kept, (_pixels(full_width / size), _pixels(full_height / size)), Fit.FILL)


def _pixels(length: Fraction) -> int:
    return max(1, int(length))


def _placed(footage: Footage, seen: Sequence[Seen], kept: Sequence[Range], crop: Range, fit: Fit) -> Framing | None:
    width, height = _size(footage)
    free_x, free_y = width - crop[0], height - crop[1]
    if not seen:
        legs = (Leg(kept[0][0], kept[-1][1], free_x // 2, free_x // 2),)
        why = "No face is in view, so the middle is shown"
        return Framing(fit, *crop, free_y // 2, legs, why, worth={"shown_small": float(fit is Fit.BLURRED)})
    y = _eye_height(seen, crop[1], free_y)
    ranges = [_room(one, crop[0], free_x) for one in seen if one.bottom - one.top <= crop[1]]
    inside_y = sum(y <= one.top + 1 and one.bottom <= y + crop[1] + 1 for one in seen)
    if len(ranges) < FACE_INSIDE_SHARE * len(seen) or inside_y < FACE_INSIDE_SHARE * len(seen):
        return None
    path = _path(footage, ranges, kept, crop[0])
    if path is None:
        return None
    way, why, how = path
    lost = sum(not room.holds(_position(way, room.frame)) for room in ranges) + len(seen) - len(ranges)
    eyes = (median_low([one.eyes for one in seen]) - y) / crop[1]
    worth = {
        "shown_small": float(fit is Fit.BLURRED),
        "faces_outside": lost / len(seen),
        "eyes_off_line": abs(eyes - float(EYE_LINE)),
        how: 1.0,
    }
    return Framing(fit, *crop, y, way, why, len(seen), worth)


def _eye_height(seen: Sequence[Seen], height: int, free: int) -> int:
    wanted = median_low([one.eyes for one in seen]) - float(EYE_LINE) * height
    lowest, highest = max(one.bottom for one in seen) - height, min(one.top for one in seen)
    inside = min(max(wanted, lowest), highest) if lowest <= highest else wanted
    return min(max(0, int(inside)), free)


@dataclass(frozen=True, slots=True)
class _Room:
    """At ``frame`` the crop's left edge may lie from ``low`` to ``high``; ``best`` centres the face."""

    frame: int
    low: int
    high: int
    best: int

    def holds(self, x: int) -> bool:
        return self.low <= x <= self.high


def _room(seen: Seen, width: int, free: int) -> _Room:
    face = seen.right - seen.left
    margin = min(FACE_MARGIN * face, max(0.0, (width - face) / 2))
    low, high = _clamp(seen.right + margin - width, free, up=True), _clamp(seen.left - margin, free, up=False)
    return _Room(seen.frame, low, high, _clamp((seen.left + seen.right - width) / 2, free, up=False))


def _clamp(x: float, free: int, *, up: bool) -> int:
    whole = x.__ceil__() if up else x.__floor__()
    return min(max(0, whole), free)


def _path(
    footage: Footage, rooms: Sequence[_Room], kept: Sequence[Range], width: int
) -> tuple[tuple[Leg, ...], str, str] | None:
    """The calmest path that keeps the face inside: standing still, a slow pan, or rests and moves between.

    With it why it is so, and what it costs to move.
    """
    span = kept[0][0], kept[-1][1]
    still = _still(rooms, span)
    if still is not None:
        return (still,), "The crop stands still on the speaker", "stands_still"
    pan = _pan(footage, rooms, span, width)
    if pan is not None:
        return (pan,), "The crop pans slowly with the speaker", "pans"
    legs = _follow(footage, rooms, kept, width)
    why = "The crop goes with the speaker from place to place, and rests there"
    return None if legs is None else (legs, why, "goes_along")


def _enough(inside: int, rooms: Sequence[_Room]) -> bool:
    return inside >= FACE_INSIDE_SHARE * len(rooms)


def _still(rooms: Sequence[_Room], span: Range) -> Leg | None:
    """The position inside the most rooms, as near to centred as it may be."""
    wanted = median_low([room.best for room in rooms])
    low, high = max(room.low for room in rooms), min(room.high for room in rooms)
    x = min(max(wanted, low), high) if low <= high else _most_held(rooms)
    if not _enough(sum(room.holds(x) for room in rooms), rooms):
        return None
    return Leg(span[0], span[1], x, x)


def _most_held(rooms: Sequence[_Room]) -> int:
    edges = sorted([(room.low, -1) for room in rooms if room.low <= room.high] + [(room.high, 1) for room in rooms])
    held, best, most = 0, rooms[0].best, 0
    for x, change in edges:
        held -= change
        if held > most:
            best, most = x, held
    return best


def _pan(footage: Footage, rooms: Sequence[_Room], span: Range, width: int) -> Leg | None:
    third = max(1, len(rooms) // 3)
    early, late = rooms[:third], rooms[-third:]
    frames = _mean([r.frame for r in late]) - _mean([r.frame for r in early])
    if frames <= 0:
        return None
    slope = (_mean([r.best for r in late]) - _mean([r.best for r in early])) / frames
    start = _mean([r.best for r in early]) - slope * (_mean([r.frame for r in early]) - span[0])
    most = max(r.best for r in rooms), min(r.best for r in rooms)
    ends = [min(max(most[1], int(x)), most[0]) for x in (start, start + slope * (span[1] - 1 - span[0]))]
    leg = Leg(span[0], span[1], *ends)
    slow = abs(ends[1] - ends[0]) * footage.clock.rate <= PAN_WIDTHS_PER_S * width * (span[1] - span[0])
    return leg if slow and _enough(sum(room.holds(leg.at(room.frame)) for room in rooms), rooms) else None


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


@dataclass(frozen=True, slots=True)
class _Stay:
    """The face stays where the crop's left edge may be ``x``, from its first sample to its last (source frames)."""

    first: int
    last: int
    x: int

    @property
    def length(self) -> int:
        return self.last - self.first


def _follow(footage: Footage, rooms: Sequence[_Room], kept: Sequence[Range], width: int) -> tuple[Leg, ...] | None:
    """Positions held while the face stays in them, and the way between; the briefest are left out until it is calm."""
    held = list(_held(_stays(rooms), footage, kept))
    allowed = REVERSALS_PER_S * sum(end - first for first, end in kept) / footage.clock.rate
    while held and _reversals(held, kept) > allowed:
        held.remove(min(held, key=lambda stay: stay.length))
    legs = tuple(_legs(footage, held, kept, width)) if held else ()
    inside = sum(room.holds(_position(legs, room.frame)) for room in rooms) if legs else 0
    return legs if legs and _enough(inside, rooms) else None


def _held(stays: Sequence[_Stay], footage: Footage, kept: Sequence[Range]) -> Iterator[_Stay]:
    """Those that are long enough: between two cuts of the edit a position may be shorter than where the crop turns."""
    for at, stay in enumerate(stays):
        around = stays[max(0, at - 1) : at + 2]
        turns = any(_turns_within(one, other, kept) for one, other in pairwise(around))
        if stay.length >= footage.clock.length(HOLD_US if turns else HOLD_BETWEEN_CUTS_US):
            yield stay


def _turns_within(one: _Stay, other: _Stay, kept: Sequence[Range]) -> bool:
    """Whether the crop goes from the one to the other while the picture runs on, not at a cut of the edit."""
    piece = kept[max(0, bisect_right(kept, other.first, key=lambda piece: piece[0]) - 1)]
    return piece[0] <= one.last


def _stays(rooms: Sequence[_Room]) -> list[_Stay]:
    """The samples in as few groups as possible, each of which one position holds."""
    groups: list[list[_Room]] = []
    low = high = 0
    for room in rooms:
        if groups and max(low, room.low) <= min(high, room.high):
            groups[-1].append(room)
            low, high = max(low, room.low), min(high, room.high)
        else:
            groups.append([room])
            low, high = room.low, room.high
    return [_Stay(group[0].frame, group[-1].frame, _held_at(group)) for group in groups]


def _legs(footage: Footage, held: Sequence[_Stay], kept: Sequence[Range], width: int) -> Iterator[Leg]:
    """Holds from end to end of what is kept; on the way between two, a move as fast as the face's, or else a cut.

    Where the edit cuts between two, the crop cuts with it.
    """
    start = kept[0][0]
    for stay, following in pairwise(held):
        if not _turns_within(stay, following, kept):
            cut = kept[bisect_right(kept, following.first, key=lambda piece: piece[0]) - 1][0]
            yield Leg(start, cut, stay.x, stay.x)
            start = cut
            continue
        way = following.first - stay.last
        if way >= footage.clock.length(MOVE_US) and abs(following.x - stay.x) * footage.clock.rate <= (
            MOVE_WIDTHS_PER_S * width * way
        ):
            yield Leg(start, stay.last, stay.x, stay.x)
            yield Leg(stay.last, following.first, stay.x, following.x)
            start = following.first
        else:
            middle = (stay.last + following.first + 1) // 2
            yield Leg(start, middle, stay.x, stay.x)
            start = middle
    yield Leg(start, kept[-1][1], held[-1].x, held[-1].x)


def _position(legs: Sequence[Leg], frame: int) -> int:
    after = bisect_right(legs, frame, key=lambda leg: leg.start)
    return legs[max(0, after - 1)].at(frame)


def _held_at(group: Sequence[_Room]) -> int:
    low, high = max(room.low for room in group), min(room.high for room in group)
    return min(max(median_low([room.best for room in group]), low), high)


def _reversals(held: Sequence[_Stay], kept: Sequence[Range]) -> int:
    """How often the crop turns back in a running picture."""
    steps = [
        (after.x > before.x, _turns_within(before, after, kept))
        for before, after in pairwise(held)
        if after.x != before.x
    ]
    return sum(one[0] != other[0] and other[1] for one, other in pairwise(steps))


def faces_within(footage: Footage, first: int, end: int) -> Iterator[Seen]:
    """At each sampled time the face that speaks, or is nearest to it in time; all that matter if none is known to."""
    yield from _sampled(footage, first, end, lambda present: _speakers(present) or prominent(present))


def everyone_within(footage: Footage, first: int, end: int) -> Iterator[Seen]:
    """The face that matters at each sampled time; with a rival beside it, both."""
    yield from _sampled(footage, first, end, prominent)


def _sampled(
    footage: Footage, first: int, end: int, chosen: Callable[[Sequence[SeenFace]], Sequence[FaceSample]]
) -> Iterator[Seen]:
    samples = footage.faces
    width, height = _size(footage)
    start = bisect_left(samples, first, key=lambda sample: sample.frame)
    stop = bisect_left(samples, end, key=lambda sample: sample.frame)
    for frame, group in groupby(samples[start:stop], key=lambda sample: sample.frame):
        shown = chosen(list(group))
        yield Seen(
            frame,
            min(face.left for face in shown) * width,
            min(face.top for face in shown) * height,
            max(min(1.0, face.left + face.width) for face in shown) * width,
            max(min(1.0, face.top + face.height) for face in shown) * height,
            _largest(shown).eyes_y * height,
        )


def _speakers(present: Sequence[SeenFace]) -> Sequence[FaceSample]:
    """Who speaks; while nobody does, who is nearest to speaking in time."""
    known = [seen.silent_us for seen in present if seen.silent_us is not None]
    return [seen.face for seen in present if known and seen.silent_us == min(known)]


def prominent(present: Sequence[SeenFace]) -> Sequence[FaceSample]:
    """Of the faces at one time, the one seen largest and longest, and whoever rivals it."""
    most = max(seen.prominence for seen in present)
    return [seen.face for seen in present if seen.prominence >= RIVAL_FACE * most]


def _largest(faces: Sequence[FaceSample]) -> FaceSample:
    return max(faces, key=lambda face: (face.width * face.height, -face.left, -face.top))
