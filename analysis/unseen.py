"""An analysis of the picture whose answer is known without looking: nothing to look with, or nothing to be seen."""

from collections.abc import Sequence

from analysis.observing import Observed
from analysis.parts import Parts
from analysis.viewing import View
from schemas.facts import Shots, Span
from schemas.model import Model


class Unseen:
    """Answers without looking."""

    def __init__(self, answer: Model) -> None:
        self.parts = Parts()
        self._answer = answer

    def begin(self) -> "_NotLooking":
        return _NotLooking()

    def finish(self, _: Sequence[Observed], __: Shots) -> Model:
        return self._answer


class _NotLooking:
    def process_frame(self, view: View) -> None:
        """Looks at nothing."""

    def observed(self, stretch: Span) -> Observed:
        return Observed(stretch=stretch, tables={})
