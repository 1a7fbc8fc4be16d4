"""Analyzers at work: all that are asked of one file share one decode pass over its picture and one over its sound."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from analysis.parts import KeepPart, Parts, keep_nothing
from analysis.probe import probe
from analysis.progressing import in_steps, stage
from analysis.recognising import OpenRecogniser, load_recogniser
from analysis.recording import SoundAnalysis, record
from analysis.registry import OfFile, OfPicture, OfSound, OfWords, analyzer_named, validated
from analysis.watching import PictureAnalysis, watch
from schemas.analysing import AnalysisRequest
from schemas.facts import Transcript
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback

#: What a transcript tells one analyzer.
Read = Callable[[Transcript | None, ProgressCallback], Model]
#: Whose parts hold what is found in a file's sound for all who hear it.
SOUND = "sound"
#: Of the progress over a file's sound, the part that decoding it takes.
DECODING_SHARE = 0.2
#: Of the progress over what is heard and read, the part that hearing takes.
HEARING_SHARE = 0.9


def run_analyzer(request: AnalysisRequest, progress: ProgressCallback, models: Path) -> Model:
    """Run one analyzer on one local file.

    Raises:
        MediaRefused: where the file cannot be used.
        CinemaError: for an unknown analyzer or parameters that are not its own.
    """
    return run_analyzers([request], progress, models)[request.analyzer]


def run_analyzers(
    requests: Sequence[AnalysisRequest],
    progress: ProgressCallback,
    models: Path,
    keep: KeepPart = keep_nothing,
    open_recogniser: OpenRecogniser = load_recogniser,
) -> Mapping[str, Model]:
    """Run several analyzers on one local file, its picture and its sound decoded once for all; answers by name.

    Args:
        requests: at least one, all of the same file.
        progress: told how much of all of it is done.
        models: the folder the models are kept in.
        keep: given what is finished of a long file; in the requests of a later attempt it is not worked out again.
        open_recogniser: comes by a speech recogniser, asked once there is speech.

    Raises:
        MediaRefused: where the file cannot be used.
        CinemaError: for an unknown analyzer or parameters that are not its own.
    """
    answers: dict[str, Model] = {}
    watching: dict[str, PictureAnalysis] = {}
    hearing: dict[str, SoundAnalysis] = {}
    reading: dict[str, Read] = {}
    kept: dict[str, Parts] = {}
    for request in requests:
        analyzer = analyzer_named(request.analyzer)
        parameters = validated(analyzer, request.parameters)
        parts = kept[request.analyzer] = Parts(request.parts, partial(keep, request.analyzer))
        match analyzer.measure:
            case OfFile(run):
                answers[request.analyzer] = run(request, parameters, progress)
            case OfPicture(begin):
                watching[request.analyzer] = begin(request, parameters, models, parts)
            case OfSound(begin):
                hearing[request.analyzer] = begin(parameters, models, parts, open_recogniser)
            case OfWords(read):
                reading[request.analyzer] = partial(read, parameters, models)
    seen_until = 0.0 if not watching else 0.5 if hearing or reading else 1.0
    heard_until = 1.0 if not reading else seen_until + (1 - seen_until) * (HEARING_SHARE if hearing else 0)
    answers |= _watched(requests[0], watching, stage(progress, 0, seen_until))
    answers |= _heard(requests[0], hearing, kept.get(SOUND), stage(progress, seen_until, heard_until))
    transcript = next((one for one in answers.values() if isinstance(one, Transcript)), requests[0].transcript)
    return answers | {name: read(transcript, stage(progress, heard_until, 1)) for name, read in reading.items()}


def _probe_of(request: AnalysisRequest) -> MediaProbe:
    return request.probe or probe(request.path)


def _watched(
    request: AnalysisRequest, analyses: Mapping[str, PictureAnalysis], progress: ProgressCallback
) -> dict[str, Model]:
    if not analyses:
        return {}
    answers = watch(request.path, _probe_of(request), list(analyses.values()), progress)
    return dict(zip(analyses, answers, strict=True))


def _heard(
    request: AnalysisRequest, analyses: Mapping[str, SoundAnalysis], parts: Parts | None, progress: ProgressCallback
) -> dict[str, Model]:
    if not analyses:
        return {}
    recording = record(request.path, _probe_of(request), in_steps(stage(progress, 0, DECODING_SHARE)), parts)
    answers: dict[str, Model] = {}
    share = (1 - DECODING_SHARE) / len(analyses)
    for position, (name, hear) in enumerate(analyses.items()):
        begins = DECODING_SHARE + position * share
        answers[name] = hear(recording, stage(progress, begins, begins + share))
    return answers
