"""The facts of footage, measured here and now by the analyzers themselves, with what each of them cost."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypeVar

from analysis import applicable, run_analyzer, settle_parameters
from benchmarks.timing import Cost
from cinema.settings import Settings
from demo import Footage
from schemas.analysing import AnalysisRequest
from schemas.facts import AssetFacts
from schemas.media import AssetKind, MediaProbe
from schemas.model import Model
from schemas.progress import ignore_progress

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class MeasuredAsset:
    """An asset's facts and the cost of each analyzer, by its name."""

    facts: AssetFacts
    costs: dict[str, Cost]


def measure_footage(footage: Footage) -> tuple[MeasuredAsset, ...]:
    """All four files, the microphone aligned to the talk."""
    return (
        measure(footage.talk, AssetKind.A_ROLL),
        measure(footage.city, AssetKind.B_ROLL),
        measure(footage.screen, AssetKind.SCREEN),
        measure(footage.microphone, AssetKind.AUDIO, reference=footage.talk),
    )


def measure(path: Path, kind: AssetKind, reference: Path | None = None) -> MeasuredAsset:
    """Every analyzer that applies to a file of this kind; the id of the asset is its file name without ending."""
    probe, probing = _timed(partial(measure_probe, path, kind))
    costs = {"probe": probing}
    answers: dict[str, Any] = {}
    names = applicable(probe, kind) + (("alignment",) if reference is not None else ())
    for name in names:
        request = AnalysisRequest(analyzer=name, path=path, kind=kind, probe=probe, reference=reference)
        answers[name], costs[name] = _timed(partial(_answer, request))
    alignments = [answers.pop("alignment")] if reference is not None else []
    facts = AssetFacts(
        asset_id=path.stem,
        name=path.name,
        kind=kind,
        sha256=_sha256(path),
        probe=probe,
        alignments=tuple(alignments),
        **answers,
    )
    return MeasuredAsset(facts=facts, costs=costs)


def measure_probe(path: Path, kind: AssetKind) -> MediaProbe:
    answer = _answer(AnalysisRequest(analyzer="probe", path=path, kind=kind))
    return MediaProbe.model_validate(answer.model_dump())


def _answer(request: AnalysisRequest) -> Model:
    models = Settings().models
    wanted = (
        {"reference_sha256": _sha256(request.reference)}
        if request.analyzer == "alignment" and request.reference
        else {}
    )
    settled = settle_parameters(request.analyzer, wanted, models)
    return run_analyzer(request.model_copy(update={"parameters": settled}), ignore_progress, models)


def _timed(work: Callable[[], Answer]) -> tuple[Answer, Cost]:
    wall, cpu = perf_counter(), process_time()
    answer = work()
    return answer, Cost(wall_s=perf_counter() - wall, cpu_s=process_time() - cpu)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
