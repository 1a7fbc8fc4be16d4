"""What could not be heard or seen in the footage, said with the edit that had to go without it."""

from collections.abc import Iterator, Sequence

from director.ledger import Ledger
from director.placing import Placed
from schemas.edl import Evidence
from schemas.facts import AssetFacts


def record_caveats(placed: Sequence[Placed], ledger: Ledger) -> None:
    """Each note of the analyses of what is told, once."""
    told = {one.stretch.footage.source.id: one.stretch.footage for one in placed}
    for footage in told.values():
        for fact, note in _notes(footage.facts):
            ledger.record(
                "caveat",
                f"{footage.facts.name}: {note.rstrip('.')}",
                Evidence(fact=fact, value="noted", source=footage.source.id),
                worth={"unknown": 1},
            )


def _notes(facts: AssetFacts) -> Iterator[tuple[str, str]]:
    for fact in ("transcript", "faces"):
        known = getattr(facts, fact)
        if known is not None and known.note:
            yield fact, known.note
