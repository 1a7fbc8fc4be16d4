"""What was found in a long file's sound so far, ten minutes at a time, so that a later attempt need not look for it.

First the stream is measured as it is decoded, then there is voice to be found in the dialogue that came of it, then
music. Each stretch is found out for itself, whether or not an earlier attempt has found out those before.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, NonNegativeInt

from analysis.observing import Table
from analysis.parts import Parts
from schemas.model import Model

#: Seconds of a stretch.
STRETCH_S = 600


class Measured(Model):
    """A stretch of a stream: the loudness of its blocks in LUFS, (blocks, 1), its true peak, and its clipped samples.

    ``samples`` counts those of all channels.
    """

    kind: Literal["measured"] = "measured"
    blocks: Table
    peak: NonNegativeFloat
    samples: NonNegativeInt
    clipped: NonNegativeInt


class Voice(Model):
    """The probability of speech in each frame of a stretch of a dialogue, (frames, 1)."""

    kind: Literal["voice"] = "voice"
    values: Table


class Music(Model):
    """Whether music plays in each block of a stretch of a dialogue, (blocks, 1), 0 or 1."""

    kind: Literal["music"] = "music"
    values: Table


Finding = TypeVar("Finding", bound=Model)


class SoundPart(Model):
    """One of the parts that a long sound's analysis is kept in."""

    finding: Annotated[Measured | Voice | Music, Field(discriminator="kind")]


class KeptSound:
    """The findings that an earlier attempt has kept, and where the next ones go."""

    def __init__(self, parts: Parts | None = None) -> None:
        self._parts = parts or Parts()
        self._found = [part.finding for part in self._parts.found(SoundPart)]

    def found(self, kind: type[Finding]) -> list[Finding]:
        """Those of a kind, from the first stretch on."""
        return [one for one in self._found if isinstance(one, kind)]

    def keep(self, finding: Measured | Voice | Music) -> None:
        self._parts.keep(SoundPart(finding=finding))

    def completed(
        self,
        kind: type[Voice | Music],
        count: int,
        per_stretch: int,
        find: Callable[[int, int], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """One value for each of ``count`` frames: those that were found, and the others, kept as they are found.

        Args:
            kind: what the values say.
            count: how many there are.
            per_stretch: how many there are in a stretch.
            find: the values from one number of a frame up to, but without, another.
        """
        found = [np.asarray(one.values[:, 0], np.float32) for one in self.found(kind)]
        values: list[NDArray[np.float32]] = []
        for number, (start, end) in enumerate(_stretches(count, per_stretch)):
            if number < len(found) and len(found[number]) == end - start:
                values.append(found[number])
                continue
            values.append(find(start, end))
            if number >= len(found) and count > per_stretch:
                self.keep(kind(values=values[-1][:, None]))
        return np.concatenate(values) if values else np.zeros(0, np.float32)


def _stretches(count: int, per_stretch: int) -> Sequence[tuple[int, int]]:
    return list(pairwise([*range(0, count, per_stretch), count])) if count else []
