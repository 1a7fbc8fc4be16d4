"""The book of decisions: each gets the next id, in the order they were made."""

from collections.abc import Mapping

from director.costs import Shares, shares
from director.script import Stretch
from schemas.edl import CostShare, Decision, Evidence


class Ledger:
    """Collects the decisions of one edit."""

    def __init__(self) -> None:
        self._decisions: list[Decision] = []

    def record(
        self,
        kind: str,
        sentence: str,
        *evidence: Evidence,
        worth: Mapping[str, float] | Shares,
        start: int | None = None,
        end: int | None = None,
    ) -> str:
        """Writes a decision down and returns its id.

        ``worth`` is how much there is of each part of the table of costs, or what they add; ``start`` and ``end`` are
        timeline frames.
        """
        ident = f"d{len(self._decisions) + 1:05d}"
        weighed = shares(worth) if isinstance(worth, Mapping) else worth
        decision = Decision(
            id=ident,
            kind=kind,
            sentence=sentence,
            start=start,
            end=end,
            evidence=evidence,
            shares=tuple(CostShare(part=part, thousandths=round(1000 * value)) for part, value in weighed),
        )
        self._decisions.append(decision)
        return ident

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self._decisions)


def seen_in(stretch: Stretch, fact: str, value: str) -> Evidence:
    """Evidence that lies in a stretch of footage."""
    clock = stretch.footage.clock
    return Evidence(
        fact=fact,
        value=value,
        source=stretch.footage.source.id,
        start_us=clock.us(stretch.start),
        end_us=clock.us(stretch.end),
    )
