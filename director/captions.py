"""Captions a viewer can read: timed to the words, broken at phrases, word for word.

The guide lets captions be edited down to a reading speed. Ours are not: a caption that misquotes the speaker costs more
trust than one that is read in a hurry, and how many are is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from unicodedata import combining, east_asian_width

from director.language import BREAK_BEFORE, DISPENSABLE, bare
from director.placing import PlacedWord
from director.style import (
    BRIEFEST_CAPTION,
    CAPTION_GAP_FRAMES,
    CAPTION_LINES,
    CAPTION_PAUSE_US,
    FASTEST_CHARS_PER_S,
    LONGEST_CAPTION,
    READING_CHARS_PER_S,
    SHORTEST_CAPTION,
    CaptionLayout,
)
from schemas.edl import Canvas, Caption, CaptionLook, CaptionStyle, CaptionWord
from schemas.timebase import us_to_frame

#: Scripts written without spaces between words.
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "yue"})


@dataclass(frozen=True, slots=True)
class Captioning:
    """The captions of an edit; how many are read faster than is comfortable, and how many had to leave words out."""

    captions: tuple[Caption, ...]
    hurried: int
    shortened: int


@dataclass(slots=True)
class _Block:
    """Words that are shown together from ``start``; ``spoken_to`` is where the last of them ends."""

    words: list[PlacedWord]
    start: int
    spoken_to: int

    @property
    def texts(self) -> list[str]:
        return [word.text for word in self.words]


@dataclass(frozen=True, slots=True)
class _Limits:
    """The caption rules in frames of one edit, for one layout."""

    rate: Fraction
    line_chars: int
    joiner: str
    shortest: int
    briefest: int
    longest: int
    pause: int

    def frames_to_read(self, chars: int, speed: int) -> int:
        return (chars * self.rate / speed).__ceil__()


def caption(
    words: Sequence[PlacedWord], duration: int, rate: Fraction, layout: CaptionLayout, language: str | None
) -> Captioning:
    """Captions for the words of an edit ``duration`` frames long; none where it is too short to read one."""
    limits = _Limits(
        rate=rate,
        line_chars=layout.line_chars,
        joiner="" if language in _UNSPACED else " ",
        shortest=(SHORTEST_CAPTION * rate).__ceil__(),
        briefest=(BRIEFEST_CAPTION * rate).__ceil__(),
        longest=(LONGEST_CAPTION * rate).__floor__(),
        pause=us_to_frame(CAPTION_PAUSE_US, rate),
    )
    said = [word for word in words if word.text]
    if not said or duration < limits.shortest:
        return Captioning((), 0, 0)
    blocks = _readable(list(_blocks(said, limits)), duration, limits)
    return _shown(blocks, duration, limits)


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


def text_width(text: str) -> int:
    """Columns of a text: wide East Asian characters count two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _blocks(words: Sequence[PlacedWord], limits: _Limits) -> Iterator[_Block]:
    """Cuts the text into what fits a caption, each time at the best break within reach."""
    first = 0
    while first < len(words):
        end = _best_break(words, first, _reach(words, first, limits), limits)
        chosen = words[first:end]
        yield _Block(list(chosen), chosen[0].start, max(word.end for word in chosen))
        first = end


def _reach(words: Sequence[PlacedWord], first: int, limits: _Limits) -> int:
    """One past the last word that still fits a caption begun at ``first``."""
    line, used = 1, 0
    for index in range(first, len(words)):
        width = text_width(words[index].text)
        wider = used + len(limits.joiner) + width if used else width
        line, used = (line, wider) if wider <= limits.line_chars else (line + 1, width)
        full = line > CAPTION_LINES or width > limits.line_chars
        too_late = words[index].end - words[first].start > limits.longest
        paused = index > first and words[index].start - words[index - 1].end > limits.pause
        if index > first and (full or too_late or paused or _begins_anew(words, index)):
            return index
    return len(words)


def _begins_anew(words: Sequence[PlacedWord], index: int) -> bool:
    """Whether a sentence begins after a cut: often it is another's, who is not to be read before being heard."""
    return words[index].after_cut and words[index - 1].ends_sentence


def _best_break(words: Sequence[PlacedWord], first: int, end: int, limits: _Limits) -> int:
    """Where to end a caption of words ``[first, end)``: after a sentence, a phrase, a pause, before a small word.

    A break that leaves time to read is worth as much as a pause.
    """
    best, most, chars = end, -1.0, 0
    for at in range(first + 1, end + 1):
        chars += text_width(words[at - 1].text) + len(limits.joiner)
        free_to = words[at].start - CAPTION_GAP_FRAMES if at < len(words) else words[at - 1].end + limits.shortest
        readable = limits.frames_to_read(chars, FASTEST_CHARS_PER_S) <= free_to - words[first].start
        worth = _break_worth(words, at) + (at - first) / (end - first) + 0.5 * readable
        if worth >= most:
            best, most = at, worth
    return best


def _break_worth(words: Sequence[PlacedWord], at: int) -> float:
    before = words[at - 1]
    if before.ends_sentence or at == len(words):
        return 1.2
    if before.ends_phrase:
        return 0.7
    if words[at].start > before.end + 2:
        return 0.5
    return 0.3 if words[at].text.lower() in BREAK_BEFORE else 0.0


def _readable(blocks: Sequence[_Block], duration: int, limits: _Limits) -> list[_Block]:
    """Joins blocks that would flash by, so that each has its shortest time before the next begins.

    Words matter more than the time they are shown: blocks that do not fit on two lines together stay apart, unless
    they would be too short to be seen at all.
    """
    kept: list[_Block] = []
    for block in blocks:
        if kept and _is_joined(kept[-1], block, block.start - CAPTION_GAP_FRAMES - kept[-1].start, limits):
            _join(kept[-1], block)
        else:
            kept.append(block)
    while len(kept) > 1 and _is_joined(kept[-2], kept[-1], duration - kept[-1].start, limits):
        late = kept.pop()
        _join(kept[-1], late)
    if len(kept) == 1:
        kept[0].start = min(kept[0].start, duration - limits.shortest)
    return kept


def _is_joined(before: _Block, after: _Block, alone: int, limits: _Limits) -> bool:
    """Whether one of two blocks, shown for ``alone`` frames, is better shown with the other."""
    if alone >= limits.shortest:
        return False
    return alone < limits.briefest or _lines([*before.texts, *after.texts], limits) is not None


def _join(before: _Block, after: _Block) -> None:
    before.words.extend(after.words)
    before.spoken_to = max(before.spoken_to, after.spoken_to)


def _shown(blocks: Sequence[_Block], duration: int, limits: _Limits) -> Captioning:
    captions = []
    hurried = shortened = 0
    for index, block in enumerate(blocks):
        last = index + 1 == len(blocks)
        free_to = duration if last else blocks[index + 1].start - CAPTION_GAP_FRAMES
        latest = min(free_to, block.start + limits.longest)
        lines, kept, cut = _fitted(block.words, limits)
        chars = text_width(limits.joiner.join(lines))
        comfortable = max(limits.shortest, limits.frames_to_read(chars, READING_CHARS_PER_S))
        end = min(latest, max(block.spoken_to, block.start + comfortable))
        timed = tuple(_timed(kept, lines, block.start, end))
        captions.append(Caption(start=block.start, end=end, lines=lines, words=timed))
        hurried += limits.frames_to_read(chars, FASTEST_CHARS_PER_S) > end - block.start
        shortened += cut
    return Captioning(tuple(captions), hurried, shortened)


def _fitted(words: Sequence[PlacedWord], limits: _Limits) -> tuple[tuple[str, ...], Sequence[PlacedWord], bool]:
    """The words on at most two lines, leaving out the least needed where they do not fit; those left; if any was."""
    left = list(words[: CAPTION_LINES * limits.line_chars])
    lines = _lines([word.text for word in left], limits)
    while lines is None:
        if len(left) == 1:
            return (_clipped(left[0].text, limits.line_chars),), left, True
        del left[_least_needed([word.text for word in left])]
        lines = _lines([word.text for word in left], limits)
    return lines, left, len(left) < len(words)


def _timed(words: Sequence[PlacedWord], lines: Sequence[str], start: int, end: int) -> Iterator[CaptionWord]:
    """When each word of a caption is said; of none of them where one would be left without time of its own."""
    texts = [text for line in lines for text in line.split()]
    spoken = [(part, word) for word in words for part in word.text.split()]
    if texts != [part for part, _ in spoken] and "".join(texts) != "".join(part for part, _ in spoken):
        return
    spans: list[tuple[int, int]] = []
    for _, word in spoken:
        begins = max(word.start, spans[-1][1] if spans else start)
        spans.append((begins, min(word.end, end)))
    if any(ends <= begins for begins, ends in spans):
        return
    for (part, _), (begins, ends) in zip(spoken, spans, strict=True):
        yield CaptionWord(text=part, start=begins, end=ends)


def _least_needed(words: Sequence[str]) -> int:
    """A filler word if there is one, else the shortest word, the middle ones first: the ends carry the sense."""
    middle = len(words) / 2
    inner = range(1, len(words) - 1) or range(len(words))
    return min(inner, key=lambda i: (bare(words[i]) not in DISPENSABLE, len(words[i]), abs(i - middle), i))


def _clipped(word: str, most: int) -> str:
    """A word cut to ``most`` columns, the last of them an ellipsis."""
    kept = ""
    for character in word:
        if text_width(kept + character) >= most:
            break
        kept += character
    return (kept + "…") if kept and text_width(word) > most else (kept or "…")


def _lines(words: Sequence[str], limits: _Limits) -> tuple[str, ...] | None:
    """The words on one line if they fit, else on two at the best break; ``None`` where two do not hold them."""
    text = limits.joiner.join(words)
    if text_width(text) <= limits.line_chars:
        return (text,)
    best: tuple[float, tuple[str, ...]] | None = None
    if CAPTION_LINES * limits.line_chars + 1 >= text_width(text):
        for at in range(1, len(words)):
            upper, lower = limits.joiner.join(words[:at]), limits.joiner.join(words[at:])
            if max(text_width(upper), text_width(lower)) <= limits.line_chars:
                worth = _line_break_worth(words, at) - abs(text_width(upper) - text_width(lower)) / limits.line_chars
                if best is None or worth > best[0]:
                    best = worth, (upper, lower)
    return best[1] if best else None


def _line_break_worth(words: Sequence[str], at: int) -> float:
    if words[at - 1].endswith((".", "!", "?", ",", ";", ":")):
        return 0.6
    return 0.4 if words[at].lower() in BREAK_BEFORE else 0.0
