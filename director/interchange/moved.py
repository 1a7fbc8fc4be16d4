"""What lies on a timeline follows the picture it was made for when clips are moved, shortened or taken out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from schemas.edl import Caption, Decision


@dataclass(frozen=True, slots=True)
class Moved:
    """Frames ``[first, end)`` of the earlier timeline that now begin at ``start``."""

    first: int
    end: int
    start: int

    @property
    def shift(self) -> int:
        return self.start - self.first


class MovedFrames:
    """Where the frames of an earlier timeline are now, by the base clips that are left of it."""

    def __init__(self, pieces: Sequence[Moved]) -> None:
        self._pieces = pieces

    def shift(self, frame: int) -> int | None:
        """How far ``frame`` was moved; ``None`` where it is no longer shown."""
        return next((piece.shift for piece in self._pieces if piece.first <= frame < piece.end), None)

    def captions(self, captions: Sequence[Caption], duration: int) -> tuple[Caption, ...]:
        """Those whose middle is still shown, in the order they are now, none over the next one or the end."""
        placed = sorted(self._placed(captions), key=lambda caption: caption.start)
        ends = chain((caption.start for caption in placed[1:]), repeat(duration))
        fitting = (_until(caption, end) for caption, end in zip(placed, ends, strict=False))
        return tuple(caption for caption in fitting if caption.start < caption.end)

    def decisions(self, decisions: Sequence[Decision], named: frozenset[str]) -> tuple[Decision, ...]:
        """Those that still hold: without a place, with a place that is still shown, or ``named`` by a clip."""
        return tuple(moved for decision in decisions if (moved := self._decision(decision, named)) is not None)

    def _placed(self, captions: Sequence[Caption]) -> Iterator[Caption]:
        for caption in captions:
            shift = self.shift((caption.start + caption.end) // 2)
            if shift is not None:
                yield _shifted(caption, max(shift, -caption.start))

    def _decision(self, decision: Decision, named: frozenset[str]) -> Decision | None:
        if decision.start is None:
            return decision
        shift = self.shift(decision.start)
        if shift is None:
            placeless = decision.model_copy(update={"start": None, "end": None})
            return placeless if decision.id in named else None
        end = None if decision.end is None else decision.end + shift
        return decision.model_copy(update={"start": decision.start + shift, "end": end})


def _shifted(caption: Caption, frames: int) -> Caption:
    words = tuple(
        word.model_copy(update={"start": word.start + frames, "end": word.end + frames}) for word in caption.words
    )
    return caption.model_copy(
        update={"start": caption.start + frames, "end": caption.end + frames, "words": words},
    )


def _until(caption: Caption, end: int) -> Caption:
    """The caption no later than ``end``; without times of its words if one of them would be left with none."""
    if caption.end <= end:
        return caption
    words = tuple(word.model_copy(update={"end": min(word.end, end)}) for word in caption.words)
    timed = all(word.start < word.end for word in words)
    return caption.model_copy(update={"end": end, "words": words if timed else ()})
