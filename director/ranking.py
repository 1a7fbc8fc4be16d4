"""What a judge may put in order, and what its order changes: which candidate is chosen, never a time."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from director.choosing import meet, numbered, total_frames
from director.ledger import Ledger
from director.material import Footage, Material
from director.recipe import Candidates, PlanOptions, Recipe, Selection
from schemas.edl import Evidence, Variant
from schemas.judging import LONGEST_TEXT, MOST_CANDIDATES, PictureCandidate, Question, Ranking, SpokenCandidate

#: Candidates beyond those that were asked for: enough to differ, few enough to be read with care.
_ALTERNATIVES = 6


def question_of(variant: Variant, recipe: Recipe, material: Material, options: PlanOptions) -> Question:
    """What a judge could decide of an output; nothing where there is one way to make it.

    The same for each of several outputs of a variant.

    Raises:
        OutputRefused: the output cannot be made of this material.
    """
    if recipe.candidates is None:
        return Question(variant=variant)
    offered = _offered(recipe.candidates(material, options), options.count)
    covering = _covering(material) if recipe.covers else ()
    return Question(
        variant=variant,
        passages=tuple(_spoken(f"p{number}", one, material) for number, one in enumerate(offered, start=1)),
        b_roll=tuple(_pictured(f"b{number}", one) for number, one in enumerate(covering, start=1)),
    )


def chosen(candidates: Candidates, options: PlanOptions) -> Selection:
    """The one of ``options.number``: in the judge's order, if there is one and it leaves room for as many.

    Raises:
        OutputRefused: there are not so many.
    """
    order = _ranking(options).passages
    if not order:
        return numbered(candidates.best, options.number, candidates.what)
    ranked = _ordered(_offered(candidates, options.count), order)
    apart = tuple(islice(_apart(ranked), options.count))
    return numbered(max(apart, candidates.best, key=len), options.number, candidates.what)


def preferred_b_roll(material: Material, options: PlanOptions) -> tuple[str, ...]:
    """The ids in the edit of the footage that the judge would show first, in its order."""
    known = {f"b{number}": one.source.id for number, one in enumerate(_covering(material), start=1)}
    return tuple(known[ident] for ident in _ranking(options).b_roll if ident in known)


def record_verdict(options: PlanOptions, ledger: Ledger) -> None:
    """Says what the judge said, or why nothing was heard of it."""
    verdict = options.verdict
    if verdict is None:
        return
    judge = Evidence(fact="judge", value=verdict.judge)
    if verdict.ranking is None:
        sentence = f"The judge “{verdict.judge}” was not heard, so the built-in score chose: {verdict.failure}"
        ledger.record("judge", sentence, judge, worth={"judged": 1})
        return
    orders = (("order of passages", verdict.ranking.passages), ("order of B-roll", verdict.ranking.b_roll))
    ledger.record(
        "judge",
        f"The judge “{verdict.judge}” put the candidates in order, followed as far as no two outputs overlap",
        judge,
        *(Evidence(fact=fact, value=", ".join(order)) for fact, order in orders if order),
        worth={"judged": 1},
    )


def _ranking(options: PlanOptions) -> Ranking:
    return (options.verdict and options.verdict.ranking) or Ranking()


def _offered(candidates: Candidates, count: int) -> Sequence[Selection]:
    """The best, then the alternatives to them, which may overlap; none that nobody could tell from another."""
    offered = [one for one in candidates.best if _said(one)]
    for one in candidates.alternatives(count + _ALTERNATIVES):
        if _said(one) and all(one.stretches != other.stretches for other in offered):
            offered.append(one)
    return offered[:MOST_CANDIDATES]


def _ordered(offered: Sequence[Selection], order: Sequence[str]) -> Iterator[Selection]:
    """Those in ``order`` first, then the others. An id that nothing has stands for nothing."""
    named = {f"p{number}": one for number, one in enumerate(offered, start=1)}
    first = [ident for ident in order if ident in named]
    yield from (named[ident] for ident in dict.fromkeys([*first, *named]))


def _apart(ordered: Iterator[Selection]) -> Iterator[Selection]:
    taken: list[Selection] = []
    for one in ordered:
        if not any(meet(one.stretches, other.stretches) for other in taken):
            taken.append(one)
            yield one


def _covering(material: Material) -> Sequence[Footage]:
    return (*material.b_roll, *material.screens)[:MOST_CANDIDATES]


def _said(selection: Selection) -> str:
    words = chain.from_iterable(stretch.words for stretch in selection.stretches)
    return " ".join(word.text for word in words if word.text)


def _spoken(ident: str, one: Selection, material: Material) -> SpokenCandidate:
    seconds = round(float(total_frames(one.stretches) / material.rate), 1)
    return SpokenCandidate(id=ident, seconds=seconds, text=_said(one)[:LONGEST_TEXT])


def _pictured(ident: str, one: Footage) -> PictureCandidate:
    facts = one.facts
    return PictureCandidate(id=ident, name=facts.name, tags=facts.tags, description=facts.description[:LONGEST_TEXT])
