"""How much pieces of B-roll look like what is said, where both were embedded in one space; else nobody knows.

Vectors are whole numbers, so that their products are exact, and every machine finds the same cosines.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from director.material import Footage
from director.placing import Placed
from director.style import PASSAGE_LEFT
from schemas.edl import Evidence
from schemas.facts import Embedded, EmbeddedPassage, EmbeddingSpace

#: Rows of numbers.
Matrix = NDArray[np.float64]
#: Of what was not embedded.
_UNKNOWN = -1.0
#: Frames that are multiplied with all passages at once, so that memory stays small whatever the length of the footage.
_FRAMES_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class SaidPassage:
    """A passage of one source of which enough is in the edit, on timeline frames ``[start, end)``."""

    start: int
    end: int
    source: str
    embedded: EmbeddedPassage


@dataclass(frozen=True, slots=True)
class Alike:
    """How much a piece looks like a passage."""

    passage: SaidPassage
    cosine: float

    @property
    def evidence(self) -> Evidence:
        said = self.passage.embedded
        return Evidence(
            fact="cosine of the picture and what is said",
            value=f"{self.cosine:.2f}",
            source=self.passage.source,
            start_us=said.start_us,
            end_us=said.end_us,
        )


@dataclass(frozen=True, slots=True)
class _InSource:
    """A passage in frames ``[start, end)`` of its source."""

    start: int
    end: int
    embedded: EmbeddedPassage


@dataclass(frozen=True, slots=True)
class Likeness:
    """The cosine of each passage (row, in the order of the timeline) with each piece (column)."""

    passages: Sequence[SaidPassage] = ()
    cosines: Matrix = field(default_factory=lambda: np.empty((0, 0)))
    space: EmbeddingSpace | None = None

    @classmethod
    def between(cls, placed: Sequence[Placed], pieces: Sequence[tuple[Footage, int, int]]) -> "Likeness":
        """Of what is said in the edit and pieces of footage, each with its first frame and its length."""
        space = next(filter(None, (_space_of(one.stretch.footage) for one in placed)), None)
        passages = tuple(sorted(_said(placed, space), key=_order)) if space else ()
        shown = [_frames_of(*piece, space) for piece in pieces] if passages and space else []
        if not any(shown):
            return cls()
        return cls(passages, _cosines([one.embedded.vector for one in passages], shown), space)

    def said_in(self, start: int, end: int) -> tuple[int, ...]:
        """The passages that are said for the most part in these frames, or for most of them."""
        around = range(bisect_right(self.passages, start, key=_end), bisect_left(self.passages, end, key=_start))
        return tuple(number for number in around if _mostly_within(self.passages[number], start, end))

    def best_of(self, passages: Sequence[int], piece: int) -> "Alike | None":
        """The passage that a piece looks most like; ``None`` where there is none, or the piece was not embedded."""
        number = max(passages, key=lambda number: self.cosines[number, piece], default=None)
        if number is None or self.cosines[number, piece] == _UNKNOWN:
            return None
        return Alike(self.passages[number], float(self.cosines[number, piece]))

    def shows(self, cosine: float) -> bool:
        return self.space is not None and cosine >= self.space.related

    def degree(self, cosine: float) -> float:
        """0 where a piece has nothing to do with what is said, 1 where it is taken to show it."""
        if self.space is None:
            return 0.0
        span = max(self.space.related - self.space.unrelated, 1e-6)
        return min(1.0, max(0.0, (cosine - self.space.unrelated) / span))

    @property
    def shown_somewhere(self) -> Iterator[SaidPassage]:
        """The passages that some piece is taken to show, those first that one looks most like."""
        best = self.cosines.max(axis=1, initial=_UNKNOWN)
        for number in sorted(range(len(self.passages)), key=lambda number: -best[number]):
            if self.shows(float(best[number])):
                yield self.passages[number]


def _order(one: SaidPassage) -> tuple[int, int, str]:
    return one.start, one.end, one.source


def _start(one: SaidPassage | _InSource) -> int:
    return one.start


def _end(one: SaidPassage | _InSource) -> int:
    return one.end


def _mostly_within(one: SaidPassage, start: int, end: int) -> bool:
    return 2 * (min(end, one.end) - max(start, one.start)) >= min(one.end - one.start, end - start)


def _space_of(footage: Footage) -> EmbeddingSpace | None:
    embedded = footage.facts.speech_embeddings
    return embedded.space if embedded and embedded.passages else None


def _said(placed: Sequence[Placed], space: EmbeddingSpace) -> Iterator[SaidPassage]:
    known = {one.stretch.footage.source.id: one.stretch.footage for one in placed}
    passages = {source: _passages_of(footage, space) for source, footage in known.items()}
    kept: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for one in placed:
        source, said = one.stretch.footage.source.id, passages[one.stretch.footage.source.id]
        first = bisect_right(said, one.stretch.start, key=_end)
        for number in range(first, bisect_left(said, one.stretch.end, key=_start)):
            start, end = max(said[number].start, one.stretch.start), min(said[number].end, one.stretch.end)
            kept.setdefault((source, number), []).append((one.on_timeline(start), one.on_timeline(end)))
    for (source, number), parts in kept.items():
        passage = passages[source][number]
        if sum(last - first for first, last in parts) >= PASSAGE_LEFT * (passage.end - passage.start):
            yield SaidPassage(min(parts)[0], max(last for _, last in parts), source, passage.embedded)


def _passages_of(footage: Footage, space: EmbeddingSpace) -> Sequence[_InSource]:
    embedded, clock = footage.facts.speech_embeddings, footage.clock
    if embedded is None or embedded.space != space:
        return ()
    return [
        _InSource(clock.nearest_frame(one.start_us), clock.nearest_frame(one.end_us), one) for one in embedded.passages
    ]


def _frames_of(footage: Footage, start: int, length: int, space: EmbeddingSpace) -> tuple[Embedded, ...]:
    """The vectors of the frames in a piece; where there is none, of the last one before it in its shot, or the next."""
    embedded = footage.facts.image_embeddings
    if embedded is None or embedded.space != space:
        return ()
    first, end = footage.shot_at(start)
    in_shot = ((footage.clock.frame_at_or_before(one.at_us), one.vector) for one in embedded.frames)
    frames = [(at, vector) for at, vector in in_shot if first <= at < end]
    inside = tuple(vector for at, vector in frames if start <= at < start + length)
    before = [vector for at, vector in frames if at < start][-1:]
    return inside or tuple(before or [vector for _, vector in frames][:1])


def _cosines(said: Sequence[Embedded], shown: Sequence[Sequence[Embedded]]) -> Matrix:
    """Of each text with each piece: that of the frame of it that looks most like the text."""
    dimensions = len(said[0])
    texts = _rows(said, dimensions)
    cosines = np.full((len(said), len(shown)), _UNKNOWN)
    for block in _blocks(shown):
        pictures = _rows([vector for number in block for vector in shown[number]], dimensions)
        lengths = np.sqrt((texts**2).sum(axis=1))[:, None] * np.sqrt((pictures**2).sum(axis=1))
        each = texts @ pictures.T / np.maximum(lengths, 1.0)
        firsts = [0, *accumulate(len(shown[number]) for number in block[:-1])]
        cosines[:, block] = np.maximum.reduceat(each, firsts, axis=1)
    return cosines


def _blocks(shown: Sequence[Sequence[Embedded]]) -> Iterator[list[int]]:
    """The numbers of the pieces that were embedded, as many at once as have no more frames than are multiplied so."""
    block, frames = list[int](), 0
    for number, vectors in enumerate(shown):
        if block and frames + len(vectors) > _FRAMES_AT_ONCE:
            yield block
            block, frames = [], 0
        if vectors:
            block.append(number)
            frames += len(vectors)
    if block:
        yield block


def _rows(vectors: Sequence[Embedded], dimensions: int) -> Matrix:
    """Vectors of another length than the others point nowhere."""
    nowhere = bytes(dimensions)
    packed = b"".join(vector if len(vector) == dimensions else nowhere for vector in vectors)
    return np.frombuffer(packed, np.int8).reshape(-1, dimensions).astype(np.float64)
