"""Captions that begin and end with the cuts near them, so that text and picture change together.

[Netflix timed text guide, timing to shot changes: within half a second of a cut a caption ends two frames before it and
begins on it; one whose words go on over a cut stays for half a second after it.] Which words a caption holds is settled
before.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from director.caption_lines import text_width
from director.caption_times import Block, CaptionLimits
from director.placing import PlacedWord
from director.style import CAPTION_GAP_FRAMES


def with_cuts(
    blocks: Sequence[Block], words: Sequence[PlacedWord], cuts: Sequence[int], duration: int, limits: CaptionLimits
) -> tuple[Block, ...]:
    """The same captions, moved to the ``cuts`` near them where words and reading times allow it.

    Args:
        blocks: Captions in order, apart.
        words: What they are made of.
        cuts: Frames on which a viewer sees another picture begin, in order.
        duration: Frames of the edit.
        limits: The rules, for the edit's rate.
    """
    near = _NearCuts(words, cuts, limits)
    begun: list[Block] = []
    for block in blocks:
        begun.append(near.begun(block, begun[-1] if begun else None))
    following = [*(block.start - CAPTION_GAP_FRAMES for block in begun[1:]), duration]
    return tuple(near.ended(block, free_to) for block, free_to in zip(begun, following, strict=True))


class _NearCuts:
    def __init__(self, words: Sequence[PlacedWord], cuts: Sequence[int], limits: CaptionLimits) -> None:
        self._words = words
        self._cuts = cuts
        self._limits = limits

    def begun(self, block: Block, before: Block | None) -> Block:
        """With a cut shortly before it, if all words before are said by then; or with one so shortly after it."""
        limits, at = self._limits, bisect_right(self._cuts, block.start)
        earlier, later = (self._cuts[at - 1] if at else None), (self._cuts[at] if at < len(self._cuts) else None)
        if earlier is not None and self._reaches_back(block, earlier) and self._is_over(before, earlier):
            return replace(block, start=earlier)
        if later is not None and later - block.start <= limits.slip and block.until - later >= self._needed(block):
            return replace(block, start=later)
        return block

    def _reaches_back(self, block: Block, cut: int) -> bool:
        limits = self._limits
        return block.start - cut <= limits.lead and self._said_by(block) - cut <= limits.longest

    def _is_over(self, block: Block | None, cut: int) -> bool:
        """Whether a caption's words are said by a cut, and it has been up for long enough; or there is none."""
        if block is None:
            return True
        return self._said_by(block) <= cut and cut - CAPTION_GAP_FRAMES - block.start >= self._needed(block)

    def ended(self, block: Block, free_to: int) -> Block:
        """With the first cut after its words; or half a second after one that its words go on over."""
        limits, said_by = self._limits, self._said_by(block)
        free_to = min(free_to, block.start + limits.longest)
        until, at = block.until, bisect_left(self._cuts, said_by)
        if at and block.start < self._cuts[at - 1] < until < self._cuts[at - 1] + limits.lead:
            until = self._cuts[at - 1] + limits.lead
        if at < len(self._cuts):
            gone = self._cuts[at] - CAPTION_GAP_FRAMES
            until = gone if gone <= until + limits.lead and gone - block.start >= self._needed(block) else until
        return replace(block, until=min(until, free_to))

    def _said_by(self, block: Block) -> int:
        return max(word.end for word in self._words[block.first : block.end])

    def _needed(self, block: Block) -> int:
        """Frames in which it can be read."""
        words = self._words[block.first : block.end]
        columns = sum(text_width(word.text) for word in words) + self._limits.between * (len(words) - 1)
        return self._limits.fastest[min(columns, len(self._limits.fastest) - 1)]
