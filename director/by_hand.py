"""Edits that a creator made or changed by hand: held to the footage, to what can be rendered, and to what is noticed.

A valid EDL fits together; whether it fits the footage only the facts can tell.
"""

import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from director.material import source_of
from director.review import AV_OFFSET, review
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Canvas, Caption, Decision, Evidence, Source, Variant
from schemas.facts import AssetFacts
from schemas.invalid_input import FieldProblem, InvalidInput
from schemas.timebase import RATE_FAMILY

BY_HAND: Final = "edited-by-hand"
_KIND: Final = "edited_by_hand"

#: Of an edit: more than any film has, and what a machine can be asked to render in a day.
MOST_CLIPS: Final = 20_000
MOST_TRACKS: Final = 8
LONGEST_S: Final = 6 * 3600
#: Sides of the canvas in pixels, the longer and the shorter one: what is delivered, and what still shows something.
LARGEST_CANVAS: Final = (1920, 1080)
SMALLEST_SIDE: Final = 180
#: Characters in a line of a caption, and pixels of the area captions may use: what can be drawn at all.
LONGEST_LINE: Final = 200
SMALLEST_CAPTION_AREA: Final = (64, 32)

#: Unicode's categories of what ends a line, controls a terminal or is half a character.
_NO_TEXT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def adopt(
    edl: EDL, assets: Sequence[AssetFacts], variant: Variant, *, accept_findings: bool
) -> tuple[EDL, tuple[DeliveryCheck, ...]]:
    """The edit as the plan of an output, signed as made by hand, with the rows of its review.

    Args:
        edl: The edit.
        assets: The facts of every asset it may use.
        variant: What the output is.
        accept_findings: Whether a failed row of the review is the creator's wish and keeps nothing from being rendered.
            It never is for sound that is out of step with its picture.

    Raises:
        InvalidInput: it is no edit of this footage, or cannot be rendered.
        OutputRefused: no asset has a picture.
    """
    problems = [*_of_form(edl, variant), *_of_sources(edl, assets)]
    if problems:
        raise InvalidInput(problems)
    rows = tuple(_judged(row, accept_findings=accept_findings) for row in review(edl, assets))
    return _signed(edl, [row for row in rows if not row.passed and not row.hard]), rows


def with_captions(edl: EDL, captions: Sequence[Caption]) -> EDL:
    """The same edit with other captions; each stands where the one did that was up at its time.

    Raises:
        InvalidInput: it has no place for captions.
        ValidationError: they overlap, or lie outside the edit.
    """
    if captions and edl.caption_style is None:
        raise InvalidInput.of("captions", "this edit has no caption style, which says where captions are")
    return EDL.model_validate({**dict(edl), "captions": tuple(_standing_as_before(captions, edl.captions))})


def _standing_as_before(captions: Sequence[Caption], before: Sequence[Caption]) -> Iterator[Caption]:
    for caption in captions:
        begun = bisect_right(before, (caption.start + caption.end) // 2, key=lambda one: one.start)
        bottom = before[max(0, begun - 1)].bottom if before else None
        yield caption.model_copy(update={"bottom": caption.bottom or bottom})


def _judged(row: DeliveryCheck, *, accept_findings: bool) -> DeliveryCheck:
    if row.passed or not accept_findings or row.name == AV_OFFSET:
        return row
    return row.model_copy(update={"hard": False})


def _signed(edl: EDL, accepted: Sequence[DeliveryCheck]) -> EDL:
    """The edit saying once that a hand was at it, and what was accepted this time."""
    others = tuple(one for one in edl.decisions if one.id != BY_HAND)
    return EDL.model_validate({**dict(edl), "decisions": (*others, by_hand(accepted))})


def by_hand(accepted: Sequence[DeliveryCheck] = ()) -> Decision:
    """The decision of whoever edited by hand, with the failed rows of the review that they accepted."""
    evidence = tuple(Evidence(fact=row.name, value=f"{row.measured} {row.unit}".strip()) for row in accepted)
    sentence = "You edited this by hand" + (", and accepted what a viewer may notice" if accepted else "")
    return Decision(id=BY_HAND, kind=_KIND, sentence=sentence, evidence=evidence)


def _of_form(edl: EDL, variant: Variant) -> Iterator[FieldProblem]:
    """What no footage could make right."""
    if edl.variant is not variant:
        yield FieldProblem(field="variant", problem=f"the output is a {variant}")
    if edl.rate not in RATE_FAMILY:
        yield FieldProblem(field="rate", problem=f"should be one of {', '.join(map(str, RATE_FAMILY))}")
    elif edl.duration / edl.rate > LONGEST_S:
        yield FieldProblem(field="duration", problem=f"should be at most {LONGEST_S} s")
    clips = len(edl.video) + len(edl.overlays) + sum(len(track.clips) for track in edl.audio)
    if clips > MOST_CLIPS:
        yield FieldProblem(field="video", problem=f"there are {clips} clips, and at most {MOST_CLIPS} can be rendered")
    if len(edl.audio) > MOST_TRACKS:
        yield FieldProblem(field="audio", problem=f"should be at most {MOST_TRACKS} tracks")
    yield from _of_canvas(edl.canvas)
    yield from _of_captions(edl)


def _of_canvas(canvas: Canvas) -> Iterator[FieldProblem]:
    longer, shorter = max(canvas.width, canvas.height), min(canvas.width, canvas.height)
    if longer > LARGEST_CANVAS[0] or shorter > LARGEST_CANVAS[1]:
        yield FieldProblem(field="canvas", problem=f"should be at most {LARGEST_CANVAS[0]}x{LARGEST_CANVAS[1]}")
    if shorter < SMALLEST_SIDE:
        yield FieldProblem(field="canvas", problem=f"should be at least {SMALLEST_SIDE} pixels each way")


def _of_captions(edl: EDL) -> Iterator[FieldProblem]:
    style = edl.caption_style
    if style is not None:
        width, height = SMALLEST_CAPTION_AREA
        if style.right - style.left < width or style.bottom - style.top < height:
            yield FieldProblem(field="caption_style", problem=f"its area should be at least {width}x{height}")
        if style.font_size > edl.canvas.height:
            yield FieldProblem(field="caption_style.font_size", problem="should be at most the height of the canvas")
    for at, caption in enumerate(edl.captions):
        for number, line in enumerate(caption.lines):
            if not _is_a_line(line):
                field = f"captions.{at}.lines.{number}"
                yield FieldProblem(field=field, problem=f"should be one line of 1 to {LONGEST_LINE} characters of text")


def _is_a_line(text: str) -> bool:
    controls = any(unicodedata.category(character) in _NO_TEXT for character in text)
    return bool(text.strip()) and len(text) <= LONGEST_LINE and not controls


def _of_sources(edl: EDL, assets: Sequence[AssetFacts]) -> Iterator[FieldProblem]:
    """Sources that are none of the assets, or are not as they were measured; names are for people only."""
    known: defaultdict[str, list[AssetFacts]] = defaultdict(list)
    for facts in assets:
        known[facts.sha256].append(facts)
    for at, source in enumerate(edl.sources):
        if source.sha256 not in known:
            yield FieldProblem(field=f"sources.{at}.sha256", problem="no usable file of this project has this content")
            continue
        measured = [_compared(source_of(source.id, facts)) for facts in known[source.sha256]]
        given = _compared(source)
        if given not in measured:
            yield from (
                FieldProblem(field=f"sources.{at}.{name}", problem="is not as the file was measured")
                for name, value in given.items()
                if value != measured[0][name]
            )


def _compared(source: Source) -> Mapping[str, object]:
    return {name: getattr(source, name) for name in ("kind", "origin", "video", "audio")}
