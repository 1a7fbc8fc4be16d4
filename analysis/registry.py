"""The analyzers by name: one interface, one table line each."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from analysis.activity import ActivityAnalysis, ActivityParameters
from analysis.alignment import AlignmentParameters, align
from analysis.detectors import available_detector
from analysis.faces import FacesParameters, begin_faces
from analysis.image_embeddings import ImageEmbeddingsParameters, begin_image_embeddings
from analysis.image_text import settled_model
from analysis.models import find_whisper
from analysis.parts import Parts
from analysis.picture import LookAnalysis, PictureParameters
from analysis.probe import ProbeParameters, probe
from analysis.recognising import OpenRecogniser
from analysis.recording import Dialogue, Recording, SoundAnalysis
from analysis.shots import ShotAnalysis, ShotsParameters
from analysis.sound import SoundParameters, measure_sound
from analysis.speech_embeddings import SpeechEmbeddingsParameters, embed_speech
from analysis.transcript import TranscriptParameters, transcribe
from analysis.watching import PictureAnalysis
from schemas.analysing import AnalysisRequest, version_of
from schemas.errors import CinemaError, ErrorCode
from schemas.facts import (
    Activity,
    Alignment,
    Faces,
    ImageEmbeddings,
    Picture,
    Shots,
    Sound,
    SpeechEmbeddings,
    Transcript,
)
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback


def _unchanged(parameters: Any, _models: Path) -> Any:
    return parameters


@dataclass(frozen=True)
class Analyzer:
    """One measurement of one file.

    Attributes:
        name: also the field of ``AssetFacts`` that its result fills; of alignments there are several.
        parameters: the model of everything that changes a result; defaults are the product's.
        result: the model of its answer.
        measure: how it goes to work.
        settle: names in the parameters which model will be used on this machine, fetching it if need be.
    """

    name: str
    parameters: type[Model]
    result: type[Model]
    measure: "OfFile | OfPicture | OfSound | OfPair | OfWords"
    settle: Callable[[Any, Path], Any] = _unchanged

    @property
    def version(self) -> str:
        return version_of(self.name)


@dataclass(frozen=True)
class OfFile:
    """Opens the file itself; given the request, its validated parameters and a progress callback."""

    run: Callable[[AnalysisRequest, Any, ProgressCallback], Model]


@dataclass(frozen=True)
class OfPicture:
    """Looks at every frame as it comes by.

    Begun with the request, its validated parameters, the model folder and the parts that are kept.
    """

    begin: Callable[[AnalysisRequest, Any, Path, Parts], PictureAnalysis]


@dataclass(frozen=True)
class OfSound:
    """Hears the recording.

    Begun with its validated parameters, the model folder, the parts that are kept, and how recognisers are come by.
    """

    begin: Callable[[Any, Path, Parts, OpenRecogniser], SoundAnalysis]


@dataclass(frozen=True)
class OfPair:
    """Holds what is heard in the file against its reference.

    Given the request, its validated parameters, the file's dialogue and a progress callback.
    """

    compare: Callable[[AnalysisRequest, Any, Dialogue, ProgressCallback], Model]


@dataclass(frozen=True)
class OfWords:
    """Reads what was said, once that is known; neither hears nor sees it.

    Given its validated parameters, the model folder, the transcript if there is one, and a progress callback.
    """

    read: Callable[[Any, Path, Transcript | None, ProgressCallback], Model]


def _probe_of(request: AnalysisRequest) -> MediaProbe:
    return request.probe or probe(request.path)


def _run_probe(request: AnalysisRequest, _: ProbeParameters, progress: ProgressCallback) -> Model:
    return probe(request.path, progress)


def _align(
    request: AnalysisRequest, parameters: AlignmentParameters, track: Dialogue, progress: ProgressCallback
) -> Model:
    if request.reference is None:
        raise CinemaError(ErrorCode.INTERNAL, "An alignment needs a reference to align to.")
    return align(track.wave, request.reference, request.reference_probe, parameters, progress)


def _begin_shots(request: AnalysisRequest, _: ShotsParameters, __: Path, parts: Parts) -> PictureAnalysis:
    return ShotAnalysis(_probe_of(request), parts)


def _begin_picture(_: AnalysisRequest, __: PictureParameters, ___: Path, parts: Parts) -> PictureAnalysis:
    return LookAnalysis(parts)


def _begin_activity(_: AnalysisRequest, __: ActivityParameters, ___: Path, parts: Parts) -> PictureAnalysis:
    return ActivityAnalysis(parts)


def _begin_faces(request: AnalysisRequest, parameters: FacesParameters, models: Path, parts: Parts) -> PictureAnalysis:
    return begin_faces(request.path, _probe_of(request), parameters, models, parts)


def _begin_image_embeddings(
    _: AnalysisRequest, parameters: ImageEmbeddingsParameters, models: Path, parts: Parts
) -> PictureAnalysis:
    return begin_image_embeddings(parameters, models, parts)


def _begin_sound(_: SoundParameters, __: Path, ___: Parts, ____: OpenRecogniser) -> SoundAnalysis:
    return measure_sound


def _begin_transcript(
    parameters: TranscriptParameters, models: Path, parts: Parts, open_recogniser: OpenRecogniser
) -> SoundAnalysis:
    def hear(recording: Recording, progress: ProgressCallback) -> Model:
        return transcribe(recording, parameters, models, progress, parts=parts, open_recogniser=open_recogniser)

    return hear


def _settle_transcript(parameters: TranscriptParameters, models: Path) -> TranscriptParameters:
    if parameters.model == "none":
        return parameters
    found = find_whisper(parameters.model, models)
    if found is None:
        return parameters.model_copy(update={"model": "none", "wanted": parameters.model})
    settled = parameters.model_copy(update={"weights": found.weights})
    if parameters.model is not None and found.answers_to(parameters.model):
        return settled
    return settled.model_copy(update={"model": found.name, "wanted": parameters.model})


def _settle_faces(parameters: FacesParameters, models: Path) -> FacesParameters:
    return parameters.model_copy(update={"detector": parameters.detector or available_detector(models) or "none"})


def _settle_encoder(parameters: Any, models: Path) -> Any:
    return parameters.model_copy(update={"encoder": settled_model(parameters.encoder, models)})


ANALYZERS: Mapping[str, Analyzer] = MappingProxyType(
    {
        analyzer.name: analyzer
        for analyzer in (
            Analyzer("probe", ProbeParameters, MediaProbe, OfFile(_run_probe)),
            Analyzer("sound", SoundParameters, Sound, OfSound(_begin_sound)),
            Analyzer("transcript", TranscriptParameters, Transcript, OfSound(_begin_transcript), _settle_transcript),
            Analyzer("shots", ShotsParameters, Shots, OfPicture(_begin_shots)),
            Analyzer("faces", FacesParameters, Faces, OfPicture(_begin_faces), _settle_faces),
            Analyzer("picture", PictureParameters, Picture, OfPicture(_begin_picture)),
            Analyzer("activity", ActivityParameters, Activity, OfPicture(_begin_activity)),
            Analyzer(
                "image_embeddings",
                ImageEmbeddingsParameters,
                ImageEmbeddings,
                OfPicture(_begin_image_embeddings),
                _settle_encoder,
            ),
            Analyzer(
                "speech_embeddings",
                SpeechEmbeddingsParameters,
                SpeechEmbeddings,
                OfWords(embed_speech),
                _settle_encoder,
            ),
            Analyzer("alignment", AlignmentParameters, Alignment, OfPair(_align)),
        )
    }
)


def artifact_key(analyzer: str, version: str, asset_sha256: str, parameters: Mapping[str, Any]) -> str:
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
    known = analyzer_named(analyzer)
    settled: Model = known.settle(validated(known, parameters), models)
    return settled.model_dump(mode="json")


def analyzer_named(name: str) -> Analyzer:
    """Raises ``CinemaError`` for a name that no analyzer has."""
    if name not in ANALYZERS:
        raise CinemaError(ErrorCode.INTERNAL, f"There is no analysis called {name}.")
    return ANALYZERS[name]


def validated(analyzer: Analyzer, parameters: Mapping[str, Any]) -> Model:
    """An analyzer's parameters out of JSON; raises ``CinemaError`` for what are not its own."""
    try:
        return analyzer.parameters.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CinemaError(
            ErrorCode.INTERNAL, f"The analysis {analyzer.name} cannot be asked for: {where}: {first['msg']}."
        ) from error
