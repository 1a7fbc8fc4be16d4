"""The words of a caption on one line or two, no wider than its layout allows."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from unicodedata import combining, east_asian_width

from director.language import DISPENSABLE, bare
from director.languages import Language, among
from director.speech import PHRASE_ENDS
from director.style import CAPTION_LINES

#: Scripts written without spaces between words.
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "yue"})


def joiner(language: str | None) -> str:
    """What stands between two words of a language."""
    return "" if language in _UNSPACED else " "


def text_width(text: str) -> int:
    """Columns of a text: wide East Asian characters count two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def reaches(widths: Sequence[int], between: int, line_chars: int) -> tuple[int, ...]:
    """One past the last word that fits a caption begun with each word; a word wider than a line stands alone.

    Args:
        widths: Columns of each word.
        between: Columns between two words.
        line_chars: Columns of a line.
    """
    one_line = list(_line_ends(widths, between, line_chars))
    ends = list(one_line)
    for _ in range(CAPTION_LINES - 1):
        for first, end in enumerate(ends):
            if end < len(widths) and widths[first] <= line_chars and widths[end] <= line_chars:
                ends[first] = one_line[end]
    return tuple(ends)


def _line_ends(widths: Sequence[int], between: int, line_chars: int) -> Iterator[int]:
    end, used = 0, 0
    for first in range(len(widths)):
        if end <= first:
            end, used = first + 1, widths[first]
        while end < len(widths) and used + between + widths[end] <= line_chars:
            used += between + widths[end]
            end += 1
        yield end
        used -= widths[first] + between


def fitted(
    words: Sequence[str], between: str, line_chars: int, language: Language
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The words on at most two lines, leaving out the least needed where they do not fit; and which of them are left.

    A single word wider than a line is cut short.
    """
    left = list(range(min(len(words), CAPTION_LINES * line_chars)))
    lines = _lines([words[at] for at in left], between, line_chars, language)
    while lines is None:
        if len(left) == 1:
            return (_clipped(words[left[0]], line_chars),), tuple(left)
        del left[_least_needed([words[at] for at in left])]
        lines = _lines([words[at] for at in left], between, line_chars, language)
    return lines, tuple(left)


def _lines(words: Sequence[str], between: str, line_chars: int, language: Language) -> tuple[str, ...] | None:
    """The words on one line if they fit, else on two at the best break; ``None`` where two do not hold them."""
    text = between.join(words)
    if text_width(text) <= line_chars:
        return (text,)
    if text_width(text) > CAPTION_LINES * line_chars + 1:
        return None
    gap = text_width(between)
    widths = list(accumulate(text_width(word) + gap for word in words))
    best: tuple[float, int] | None = None
    for at in range(1, len(words)):
        upper, lower = widths[at - 1] - gap, widths[-1] - widths[at - 1] - gap
        if max(upper, lower) <= line_chars:
            worth = _break_worth(words, at, language) - abs(upper - lower) / line_chars
            if best is None or worth > best[0]:
                best = worth, at
    return (between.join(words[: best[1]]), between.join(words[best[1] :])) if best else None


def _break_worth(words: Sequence[str], at: int, language: Language) -> float:
    if words[at - 1].endswith(PHRASE_ENDS):
        return 0.6
    good = 0.4 if among(bare(words[at]), language.breaks) else 0.0
    return good - (0.3 if language.leads_on(words[at - 1]) else 0.0)


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
