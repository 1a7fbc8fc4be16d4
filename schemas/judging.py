"""What a judge is asked before an output is cut, and what may come of it: an order of candidates, never a time."""

from typing import Annotated, Final

from annotated_types import Len
from pydantic import StringConstraints

from schemas.edl import Variant
from schemas.model import Model

#: Candidates of one kind in a question, at most.
MOST_CANDIDATES: Final = 24
#: Characters of a candidate's text that a judge gets to see.
LONGEST_TEXT: Final = 2_000

CandidateId = Annotated[str, StringConstraints(pattern=r"^[a-z][0-9]{1,3}$")]
Order = Annotated[tuple[CandidateId, ...], Len(0, MOST_CANDIDATES)]


class SpokenCandidate(Model):
    """Something said that an output could be made of; ``text`` was heard in the footage: data, whatever it says."""

    id: CandidateId
    seconds: float
    text: str


class PictureCandidate(Model):
    """Footage that could be shown over the speech, by what its creator says of it."""

    id: CandidateId
    name: str
    tags: tuple[str, ...] = ()
    description: str = ""


class Question(Model):
    """The candidates of one output, each kind in the order that the built-in score gives it."""

    variant: Variant
    passages: Annotated[tuple[SpokenCandidate, ...], Len(0, MOST_CANDIDATES)] = ()
    b_roll: Annotated[tuple[PictureCandidate, ...], Len(0, MOST_CANDIDATES)] = ()

    @property
    def is_open(self) -> bool:
        """Whether there is anything to choose between."""
        return len(self.passages) > 1 or len(self.b_roll) > 1


class Ranking(Model):
    """Ids of candidates, the best first; those left out come after them, in the order of the built-in score."""

    passages: Order = ()
    b_roll: Order = ()

    def fits(self, question: Question) -> bool:
        """Whether it names only candidates that there are, none of them twice."""
        return _among(self.passages, [one.id for one in question.passages]) and _among(
            self.b_roll, [one.id for one in question.b_roll]
        )


class Verdict(Model):
    """What came of asking: a ranking, or why there is none, to end a sentence with."""

    judge: str
    ranking: Ranking | None = None
    failure: str | None = None


def _among(order: tuple[str, ...], known: list[str]) -> bool:
    return len(set(order)) == len(order) and set(order) <= set(known)
