"""An edit as a person would read it."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from schemas.edl import EDL, CostShare, Decision

#: Decisions a reader is shown of each kind; the rest are counted.
_SHOWN_OF_A_KIND = 12
#: Parts of a decision's worth that a reader is shown; the rest are added up.
_SHOWN_SHARES = 4


def explain(edl: EDL) -> str:
    """What the edit is and what was done to get there, one line each, in the order of the timeline.

    Each line ends with what the decision adds to the worth of the edit, by the parts of the table of costs.
    """
    name = edl.variant.replace("_", " ")
    heading = (
        f"{edl.title}: {name}, {_clock(edl.duration, edl.rate)}, {edl.canvas.width}x{edl.canvas.height}, "
        f"{len(edl.video)} clips, {len(edl.overlays)} covers, {len(edl.captions)} captions"
    )
    seen: Counter[str] = Counter()
    lines = []
    for decision in sorted(edl.decisions, key=_when):
        seen[decision.kind] += 1
        if seen[decision.kind] <= _SHOWN_OF_A_KIND:
            lines.append(_line(decision, edl.rate))
    more = [
        f"  and {count - _SHOWN_OF_A_KIND} more of kind {kind.replace('_', ' ')}"
        for kind, count in seen.items()
        if count > _SHOWN_OF_A_KIND
    ]
    return "\n".join([heading, *lines, *more])


def _when(decision: Decision) -> tuple[bool, int]:
    return decision.start is None, decision.start or 0


def _line(decision: Decision, rate: Fraction) -> str:
    at = "     -" if decision.start is None else _clock(decision.start, rate)
    return f"  {at}  {decision.sentence}.{_worth(decision.shares)}"


def _worth(shares: Sequence[CostShare]) -> str:
    """What it adds to the worth of the edit, and the parts that weigh most in it."""
    if not any(share.thousandths for share in shares):
        return ""
    heaviest = sorted(shares, key=lambda share: -abs(share.thousandths))
    told = [f"{share.part.replace('_', ' ')} {_points(share.thousandths)}" for share in heaviest[:_SHOWN_SHARES]]
    rest = sum(share.thousandths for share in heaviest[_SHOWN_SHARES:])
    if rest:
        told.append(f"others {_points(rest)}")
    return f" [{_points(sum(share.thousandths for share in shares))}: {', '.join(told)}]"


def _points(thousandths: int) -> str:
    return f"{thousandths / 1000:+.2f}"


def _clock(frames: int, rate: Fraction) -> str:
    minutes, seconds = divmod(frames / rate, 60)
    return f"{int(minutes)}:{float(seconds):04.1f}"
