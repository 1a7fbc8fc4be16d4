"""In which order several A-rolls are told: as their creator put them, else as they were recorded, else by name."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from director.ledger import Ledger
from director.material import Footage, Material
from director.recipe import PlanOptions
from schemas.edl import Evidence

#: Recording times are whole seconds in most files.
_ROUNDING_US: Final = 1_000_000
#: Recordings whose place is given as evidence.
_TOLD: Final = 12

_NUMBER: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class _Order:
    """A-rolls in order, ``why`` they are, as the end of a sentence, its part, and what tells the place of each."""

    a_roll: tuple[Footage, ...]
    why: str
    part: str
    fact: str
    value: Callable[[Footage], str]


def in_order(material: Material, options: PlanOptions) -> Material:
    """The material with its A-rolls in the order in which they are told."""
    return replace(material, a_roll=_order(material.a_roll, options).a_roll)


def record_order(material: Material, options: PlanOptions, ledger: Ledger) -> None:
    """Says in which order the A-rolls are told, where there are several."""
    if len(material.a_roll) < 2:
        return
    order = _order(material.a_roll, options)
    evidence = (Evidence(fact=order.fact, value=order.value(one), source=one.source.id) for one in order.a_roll[:_TOLD])
    ledger.record("order", f"The {len(order.a_roll)} recordings are told {order.why}", *evidence, worth={order.part: 1})


def _order(a_roll: Sequence[Footage], options: PlanOptions) -> _Order:
    if options.in_given_order:
        return _Order(tuple(a_roll), "in the order you gave them", "in_given_order", "name", _name)
    times = [at for one in a_roll if (at := _recorded_us(one)) is not None]
    if len(times) == len(a_roll):
        recorded = sorted(zip(times, a_roll, strict=True), key=lambda pair: pair[0])
        if not any(_overlap(before, after[0]) for before, after in pairwise(recorded)):
            in_time = tuple(one for _, one in recorded)
            return _Order(in_time, "in the order they were recorded in", "as_recorded", "recorded at", _recorded_at)
    doubt = "not every file says when it was recorded"
    if len(times) == len(a_roll):
        doubt = "the times that their files give cannot be right: some would have been recorded at once"
    by_name = tuple(sorted(a_roll, key=lambda one: tuple(_natural(one.facts.name))))
    return _Order(by_name, f"in the order of their names, since {doubt}", "by_name", "name", _name)


def _recorded_us(footage: Footage) -> int | None:
    """Microseconds since 1970."""
    recorded = footage.facts.probe.recorded_at
    return None if recorded is None else round(recorded.timestamp() * 1_000_000)


def _overlap(before: tuple[int, Footage], after_us: int) -> bool:
    """Whether a recording still ran when the next began: files copied or converted one after the other say so."""
    start_us, footage = before
    return start_us + footage.facts.probe.duration_us > after_us + _ROUNDING_US


def _natural(name: str) -> Iterator[tuple[bool, int, str]]:
    """The parts of a name as a person orders them: numbers by their value, whatever their digits, before text."""
    for part in _NUMBER.split(name.casefold()):
        if part:
            is_text = not _NUMBER.fullmatch(part)
            yield is_text, 0 if is_text else int(part), part if is_text else ""


def _name(footage: Footage) -> str:
    return footage.facts.name


def _recorded_at(footage: Footage) -> str:
    recorded = footage.facts.probe.recorded_at
    return recorded.isoformat() if recorded else ""
