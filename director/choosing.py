"""What the variants share in choosing: scripts from material, and selections from passages of them."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import TypeVar

from director.costs import added
from director.ledger import seen_in
from director.material import Footage, Material
from director.passages import Passage
from director.recipe import PlanOptions, Selection
from director.scoring import ScoredScript, score_script
from director.script import Script, Stretch, write_script
from director.style import PACES
from schemas.edl import Evidence
from schemas.errors import ErrorCode, OutputRefused
from schemas.jobs import Pace

Found = TypeVar("Found")


def talking(material: Material, output: str) -> tuple[Footage, ...]:
    """The A-roll in which someone speaks.

    Raises:
        OutputRefused: there is no A-roll, or nobody speaks in it.
    """
    if not material.a_roll:
        raise OutputRefused(
            ErrorCode.NO_USABLE_ASSET, f"The {output} needs footage of someone talking; there is only B-roll here."
        )
    spoken = tuple(footage for footage in material.a_roll if footage.words)
    if not spoken:
        raise OutputRefused(ErrorCode.NO_SPEECH, f"The {output} is cut from speech, and none was heard in the footage.")
    return spoken


def scored_script(footage: Sequence[Footage], pace: Pace) -> ScoredScript:
    return score_script(write_script(footage, PACES[pace]))


def numbered(found: Sequence[Found], number: int, what: str) -> Found:
    """The ``number``-th of what was found, the best first; ``what`` names them for a sentence.

    Raises:
        OutputRefused: there are not so many.
    """
    if number <= len(found):
        return found[number - 1]
    holds = "only one" if len(found) == 1 else str(len(found))
    raise OutputRefused(
        ErrorCode.SOURCE_TOO_SHORT,
        f"There is no number {number}: this footage has enough for {holds} of the {what} that do not overlap.",
    )


def passage_of(options: PlanOptions) -> str:
    """Which passage was chosen, for a sentence."""
    return f"passage {options.number} of the best {options.count}" if options.count > 1 else "the best passage"


def whole(footage: Footage) -> tuple[Stretch, ...]:
    """All of a footage's picture, untouched."""
    return (Stretch(footage, 0, footage.clock.frames, footage.words),)


def selected(script: Script, passages: Sequence[Passage], kind: str, sentence: str) -> Selection:
    """The passages' stretches, with their scores as evidence and the shares that these are the sums of."""
    stretches = tuple(chain.from_iterable(_cut_out(script, part) for part in passages))
    worth = added(passage.shares for passage in passages)
    return Selection(stretches, kind, sentence, worth, tuple(_score(passage) for passage in passages))


def _cut_out(script: Script, passage: Passage) -> tuple[Stretch, ...]:
    """A passage's stretches; what lay before it was not removed from anything, the passage was chosen out of it."""
    opening, *rest = script.stretches(passage.first, passage.end)
    return (replace(opening, removals=()), *rest)


def seconds(frames: int, rate: Fraction) -> str:
    """A duration for a sentence: ``12.3 s``."""
    return f"{float(frames / rate):.1f} s"


def frame_bounds(length: tuple[int, int], rate: Fraction) -> tuple[int, int]:
    """The fewest and the most frames that last ``length`` seconds."""
    return (length[0] * rate).__ceil__(), (length[1] * rate).__floor__()


def total_frames(stretches: Sequence[Stretch]) -> int:
    return sum(stretch.frames for stretch in stretches)


def opening_evidence(stretches: Sequence[Stretch], fact: str, value: str) -> Evidence:
    return seen_in(stretches[0], fact, value)


def meet(stretches: Sequence[Stretch], taken: Sequence[Stretch]) -> bool:
    """Whether any of the same footage is in both."""
    return any(
        one.footage is other.footage and one.start < other.end and other.start < one.end
        for one in stretches
        for other in taken
    )


def _score(passage: Passage) -> Evidence:
    return Evidence(fact="score", value=f"{passage.worth:.3f}")
