"""How many captions of an edit break the guide, and how many of them no captioning of the same words could spare.

The least that must break it is counted on its own, not by the director's programme: of all ways to part the words into
captions of two lines, each begun no more than half a second before its first word in silence, no more than a quarter of
a second before the words ahead of it are over, and no more than three quarters after its first word, the one that
leaves the fewest captions without the time that reading takes.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from benchmarks.frame import Figures
from director.caption_places import heads_in
from director.grammar import cutting_of, lint
from director.material import gather
from director.style import (
    CAPTION_GAP_FRAMES,
    CAPTION_LATE,
    CAPTION_LEAD,
    CAPTION_LINES,
    CAPTION_SLIP,
    FASTEST_CHARS_PER_S,
    LANDSCAPE_CAPTIONS,
    LONGEST_CAPTION,
    PORTRAIT_CAPTIONS,
    SHORTEST_CAPTION,
)
from render.captions import layout
from schemas.edl import EDL, Caption
from schemas.facts import AssetFacts
from schemas.timeline import visible_stretches

#: Rules of the grammar that are about captions.
RULES = frozenset({"caption line", "caption time", "caption speed"})
_ENDS_SENTENCE = (".", "?", "!", "…")
#: Text over more of a mouth than this hides what is said.
_COVERED = 0.25
#: A cut this near to a word's edge is at it.
_NEAR_FRAMES = 4


def caption_figures(edits: Sequence[EDL]) -> Figures:
    broken, unavoidable = [_out_of_guide(edit) for edit in edits], [fewest_out_of_guide(edit) for edit in edits]
    return {
        "captions.count": sum(len(edit.captions) for edit in edits),
        "captions.out_of_guide": sum(broken),
        "captions.unavoidably_out_of_guide": sum(unavoidable),
        "captions.avoidably_out_of_guide": sum(max(0, a - b) for a, b in zip(broken, unavoidable, strict=True)),
        "captions.beside_cuts": sum(_beside_cuts(edit) for edit in edits),
    }


def _beside_cuts(edit: EDL) -> int:
    """Captions that begin or end within half a second of a cut and not with it, though they could.

    Nobody speaks between the two, and what would be shorter for it is up for as long as reading takes.
    """
    cuts, half = [after.start for _, after in cutting_of(edit).cuts], edit.rate / 2
    found = 0
    for before, after in pairwise([None, *edit.captions, None]):
        for cut in cuts:
            said = before is None or (before.words[-1].end <= cut and _is_read_by(before, cut, edit.rate))
            late = after is not None and 0 < after.start - cut <= half and said
            off = before is not None and said and 0 < abs(before.end + CAPTION_GAP_FRAMES - cut) <= half
            waits = after is None or after.start >= cut
            found += late or (off and waits)
    return found


def _is_read_by(caption: Caption, cut: int, rate: Fraction) -> bool:
    seconds = max(SHORTEST_CAPTION, Fraction(len(" ".join(caption.lines)), FASTEST_CHARS_PER_S))
    return cut - CAPTION_GAP_FRAMES - caption.start >= seconds * rate


def _out_of_guide(edit: EDL) -> int:
    """Captions that break the guide, each counted once."""
    return len({finding.frame for finding in lint(cutting_of(edit)).findings if finding.rule in RULES})


@dataclass(frozen=True)
class _Said:
    text: str
    start: int
    end: int


def fewest_out_of_guide(edit: EDL) -> int:
    """The fewest captions that must be up for less time than the guide asks for, whatever they are broken into.

    The earliest frame at which a caption can be gone, by how many before it broke the guide, is all that matters for
    what follows: one programme over the words.
    """
    words = [_Said(word.text, word.start, word.end) for caption in edit.captions for word in caption.words]
    gone: list[dict[int, int]] = [{} for _ in range(len(words) + 1)]
    gone[0][0] = 0
    cuts = [clip.start for clip in edit.video]
    opening = [0, *(_cut_before(before, after, cuts) for before, after in pairwise(words))]
    for first in range(len(words)):
        for broken, ready in gone[first].items():
            for end in _ends(words, first, edit, cuts):
                late, until = _shown(words, first, end, max(ready, opening[first]), edit)
                count = broken + late
                gone[end][count] = min(until, gone[end].get(count, until))
    return min(gone[-1], default=0)


def _ends(words: Sequence[_Said], first: int, edit: EDL, cuts: Sequence[int]) -> Iterator[int]:
    """One past the words that a caption may end with."""
    line_chars = (PORTRAIT_CAPTIONS if edit.canvas.height > edit.canvas.width else LANDSCAPE_CAPTIONS).line_chars
    line, used = 1, 0
    for at in range(first, len(words)):
        width = len(words[at].text)
        line, used = (line, used + 1 + width) if used and used + 1 + width <= line_chars else (line + bool(used), width)
        too_long = words[at].end - words[first].start > LONGEST_CAPTION * edit.rate
        if at > first and (line > CAPTION_LINES or too_long or _cut_before(words[at - 1], words[at], cuts)):
            return
        yield at + 1


def _cut_before(before: _Said, after: _Said, cuts: Sequence[int]) -> int:
    """The frame of the cut at which a sentence begins, as two speakers or scenes share no caption; 0 for none."""
    cut = cuts[bisect_right(cuts, after.start + _NEAR_FRAMES) - 1]
    return cut if before.text.endswith(_ENDS_SENTENCE) and cut >= before.end - _NEAR_FRAMES else 0


def _shown(words: Sequence[_Said], first: int, end: int, ready: int, edit: EDL) -> tuple[bool, int]:
    """Whether a caption has too little time to be read, and from when the next one may be up."""
    rate, slip, late = edit.rate, int(CAPTION_SLIP * edit.rate), int(CAPTION_LATE * edit.rate)
    text = " ".join(word.text for word in words[first:end])
    needed = (max(SHORTEST_CAPTION, Fraction(len(text), FASTEST_CHARS_PER_S)) * rate).__ceil__()
    earliest = words[first].start - int(CAPTION_LEAD * rate)
    if first:
        earliest = max(earliest, words[first - 1].end - slip)
    start = max(ready, earliest, 0)
    latest = edit.duration if end == len(words) else words[end].start + late - CAPTION_GAP_FRAMES
    until = start + needed
    return until > latest, min(until, latest) + CAPTION_GAP_FRAMES


def mouth_figures(edits: Sequence[tuple[EDL, Sequence[AssetFacts]]]) -> Figures:
    """Of all faces that are sampled while text is drawn into the picture, the share whose mouths lie under it.

    Args:
        edits: Edits with burned-in captions, each with the facts of its footage.
    """
    under = [covered for edit, assets in edits for covered in _mouths_under_text(edit, assets)]
    return {"reel.mouths_under_text_share": sum(share > _COVERED for share in under) / max(1, len(under))}


def _mouths_under_text(edit: EDL, assets: Sequence[AssetFacts]) -> Iterator[float]:
    """The share of each mouth that the box drawn for the caption lies over."""
    style, material = edit.caption_style, gather(assets)
    footage = {one.source.id: one for one in (*material.a_roll, *material.b_roll, *material.screens)}
    if style is None or not style.burn_in:
        return
    for seen in visible_stretches(edit):
        for caption in edit.captions:
            first, end = max(seen.first, caption.start), min(seen.end, caption.end)
            if first < end:
                box, part = layout(caption, style), replace(seen, first=first, end=end)
                for head in heads_in(part, footage[seen.clip.source], edit, style):
                    yield head.covered_by((box.y, box.y + box.height))[0]
