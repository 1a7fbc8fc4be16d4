"""Whether a timeline, by whomever, keeps to the grammar of editing: a score, and every place that does not."""

from dataclasses import dataclass

from director.grammar.cutting import Cutting, cutting_of, cutting_of_otio
from director.grammar.rules import RULES, Breach, Judged, Rule

__all__ = ["Cutting", "Finding", "Verdict", "cutting_of", "cutting_of_otio", "lint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place that breaks a rule: its frame (``None`` for the whole), what is wrong, and where the rule comes from."""

    rule: str
    frame: int | None
    sentence: str
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``score`` from 0 to 100: each rule takes away its weight times the share of its chances that broke it.

    ``costs`` are those losses by rule; a rule that could not be broken costs nothing.
    """

    score: float
    costs: dict[str, float]
    findings: tuple[Finding, ...]


def lint(cutting: Cutting) -> Verdict:
    """Hold a cutting against every rule."""
    judged = [(rule, rule.judge(cutting)) for rule in RULES]
    costs = {rule.name: _cost(rule, verdict) for rule, verdict in judged}
    found = [_finding(rule, breach) for rule, verdict in judged for breach in verdict.breaches]
    found.sort(key=lambda finding: (finding.frame is not None, finding.frame or 0, finding.rule))
    return Verdict(max(0.0, 100 - sum(costs.values())), costs, tuple(found))


def _cost(rule: Rule, verdict: Judged) -> float:
    return rule.weight * min(1.0, len(verdict.breaches) / verdict.chances) if verdict.chances else 0.0


def _finding(rule: Rule, breach: Breach) -> Finding:
    return Finding(rule.name, breach.frame, breach.sentence, rule.source)
