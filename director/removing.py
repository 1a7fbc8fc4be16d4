"""What was left out of the speech, written down with what that is worth."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from director.ledger import Ledger
from director.placing import Placed, jump_seen, visible_jumps
from director.recipe import Selection
from director.script import Removal
from schemas.edl import Evidence

#: What it is worth to take something out, by the kind of what it was.
_WORTH = {
    "pause": "dead_air",
    "repeated_take": "said_again",
    "aside": "said_again",
    "false_start": "said_again",
    "filler": "hesitation",
}


def record_stretches(placed: Sequence[Placed], selection: Selection, ledger: Ledger) -> list[str]:
    """One decision for the selection, one for each thing removed; returns the reason of each stretch."""
    chosen = ledger.record(
        selection.kind, selection.sentence, *selection.evidence, worth=selection.worth, start=0, end=placed[-1].end
    )
    jumps = {after.start: jump_seen(before, after) for before, after in visible_jumps(placed)}
    runs_on = {after.start for before, after in pairwise(placed) if before.stretch.footage is after.stretch.footage}
    reasons = []
    for one in placed:
        reason = chosen
        removals = one.stretch.removals
        cause = _cause(removals)
        for removal in removals:
            worth = _worth(removal)
            if removal is cause:
                worth["jump"] = jumps.get(one.start, 0.0)
                worth["over_pace"] = float(removal.kind == "pause" and one.start in runs_on)
            reason = _record(removal, ledger, worth, at=(one.start, one.end))
        reasons.append(reason)
    for removal in selection.left_out:
        _record(removal, ledger, _worth(removal))
    return reasons


def _cause(removals: Sequence[Removal]) -> Removal | None:
    """Of what was taken out in one place, what the cut is made for: words before the silence around them."""
    return next((one for one in removals if one.kind != "pause"), removals[0] if removals else None)


def _worth(removal: Removal) -> dict[str, float]:
    seconds = removal.footage.clock.length_us(removal.end - removal.start) / 1e6
    return {_WORTH[removal.kind]: min(1.0, seconds) if removal.kind == "pause" else 1.0}


def _record(removal: Removal, ledger: Ledger, worth: Mapping[str, float], at: tuple[int, int] | None = None) -> str:
    """``at`` are the timeline frames of what follows it."""
    clock = removal.footage.clock
    evidence = Evidence(
        fact=removal.evidence[0],
        value=removal.evidence[1],
        source=removal.footage.source.id,
        start_us=clock.us(removal.start),
        end_us=clock.us(removal.end),
    )
    start, end = at or (None, None)
    return ledger.record(removal.kind, removal.sentence, evidence, worth=worth, start=start, end=end)
