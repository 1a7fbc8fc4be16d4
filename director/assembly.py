"""From a selection of stretches to a complete edit in frames, with a reason for everything."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, takewhile

from director.caption_places import where_they_hide_least
from director.captions import Captioning, caption, caption_style
from director.caveats import record_caveats
from director.costs import shares
from director.covering import Cover, cover, note_unshown
from director.framing import Framing, frame_closer, frame_shot
from director.grading import graded
from director.insets import inset, may_be_inset
from director.ledger import Ledger, seen_in
from director.material import Footage, Material
from director.ordering import record_order
from director.placing import (
    Placed,
    PlacedWord,
    changes_of_picture,
    jump_cuts,
    pictures,
    place,
    placed_words,
    visible_jumps,
)
from director.ranking import preferred_b_roll, record_verdict
from director.recipe import PlanOptions, Recipe, Selection, Shape
from director.removing import record_stretches
from director.seen import SeenFootage, faces_on_canvas
from director.soundtrack import soundtrack
from director.split_edits import split_edits
from director.style import (
    END_FADE_US,
    INSET_FADE_US,
    PACES,
    PUNCH_INS,
    PUSH_IN,
    PUSH_IN_US,
    PUSHED_IN,
)
from schemas.edl import EDL, Canvas, Caption, Evidence, Fit, Motion, Source, Variant, VideoClip
from schemas.jobs import CaptionChoice, EditStyle
from schemas.timebase import us_to_frame

DIRECTOR_VERSION = "1.32.0"

_FULL_HD, _HD = 1080, 720

#: A shot: its source, and the frame it starts on.
Shot = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a placed stretch that lies in one shot: source frames ``[first, end)``."""

    placed: Placed
    first: int
    end: int
    reason: str

    @property
    def footage(self) -> Footage:
        return self.placed.stretch.footage

    @property
    def shot(self) -> Shot:
        return self.footage.source.id, self.footage.shot_at(self.first)[0]


def assemble(variant: Variant, recipe: Recipe, material: Material, selection: Selection, options: PlanOptions) -> EDL:
    """Lays the selection out on the timeline: picture, covers, sound and captions."""
    ledger = Ledger()
    placed = place(selection.stretches)
    words = tuple(placed_words(placed))
    duration = placed[-1].end
    canvas, style = _canvas(material, recipe.shape), options.style or recipe.style
    reasons = record_stretches(placed, selection, ledger)
    record_order(material, options, ledger)
    placed = split_edits(placed, ledger)
    shown_first = preferred_b_roll(material, options)
    covers = cover(material, placed, words, shown_first) if recipe.covers else ()
    hiding = [one for one in covers if not may_be_inset(one, canvas)]
    video = tuple(_base_track(placed, reasons, hiding, canvas, ledger, style=style))
    covers = tuple(_beside_faces(one, video, placed, canvas) if may_be_inset(one, canvas) else one for one in covers)
    hiding = [one for one in covers if one.place is None]
    if recipe.fades_to_black:
        video = _with_end_fade(video, us_to_frame(END_FADE_US, material.rate))
    overlays = tuple(_overlay(number, one, canvas, ledger) for number, one in enumerate(covers, start=1))
    seen = {one.source.id: one for one in (*(p.stretch.footage for p in placed), *(c.footage for c in covers))}
    if recipe.covers:
        note_unshown(material, placed, seen, ledger)
    video, overlays = graded(video, overlays, seen, style, ledger)
    audio, heard = soundtrack(material, placed, words, reasons, ledger)
    burn_in = recipe.burn_in if options.captions is None else options.captions is CaptionChoice.BURNED
    captions: tuple[Caption, ...] = ()
    if options.captions is not CaptionChoice.OFF:
        captions = _captions(placed, words, hiding, recipe, ledger, burn_in=burn_in)
    record_verdict(options, ledger)
    record_caveats(placed, ledger)
    edl = EDL(
        director_version=DIRECTOR_VERSION,
        variant=variant,
        title=options.title or _title(placed[0].stretch.footage),
        rate=material.rate,
        canvas=canvas,
        duration=duration,
        longest_pause_us=PACES[selection.pace or options.pace].longest_gap_us,
        sources=_used([one.source for one in seen.values()], heard),
        video=video,
        overlays=overlays,
        audio=audio,
        captions=captions,
        caption_style=caption_style(canvas, recipe.captions, options.caption_look, burn_in=burn_in),
        decisions=ledger.decisions,
    )
    return where_they_hide_least(edl, seen, ledger)


def _title(footage: Footage) -> str:
    return footage.facts.name.rsplit(".", 1)[0] or footage.source.id


def _used(*groups: Sequence[Source]) -> tuple[Source, ...]:
    return tuple({source.id: source for group in groups for source in group}.values())


def _canvas(material: Material, shape: Shape) -> Canvas:
    """1080 lines, or 720 where no source has more (a portrait source fills the height of either)."""
    pictures = material.a_roll or (*material.b_roll, *material.screens)
    tallest = max((f.source.video.display_height for f in pictures if f.source.video), default=1)
    if shape is Shape.PORTRAIT:
        return Canvas(width=_FULL_HD, height=1920)
    return Canvas(width=1920, height=_FULL_HD) if tallest > _HD else Canvas(width=1280, height=_HD)


def _parts(placed: Sequence[Placed], reasons: Sequence[str]) -> Iterator[_Part]:
    """What is seen of the stretches, shot by shot."""
    for (one, first, last), reason in zip(pictures(placed), reasons, strict=True):
        start = first
        while start < last:
            end = min(one.stretch.footage.shot_at(start)[1], last)
            yield _Part(one, start, end, reason)
            start = end


def _base_track(
    placed: Sequence[Placed],
    reasons: Sequence[str],
    covers: Sequence[Cover],
    canvas: Canvas,
    ledger: Ledger,
    *,
    style: EditStyle,
) -> Iterator[VideoClip]:
    parts = list(_parts(placed, reasons))
    shots = _by_shot(parts)
    wide = {shot: frame_shot(group[0].footage, _kept(group), canvas) for shot, group in shots.items()}
    close = _nearer(shots, canvas, PUNCH_INS[style])
    near = _nearer(shots, canvas, PUSH_IN) if style in PUSHED_IN else {}
    _record_framings(shots, wide, ledger)
    closer = _punched_in(placed, covers)
    for number, part in enumerate(parts, start=1):
        tight = close[part.shot] if part.placed.start in closer else None
        start = part.placed.on_timeline(part.first)
        turns_close = tight is not None and closer[part.placed.start] == start
        reason = _record_punch_in(part, start, PUNCH_INS[style], ledger) if turns_close else part.reason
        clip = _clip(f"v{number:05d}", part, tight or wide[part.shot], reason)
        target = None if tight else near.get(part.shot)
        yield clip if target is None else _pushed_in(clip, wide[part.shot], target, part, ledger)


def _nearer(shots: Mapping[Shot, Sequence[_Part]], canvas: Canvas, size: Fraction) -> dict[Shot, Framing | None]:
    return {shot: frame_closer(group[0].footage, _kept(group), canvas, size) for shot, group in shots.items()}


def _clip(ident: str, part: _Part, framing: Framing, reason: str) -> VideoClip:
    source_in, source_out = part.footage.clock.ticks(part.first, part.end)
    return VideoClip(
        id=ident,
        source=part.footage.source.id,
        start=part.placed.on_timeline(part.first),
        duration=part.end - part.first,
        source_in=source_in,
        source_out=source_out,
        crop=framing.keys(part.first, part.end),
        fit=framing.fit,
        reason=reason,
    )


def _pushed_in(clip: VideoClip, wide: Framing, near: Framing, part: _Part, ledger: Ledger) -> VideoClip:
    """The clip slowly coming nearer, if it is long and its framing stands still and fills the canvas."""
    seconds = clip.duration / part.footage.clock.rate
    fills = wide.fit is near.fit is Fit.FILL and wide.stands_still and near.stands_still
    if not fills or seconds * 1_000_000 < PUSH_IN_US:
        return clip
    reason = ledger.record(
        "push_in",
        "A long shot slowly comes nearer, so that it does not stand still",
        Evidence(fact="length of the shot", value=f"{float(seconds):.1f} s", source=clip.source),
        worth={"enlivened": 1},
        start=clip.start,
        end=clip.end,
    )
    keys = (wide.at(0), near.at(clip.duration - 1))
    return clip.model_copy(update={"crop": keys, "motion": Motion.SMOOTH, "reason": reason})


def _by_shot(parts: Sequence[_Part]) -> dict[Shot, list[_Part]]:
    shots: dict[Shot, list[_Part]] = defaultdict(list)
    for part in parts:
        shots[part.shot].append(part)
    return shots


def _kept(parts: Sequence[_Part]) -> list[tuple[int, int]]:
    return sorted((part.first, part.end) for part in parts)


def _punched_in(placed: Sequence[Placed], covers: Sequence[Cover]) -> dict[int, int]:
    """Starts of the stretches shown closer, each with the jump cut that turned close.

    Sizes alternate at the jump cuts that no cover hides.
    """
    jumps = {after.start for _, after in jump_cuts(placed)}
    visible = {after.start for _, after in visible_jumps(placed)}
    hidden = _Hidden(covers)
    closer: dict[int, int] = {}
    turned: int | None = None
    for one in placed:
        if one.start not in jumps:
            turned = None
        elif not hidden.at(one.start) and one.start in visible:
            turned = one.start if turned is None else None
        if turned is not None:
            closer[one.start] = turned
    return closer


class _Hidden:
    """Whether a cover lies over a cut; asked in the order of the timeline."""

    def __init__(self, covers: Sequence[Cover]) -> None:
        self._covers = covers
        self._next = 0

    def at(self, frame: int) -> bool:
        while self._next < len(self._covers) and self._covers[self._next].end <= frame:
            self._next += 1
        return self._next < len(self._covers) and self._covers[self._next].start < frame


def _record_framings(shots: Mapping[Shot, Sequence[_Part]], framings: Mapping[Shot, Framing], ledger: Ledger) -> None:
    for shot, parts in shots.items():
        framing, first, last = framings[shot], parts[0], parts[-1]
        ledger.record(
            "framing",
            framing.why,
            seen_in(first.placed.stretch, "samples with a face", str(framing.faces)),
            worth=framing.worth,
            start=first.placed.on_timeline(first.first),
            end=last.placed.on_timeline(last.end),
        )


def _record_punch_in(part: _Part, start: int, size: Fraction, ledger: Ledger) -> str:
    removed = part.placed.stretch.removals
    cause = removed[-1].sentence if removed else "Another recording begins with the same view"
    return ledger.record(
        "punch_in",
        f"{cause}; shown closer, so that the jump reads as a change of size",
        seen_in(part.placed.stretch, "size", f"{float(size):.2f}"),
        worth={"jump_resized": 1},
        start=start,
        end=start + part.end - part.first,
    )


def _beside_faces(one: Cover, video: Sequence[VideoClip], placed: Sequence[Placed], canvas: Canvas) -> Cover:
    """The cover with a place beside the faces as they are framed under it, if they leave room for it."""
    footage = {base.stretch.footage.source.id: base.stretch.footage for base in placed}
    first = bisect_right(video, one.start, key=lambda clip: clip.start) - 1
    under = takewhile(lambda clip: clip.start < one.end, islice(video, first, None))
    seen = (
        SeenFootage(clip, footage[clip.source], max(clip.start, one.start), min(clip.end, one.end)) for clip in under
    )
    return inset(one, (face for shown in seen for faces in faces_on_canvas(shown, canvas) for face in faces), canvas)


def _overlay(number: int, one: Cover, canvas: Canvas, ledger: Ledger) -> VideoClip:
    clock = one.footage.clock
    source_end = one.source_start + one.end - one.start
    area = Canvas(width=one.place.width, height=one.place.height) if one.place else canvas
    framing = frame_shot(one.footage, [(one.source_start, source_end)], area)
    evidence = Evidence(
        fact="stretch shown",
        value=one.footage.facts.name,
        source=one.footage.source.id,
        start_us=clock.us(one.source_start),
        end_us=clock.us(source_end),
    )
    alike = [one.alike.evidence] if one.alike else []
    framed = shares({part: value for part, value in framing.worth.items() if value})
    worth = (*one.worth, *framed)
    reason = ledger.record("b_roll", one.sentence, evidence, *alike, worth=worth, start=one.start, end=one.end)
    source_in, source_out = clock.ticks(one.source_start, source_end)
    fade = min(us_to_frame(INSET_FADE_US, clock.rate), (one.end - one.start) // 2) if one.place else 0
    return VideoClip(
        id=f"o{number:05d}",
        source=one.footage.source.id,
        start=one.start,
        duration=one.end - one.start,
        source_in=source_in,
        source_out=source_out,
        crop=framing.keys(one.source_start, source_end),
        fit=framing.fit,
        place=one.place,
        fade_in=fade,
        fade_out=fade,
        reason=reason,
    )


def _with_end_fade(video: tuple[VideoClip, ...], frames: int) -> tuple[VideoClip, ...]:
    last = video[-1]
    return (*video[:-1], last.model_copy(update={"fade_out": min(frames, last.duration)}))


def _captions(
    placed: Sequence[Placed],
    words: Sequence[PlacedWord],
    covers: Sequence[Cover],
    recipe: Recipe,
    ledger: Ledger,
    *,
    burn_in: bool,
) -> tuple[Caption, ...]:
    language = next((one.stretch.footage.language for one in placed if one.stretch.footage.worded), None)
    hidden = _Hidden(covers)
    changes = [frame for frame in sorted(changes_of_picture(placed)) if not hidden.at(frame)]
    cuts = sorted({*changes, *_cuts(placed, covers)})
    rate = placed[0].stretch.footage.clock.rate
    captioning = caption(words, placed[-1].end, rate, recipe.captions, language, changes=changes, cuts=cuts)
    if captioning.captions:
        _record_captions(captioning, ledger, burn_in=burn_in)
    return captioning.captions


def _cuts(placed: Sequence[Placed], covers: Sequence[Cover]) -> Iterator[int]:
    """Frames on which covers begin and end, and those of the jumps between them, the least ones too."""
    hidden = _Hidden(covers)
    yield from (after.start for _, after in jump_cuts(placed) if not hidden.at(after.start))
    for one in covers:
        yield one.start
        yield one.end


def _record_captions(captioning: Captioning, ledger: Ledger, *, burn_in: bool) -> None:
    count = len(captioning.captions)
    are = "caption is" if count == 1 else "captions are"
    sentence = f"{count} {are} {'drawn into the picture' if burn_in else 'delivered beside the video'}"
    evidence = [Evidence(fact="captions", value=str(count))]
    if captioning.hurried:
        speed = f"{float(captioning.fastest):.1f} characters a second"
        sentence += f"; {captioning.hurried} must be read fast, up to {speed}, because they are spoken fast"
        evidence.append(Evidence(fact="fastest to read", value=speed))
    if captioning.shortened:
        leave = "leaves" if captioning.shortened == 1 else "leave"
        sentence += f"; {captioning.shortened} {leave} words out, because no time or place is left for them"
    worth = {
        "captioned": 1.0,
        "read_fast": captioning.hurried / count,
        "words_left_out": captioning.shortened / count,
    }
    ledger.record("captions", sentence, *evidence, worth=worth)
