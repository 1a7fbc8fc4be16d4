"""The analyzers by name: one interface, one table line each."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from analysis.alignment import AlignmentParameters, align
from analysis.detectors import available_detector
from analysis.faces import FacesParameters, find_faces
from analysis.models import find_whisper
from analysis.probe import ProbeParameters, probe
from analysis.shots import ShotsParameters, find_shots
from analysis.sound import SoundParameters, measure_sound
from analysis.transcript import TranscriptParameters, transcribe
from schemas.analysing import AnalysisRequest
from schemas.errors import CinemaError, ErrorCode
from schemas.facts import Alignment, Faces, Shots, Sound, Transcript
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback

Run = Callable[[AnalysisRequest, Any, ProgressCallback, Path], Model]


def _unchanged(parameters: Any, _models: Path) -> Any:
    return parameters


@dataclass(frozen=True)
class Analyzer:
    """One measurement of one file.

    Attributes:
        name: also the field of ``AssetFacts`` that its result fills.
        version: raised with every change that can change a result, so that old artifacts are not taken for new ones.
        parameters: the model of everything that changes a result; defaults are the product's.
        result: the model of its answer.
        run: measures; given the request, its validated parameters, a progress callback and the model folder.
        settle: names in the parameters which model will be used on this machine, fetching it if need be.
    """

    name: str
    version: int
    parameters: type[Model]
    result: type[Model]
    run: Run
    settle: Callable[[Any, Path], Any] = _unchanged


def _probe_of(request: AnalysisRequest) -> MediaProbe:
    return request.probe or probe(request.path)


def _run_probe(request: AnalysisRequest, _: ProbeParameters, progress: ProgressCallback, __: Path) -> Model:
    return probe(request.path, progress)


def _run_sound(request: AnalysisRequest, _: SoundParameters, progress: ProgressCallback, __: Path) -> Model:
    return measure_sound(request.path, _probe_of(request), progress)


def _run_shots(request: AnalysisRequest, _: ShotsParameters, progress: ProgressCallback, __: Path) -> Model:
    return find_shots(request.path, _probe_of(request), progress)


def _run_transcript(
    request: AnalysisRequest, parameters: TranscriptParameters, progress: ProgressCallback, models: Path
) -> Model:
    return transcribe(request.path, _probe_of(request), parameters, models, progress)


def _run_faces(
    request: AnalysisRequest, parameters: FacesParameters, progress: ProgressCallback, models: Path
) -> Model:
    return find_faces(request.path, _probe_of(request), parameters, models, progress)


def _run_alignment(
    request: AnalysisRequest, parameters: AlignmentParameters, progress: ProgressCallback, _: Path
) -> Model:
    if request.reference is None:
        raise CinemaError(ErrorCode.INTERNAL, "An alignment needs a reference to align to.")
    return align(request.path, _probe_of(request), request.reference, parameters, progress)


def _settle_transcript(parameters: TranscriptParameters, models: Path) -> TranscriptParameters:
    if parameters.model == "none":
        return parameters
    found = find_whisper(parameters.model, models)
    return parameters.model_copy(update={"model": "none" if found is None else found.name})


def _settle_faces(parameters: FacesParameters, models: Path) -> FacesParameters:
    return parameters.model_copy(update={"detector": parameters.detector or available_detector(models) or "none"})


ANALYZERS: Mapping[str, Analyzer] = MappingProxyType(
    {
        analyzer.name: analyzer
        for analyzer in (
            Analyzer("probe", 2, ProbeParameters, MediaProbe, _run_probe),
            Analyzer("sound", 1, SoundParameters, Sound, _run_sound),
            Analyzer("transcript", 1, TranscriptParameters, Transcript, _run_transcript, _settle_transcript),
            Analyzer("shots", 1, ShotsParameters, Shots, _run_shots),
            Analyzer("faces", 1, FacesParameters, Faces, _run_faces, _settle_faces),
            Analyzer("alignment", 1, AlignmentParameters, Alignment, _run_alignment),
        )
    }
)


def artifact_key(analyzer: str, version: int, asset_sha256: str, parameters: Mapping[str, Any]) -> str:
    """What an analysis is remembered by: SHA-256, in hex, of the canonical JSON of everything it depends on."""
    content = {"analyzer": analyzer, "version": version, "asset": asset_sha256, "parameters": parameters}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def settle_parameters(analyzer: str, parameters: Mapping[str, Any], models: Path) -> dict[str, Any]:
    """An analyzer's parameters, complete, with the name of the model that will really be used on this machine.

    Asked before the key is made, so that an answer by a makeshift model is not remembered as the wished one's. May
    fetch a model, and so may take minutes; never hangs for want of a network.

    Raises:
        CinemaError: for an unknown analyzer, parameters that are not its own, or a model that does not exist.
    """
    known = _analyzer(analyzer)
    settled: Model = known.settle(_validated(known, parameters), models)
    return settled.model_dump(mode="json")


def run_analyzer(request: AnalysisRequest, progress: ProgressCallback, models: Path) -> Model:
    """Run one analyzer on one local file.

    Raises:
        MediaRefused: where the file cannot be used.
        CinemaError: for an unknown analyzer or parameters that are not its own.
    """
    analyzer = _analyzer(request.analyzer)
    return analyzer.run(request, _validated(analyzer, request.parameters), progress, models)


def _analyzer(name: str) -> Analyzer:
    if name not in ANALYZERS:
        raise CinemaError(ErrorCode.INTERNAL, f"There is no analysis called {name}.")
    return ANALYZERS[name]


def _validated(analyzer: Analyzer, parameters: Mapping[str, Any]) -> Model:
    try:
        return analyzer.parameters.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CinemaError(
            ErrorCode.INTERNAL, f"The analysis {analyzer.name} cannot be asked for: {where}: {first['msg']}."
        ) from error
