"""In which order the characters of a line are shown: the Unicode bidirectional algorithm (UAX #9).

Implicit levels only, which is what spoken text needs: explicit embeddings, overrides and isolates are taken as if they
were not there.
"""

import unicodedata
from collections.abc import Sequence
from itertools import groupby

_STRONG = frozenset({"L", "R", "AL"})
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_EXPLICIT = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"})
_SPACES = frozenset({"WS", "S", "B"})
_BRACKETS = dict(zip("([{「『【〈《\uff08\uff3b\uff5b", ")]}」』】〉》\uff09\uff3d\uff5d", strict=True))


def base_level(text: str) -> int:
    """0 where the first strong character is read left to right, 1 where it is read right to left (P2, P3)."""
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), "L")
    return 0 if first == "L" else 1


def levels(line: str, base: int) -> list[int]:
    """The embedding level of each character: even ones run left to right, odd ones right to left."""
    original = [_kind(character) for character in line]
    kinds = _numbers(_weak(original, "R" if base else "L"), base)
    kinds = _neutrals(_brackets(line, kinds, base), base)
    found = [_level(kind, base) for kind in kinds]
    for at in range(len(line) - 1, -1, -1):
        if original[at] not in _SPACES:
            break
        found[at] = base
    return found


def visual_order(run_levels: Sequence[int]) -> list[int]:
    """Runs given in reading order, as indices from left to right (L2)."""
    order = list(range(len(run_levels)))
    for level in range(max(run_levels, default=0), 0, -1):
        reached = [one >= level for one in run_levels]
        parts = [(turned, list(part)) for turned, part in groupby(order, key=reached.__getitem__)]
        order = [run for turned, part in parts for run in (reversed(part) if turned else part)]
    return order


def _kind(character: str) -> str:
    kind = unicodedata.bidirectional(character) or "L"
    return "ON" if kind in _EXPLICIT else kind


def _weak(kinds: Sequence[str], start: str) -> list[str]:
    """W1 to W3: marks follow what they mark, digits after Arabic letters are Arabic, Arabic letters run like Hebrew."""
    found: list[str] = []
    before = strong = start
    for kind in kinds:
        now = before if kind == "NSM" else kind
        if now in _STRONG:
            strong = now
        if now == "EN" and strong == "AL":
            now = "AN"
        before = now
        found.append(now)
    return ["R" if kind == "AL" else kind for kind in found]


def _numbers(kinds: Sequence[str], base: int) -> list[str]:
    """W4 to W7: separators inside numbers and signs beside them belong to them; digits after Latin run with it."""
    found = list(kinds)
    for at in range(1, len(found) - 1):
        left, here, right = found[at - 1 : at + 2]
        if left == right and ((here == "CS" and left in {"EN", "AN"}) or (here == "ES" and left == "EN")):
            found[at] = left
    _spread(found, range(len(found)))
    _spread(found, range(len(found) - 1, -1, -1))
    strong = "R" if base else "L"
    for at, kind in enumerate(found):
        if kind in {"L", "R"}:
            strong = kind
        if kind in {"ES", "ET", "CS"}:
            found[at] = "ON"
        elif kind == "EN" and strong == "L":
            found[at] = "L"
    return found


def _spread(kinds: list[str], order: Sequence[int]) -> None:
    """Terminators (currency, percent) next to a number become part of it."""
    before = ""
    for at in order:
        if kinds[at] == "ET" and before == "EN":
            kinds[at] = "EN"
        before = kinds[at]


def _brackets(line: str, kinds: Sequence[str], base: int) -> list[str]:
    """N0: a pair of brackets takes the line's direction where it holds any of it, else that of what is before it."""
    found = list(kinds)
    embedding = "R" if base else "L"
    for opening, closing in _pairs(line):
        inside = {_direction(kind) for kind in found[opening + 1 : closing] if kind not in _NEUTRAL}
        if not inside:
            continue
        before = next((_direction(kind) for kind in reversed(found[:opening]) if kind not in _NEUTRAL), embedding)
        found[opening] = found[closing] = embedding if embedding in inside else before
    return found


def _pairs(line: str) -> list[tuple[int, int]]:
    """Positions of matching brackets, in the order they open (BD16)."""
    waiting: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for at, character in enumerate(line):
        if character in _BRACKETS:
            waiting.append((_BRACKETS[character], at))
        while any(closing == character for closing, _ in waiting):
            closing, opened = waiting.pop()
            if closing == character:
                pairs.append((opened, at))
                break
    return sorted(pairs)


def _neutrals(kinds: Sequence[str], base: int) -> list[str]:
    """N1 and N2: what lies between two of one direction takes it, else the line's; numbers count as right to left."""
    embedding = "R" if base else "L"
    runs = [(neutral, list(part)) for neutral, part in groupby(kinds, key=_NEUTRAL.__contains__)]
    found: list[str] = []
    for at, (neutral, part) in enumerate(runs):
        if not neutral:
            found.extend(part)
            continue
        before = _direction(runs[at - 1][1][-1]) if at else embedding
        after = _direction(runs[at + 1][1][0]) if at + 1 < len(runs) else embedding
        found.extend([before if before == after else embedding] * len(part))
    return found


def _direction(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _level(kind: str, base: int) -> int:
    """I1 and I2."""
    if base:
        return 1 if kind == "R" else 2
    return {"L": 0, "R": 1}.get(kind, 2)
