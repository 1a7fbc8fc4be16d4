"""What each figure of edit quality has to keep to, and whether it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rich.table import Table

from benchmarks.frame import Figures
from director.style import FACE_IN_FRAME_SHARE, REVERSALS_PER_S


@dataclass(frozen=True, slots=True)
class Limit:
    """The least or the most that is good, whichever is set."""

    least: float = float("-inf")
    most: float = float("inf")

    def keeps(self, value: float) -> bool:
        return self.least <= value <= self.most

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.least:g}"
        return f"at least {self.least:g}" if self.most == float("inf") else f"at most {self.most:g}"


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "words.median_boundary_error_ms": Limit(most=60),
        "words.max_boundary_error_ms": Limit(most=250),
        "shots.missed": Limit(0, 0),
        "shots.false": Limit(0, 0),
        "alignment.offset_error_ms": Limit(most=5),
        "cuts.inside_words": Limit(0, 0),
        "cuts.dead_air_over_pace": Limit(0, 0),
        "takes.abandoned_words_kept": Limit(0, 0),
        "takes.good_words_lost": Limit(0, 0),
        "passages.sentence_complete_share": Limit(least=1),
        "hooks.broken_share": Limit(0, 0),
        "captions.out_of_guide": Limit(0, 0),
        "captions.avoidably_out_of_guide": Limit(0, 0),
        "captions.beside_cuts": Limit(0, 0),
        "reel.face_in_frame_share": Limit(least=FACE_IN_FRAME_SHARE),
        "reel.reversals_per_s": Limit(most=float(REVERSALS_PER_S)),
    }
)


def judged_table(figures: Figures) -> Table:
    """Every figure, with its limit and whether it is kept where there is one."""
    table = Table("figure", "value", "limit", "", title="eval", title_justify="left")
    table.columns[1].justify = "right"
    for name in sorted(figures):
        limit = LIMITS.get(name)
        verdict = "" if limit is None else "kept" if limit.keeps(figures[name]) else "missed"
        style = "red" if verdict == "missed" else None
        table.add_row(name, f"{figures[name]:.4g}", "" if limit is None else str(limit), verdict, style=style)
    return table
