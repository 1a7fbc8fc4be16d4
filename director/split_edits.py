"""J- and L-cuts: from one footage to another, picture and sound change a few frames apart (EDITING, "Cutting")."""

from collections.abc import Sequence
from dataclasses import replace

from director.ledger import Ledger, seen_in
from director.placing import Placed, is_jump
from director.scoring import asks
from director.style import SPLIT_EDIT_FRAMES

#: By which picture and sound are apart, and what a shot must at least show beside it, so that it does not flash by.
_APART = SPLIT_EDIT_FRAMES[len(SPLIT_EDIT_FRAMES) // 2]
_SHOWN = 3 * _APART


def split_edits(placed: Sequence[Placed], ledger: Ledger) -> tuple[Placed, ...]:
    """The stretches, those that follow another footage seen a little after they are heard, or a little before.

    A J-cut lets the next speaker be heard before being seen, and needs the one before to be silent meanwhile. An L-cut
    lets the last words of the one before be heard over the next one's face, who must be silent meanwhile: it is
    chosen where those words are a question, as whoever answers is then seen hearing it, and where no J-cut can be.
    Where the speaker jumps there is neither: one face would be seen to say nothing while it is heard.
    """
    split = list(placed)
    for index in range(1, len(split)):
        before, after = split[index - 1], split[index]
        if before.stretch.footage is not after.stretch.footage and not is_jump(before.stretch, after.stretch):
            split[index] = _split(before, after, ledger)
    return tuple(split)


def _split(before: Placed, after: Placed, ledger: Ledger) -> Placed:
    j_cut, l_cut = _can_be_heard_first(before, after), _can_be_seen_first(before, after)
    if l_cut and (asks(before.stretch.words[-1]) or not j_cut):
        return _seen_first(before, after, ledger)
    return _heard_first(before, after, ledger) if j_cut else after


def _can_be_heard_first(before: Placed, after: Placed) -> bool:
    """Whether the picture before goes on long enough, with nobody speaking in it."""
    stretch, following = before.stretch, after.stretch
    goes_on = stretch.footage.shot_at(stretch.end - 1)[1] >= stretch.end + _APART
    shown = min(following.footage.shot_at(following.start)[1], following.end) - following.start
    return bool(following.words) and goes_on and stretch.clear_after >= _APART and shown > _SHOWN


def _can_be_seen_first(before: Placed, after: Placed) -> bool:
    """Whether the next picture begins early enough, with nobody speaking in it."""
    stretch, following = before.stretch, after.stretch
    begun = following.footage.shot_at(following.start)[0] <= following.start - _APART
    shown = stretch.end - max(stretch.footage.shot_at(stretch.end - 1)[0], stretch.start + before.shift)
    return bool(stretch.words) and begun and following.clear_before >= _APART and shown > _SHOWN


def _heard_first(before: Placed, after: Placed, ledger: Ledger) -> Placed:
    ledger.record(
        "split_edit",
        f"{after.stretch.footage.facts.name} is heard {_APART} frames before it is seen, so that the cut is not felt",
        seen_in(before.stretch, "frames without speech after the cut", str(before.stretch.clear_after)),
        worth={"split": 1},
        start=after.start,
        end=after.start + _APART,
    )
    return replace(after, shift=_APART)


def _seen_first(before: Placed, after: Placed, ledger: Ledger) -> Placed:
    why = "the question is heard over who answers" if asks(before.stretch.words[-1]) else "the last words land there"
    ledger.record(
        "split_edit",
        f"{after.stretch.footage.facts.name} is seen {_APART} frames before it is heard, so that {why}",
        seen_in(after.stretch, "frames without speech before the cut", str(after.stretch.clear_before)),
        worth={"split": 1},
        start=after.start - _APART,
        end=after.start,
    )
    return replace(after, shift=-_APART)
