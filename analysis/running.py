"""Analyzers at work: all that are asked of one file share one decode pass over its picture and one over its sound."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from analysis.parts import KeepPart, Parts, keep_nothing
from analysis.probe import probe
from analysis.progressing import in_steps, shared_out, stage
from analysis.recognising import OpenRecogniser, load_recogniser
from analysis.recording import Dialogue, SoundAnalysis, hear_dialogue, record
from analysis.registry import OfFile, OfPair, OfPicture, OfSound, OfWords, analyzer_named, validated
from analysis.watching import PictureAnalysis, watch
from schemas.analysing import AnalysisRequest
from schemas.facts import Transcript
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback

#: What a transcript tells one analyzer.
Read = Callable[[Transcript | None, ProgressCallback], Model]
#: Holds a dialogue against one reference.
Compare = Callable[[Dialogue, ProgressCallback], Model]
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
    (answer,) = run_analyzers([request], progress, models)
    return answer


def run_analyzers(
    requests: Sequence[AnalysisRequest],
    progress: ProgressCallback,
    models: Path,
    keep: KeepPart = keep_nothing,
    open_recogniser: OpenRecogniser = load_recogniser,
) -> tuple[Model, ...]:
    """Run several analyzers on one local file, its picture and its sound decoded once for all; answers in their order.

    Args:
        requests: at least one, all of the same file; the same analyzer more than once only with several references.
        progress: told how much of all of it is done.
        models: the folder the models are kept in.
        keep: given what is finished of a long file; in the requests of a later attempt it is not worked out again.
        open_recogniser: comes by a speech recogniser, asked once there is speech.

    Raises:
        MediaRefused: where the file cannot be used.
        CinemaError: for an unknown analyzer or parameters that are not its own.
    """
    answers: dict[int, Model] = {}
    watching: dict[int, PictureAnalysis] = {}
    hearing: dict[int, SoundAnalysis] = {}
    comparing: dict[int, Compare] = {}
    reading: dict[int, Read] = {}
    kept: dict[str, Parts] = {}
    for number, request in enumerate(requests):
        analyzer = analyzer_named(request.analyzer)
        parameters = validated(analyzer, request.parameters)
        parts = kept[request.analyzer] = Parts(request.parts, partial(keep, request.analyzer))
        match analyzer.measure:
            case OfFile(run):
                answers[number] = run(request, parameters, progress)
            case OfPicture(begin):
                watching[number] = begin(request, parameters, models, parts)
            case OfSound(begin):
                hearing[number] = begin(parameters, models, parts, open_recogniser)
            case OfPair(compare):
                comparing[number] = partial(compare, request, parameters)
            case OfWords(read):
                reading[number] = partial(read, parameters, models)
    seen_until = 0.0 if not watching else 0.5 if hearing or reading else 1.0
    heard_until = 1.0 if not reading else seen_until + (1 - seen_until) * (HEARING_SHARE if hearing else 0)
    answers |= _watched(requests[0], watching, stage(progress, 0, seen_until))
    answers |= _heard(requests[0], hearing, kept.get(SOUND), stage(progress, seen_until, heard_until))
    answers |= _compared(requests[0], comparing, progress)
    transcript = next((one for one in answers.values() if isinstance(one, Transcript)), requests[0].transcript)
    answers |= {number: read(transcript, stage(progress, heard_until, 1)) for number, read in reading.items()}
    return tuple(answers[number] for number in range(len(requests)))


def _probe_of(request: AnalysisRequest) -> MediaProbe:
    return request.probe or probe(request.path)


def _watched(
    request: AnalysisRequest, analyses: Mapping[int, PictureAnalysis], progress: ProgressCallback
) -> dict[int, Model]:
    if not analyses:
        return {}
    answers = watch(request.path, _probe_of(request), list(analyses.values()), progress)
    return dict(zip(analyses, answers, strict=True))


def _heard(
    request: AnalysisRequest, analyses: Mapping[int, SoundAnalysis], parts: Parts | None, progress: ProgressCallback
) -> dict[int, Model]:
    if not analyses:
        return {}
    recording = record(request.path, _probe_of(request), in_steps(stage(progress, 0, DECODING_SHARE)), parts)
    shares = shared_out(progress, DECODING_SHARE, len(analyses))
    return {number: hear(recording, share) for (number, hear), share in zip(analyses.items(), shares, strict=True)}


def _compared(request: AnalysisRequest, pairs: Mapping[int, Compare], progress: ProgressCallback) -> dict[int, Model]:
    """The file's sound is decoded once, however many references it is held against."""
    if not pairs:
        return {}
    whole = in_steps(progress)
    share = 1 / (1 + len(pairs))
    track = hear_dialogue(request.path, _probe_of(request), stage(whole, 0, share))
    shares = shared_out(whole, share, len(pairs))
    return {number: compare(track, part) for (number, compare), part in zip(pairs.items(), shares, strict=True)}
