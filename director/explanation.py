"""An edit as a person would read it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from director.alike import alike, in_one, times
from schemas.edl import EDL, Decision

#: Lines a reader is shown of each kind; the rest are counted.
_SHOWN_OF_A_KIND = 12
#: Parts of a decision's worth that a reader is shown; the rest are added up.
_SHOWN_SHARES = 4
#: What ends a sentence that ends with what was said.
_ENDINGS = (".”", "!”", "?”", "…”")


def explain(edl: EDL) -> str:
    """What the edit is and what was done to get there, in the order of the timeline; what is alike in one line.

    Each line ends with what that adds to the worth of the edit, by the parts of the table of costs.
    """
    name = edl.variant.replace("_", " ")
    heading = (
        f"{edl.title}: {name}, {_clock(edl.duration, edl.rate)}, {edl.canvas.width}x{edl.canvas.height}, "
        f"{_count(edl.video, 'clip')}, {_count(edl.overlays, 'cover')}, {_count(edl.captions, 'caption')}"
    )
    seen: Counter[str] = Counter()
    lines = []
    for group in alike(sorted(edl.decisions, key=_when), lambda decision: (decision.kind, decision.sentence)):
        kind = group[0].kind
        seen[kind] += 1
        if seen[kind] <= _SHOWN_OF_A_KIND:
            lines.append(_line(group, edl.rate))
    more = [
        f"  and {count - _SHOWN_OF_A_KIND} more of kind {kind.replace('_', ' ')}"
        for kind, count in seen.items()
        if count > _SHOWN_OF_A_KIND
    ]
    return "\n".join([heading, *lines, *more])


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _when(decision: Decision) -> tuple[bool, int]:
    return decision.start is None, decision.start or 0


def _line(decisions: Sequence[Decision], rate: Fraction) -> str:
    """Of decisions that are alike: when the first was made, what was done, how often and when else."""
    at = [None if decision.start is None else _clock(decision.start, rate) for decision in decisions]
    said = in_one([decision.sentence for decision in decisions])
    worth: Counter[str] = Counter()
    for share in (share for decision in decisions for share in decision.shares):
        worth[share.part] += share.thousandths
    sentence = said + times(at)
    stop = "" if sentence.endswith(_ENDINGS) else "."
    return f"  {at[0] or '-':>6}  {sentence}{stop}{_worth(worth)}"


def _worth(shares: Mapping[str, int]) -> str:
    """What it adds to the worth of the edit, and the parts that weigh most in it, in thousandths."""
    if not any(shares.values()):
        return ""
    heaviest = sorted(shares.items(), key=lambda share: -abs(share[1]))
    told = [f"{part.replace('_', ' ')} {_points(thousandths)}" for part, thousandths in heaviest[:_SHOWN_SHARES]]
    rest = sum(thousandths for _, thousandths in heaviest[_SHOWN_SHARES:])
    if rest:
        told.append(f"others {_points(rest)}")
    return f" [{_points(sum(shares.values()))}: {', '.join(told)}]"


def _points(thousandths: int) -> str:
    return f"{thousandths / 1000:+.2f}"


def _clock(frames: int, rate: Fraction) -> str:
    minutes, seconds = divmod(frames / rate, 60)
    return f"{int(minutes)}:{float(seconds):04.1f}"
