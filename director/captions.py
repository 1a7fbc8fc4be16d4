"""Captions a viewer can read: timed to the words, broken at phrases, word for word.

The guide lets captions be edited down to a reading speed. Ours are not: a caption that misquotes the speaker costs more
trust than one that is read in a hurry, and how many are is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from director.caption_cuts import with_cuts
from director.caption_lines import fitted, joiner, text_width
from director.caption_times import Block, CaptionLimits, timed_blocks
from director.languages import language_of
from director.placing import PlacedWord
from director.style import CaptionLayout
from schemas.edl import Canvas, Caption, CaptionLook, CaptionStyle, CaptionWord


@dataclass(frozen=True, slots=True)
class Captioning:
    """The captions of an edit, and what is said of them.

    How many are up for less time than the guide asks for, the most characters a second among them, and how many had to
    leave words out.
    """

    captions: tuple[Caption, ...]
    hurried: int = 0
    fastest: Fraction = Fraction(0)
    shortened: int = 0


def caption(
    words: Sequence[PlacedWord],
    duration: int,
    rate: Fraction,
    layout: CaptionLayout,
    language: str | None,
    *,
    changes: Sequence[int] = (),
    cuts: Sequence[int] = (),
) -> Captioning:
    """Captions for the words of an edit ``duration`` frames long; none where it is too short to read one.

    ``changes`` are the frames on which another scene begins, and ``cuts`` all on which another picture does, in order.
    """
    between = joiner(language)
    words_of_it = language_of(language)
    limits = CaptionLimits.of(rate, layout.line_chars, len(between), words_of_it)
    said = [word for word in words if word.text]
    if not said or duration < limits.shortest:
        return Captioning(())
    captions: list[Caption] = []
    hurried, fastest, shortened = 0, Fraction(0), 0
    blocks = timed_blocks(said, changes, duration, limits)
    for block in with_cuts(blocks, said, cuts, duration, limits):
        spoken = said[block.first : block.end]
        lines, left = fitted([word.text for word in spoken], between, layout.line_chars, words_of_it)
        captions.append(_caption(block, lines, [spoken[at] for at in left]))
        shown, columns = block.until - block.start, text_width(between.join(lines))
        shortened += len(left) < len(spoken)
        if shown < limits.fastest[columns]:
            hurried += 1
            fastest = max(fastest, columns * rate / shown)
    return Captioning(tuple(captions), hurried, fastest, shortened)


def caption_style(canvas: Canvas, layout: CaptionLayout, look: CaptionLook, *, burn_in: bool) -> CaptionStyle:
    """The layout's area and type size on this canvas; rounded inwards."""
    return CaptionStyle(
        burn_in=burn_in,
        look=look,
        left=(layout.left * canvas.width).__ceil__(),
        right=(layout.right * canvas.width).__floor__(),
        top=(layout.top * canvas.height).__ceil__(),
        bottom=(layout.bottom * canvas.height).__floor__(),
        font_size=max(1, (layout.font_height * canvas.height).__floor__()),
    )


def _caption(block: Block, lines: tuple[str, ...], words: Sequence[PlacedWord]) -> Caption:
    timed = tuple(_timed(words, lines, block.start, block.until))
    return Caption(start=block.start, end=block.until, lines=lines, words=timed)


def _timed(words: Sequence[PlacedWord], lines: Sequence[str], start: int, end: int) -> Iterator[CaptionWord]:
    """When each word of a caption is said; of none of them where one would be left without time of its own."""
    texts = [text for line in lines for text in line.split()]
    spoken = [(part, word) for word in words for part in word.text.split()]
    if texts != [part for part, _ in spoken] and "".join(texts) != "".join(part for part, _ in spoken):
        return
    spans: list[tuple[int, int]] = []
    for _, word in spoken:
        begins = max(word.start, spans[-1][1] if spans else start)
        spans.append((begins, max(begins + 1, min(word.end, end))))
    if any(ends > end for _, ends in spans):
        return
    for (part, _), (begins, ends) in zip(spoken, spans, strict=True):
        yield CaptionWord(text=part, start=begins, end=ends)
