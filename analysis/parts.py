"""What is finished of a long analysis, kept so that it is not done again when a process dies over the rest."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pydantic import ValidationError

from schemas.model import Model
from schemas.sandbox import LONGEST_PART

Part = TypeVar("Part", bound=Model)


class KeepPart(Protocol):
    """Called with an analyzer's name, the number of its part, from 0, and the part's JSON."""

    def __call__(self, analyzer: str, number: int, content: str, /) -> None: ...


def keep_nothing(analyzer: str, number: int, content: str, /) -> None:
    """For callers that would rather begin anew."""


class Parts:
    """One analysis's parts: those an earlier attempt has kept, and where the next ones go.

    Whether and where a file is divided must never change the answer.
    """

    def __init__(
        self, found: Sequence[str] = (), keep: Callable[[int, str], None] = lambda _number, _content: None
    ) -> None:
        self._found = found
        self._keep = keep
        self._next = 0
        self._full = False

    def found(self, kind: type[Part], fits: Callable[[Sequence[Part], Part], bool] = lambda _, __: True) -> list[Part]:
        """The parts that are there already, in order; asked once, before any is kept.

        Only up to the first that this version cannot read, or that does not fit, given those before it and itself:
        from there on they are made again.
        """
        read: list[Part] = []
        for content in self._found:
            try:
                part = kind.model_validate_json(content)
            except ValidationError:
                break
            if not fits(read, part):
                break
            read.append(part)
        self._next = len(read)
        return read

    def keep(self, part: Model) -> None:
        """Keep the next part; none any more once one was too long, which no usual footage comes near."""
        content = part.model_dump_json()
        self._full = self._full or len(content) > LONGEST_PART
        if not self._full:
            self._keep(self._next, content)
            self._next += 1
