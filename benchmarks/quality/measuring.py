"""All figures of edit quality, from the demo footage and, where it is there, from labelled footage."""

import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.facts import measure_footage
from benchmarks.footage import demo_footage, truth_of
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.quality.cutting import cut_figures, takes_figures
from benchmarks.quality.edits import directed_talks, edit_figures
from benchmarks.quality.hearing import microphone_figures, word_figures
from benchmarks.quality.shots import shot_figures
from benchmarks.quality.truth import TrueWord
from director import PlanOptions, plan
from schemas.edl import Variant
from schemas.errors import CinemaError

#: Names the folder of labelled footage, which is no part of the project.
MEDIA_VARIABLE = "CINEMA_TEST_MEDIA"
_REPOSITORY = Path(__file__).parent.parent.parent


def measure_quality(report: Callable[[str], None]) -> Figures:
    """Analyse and plan the demo footage and compare with what was really said.

    Raises:
        BenchmarkError: Something could not be analysed or planned.
    """
    footage = demo_footage()
    truth = truth_of(footage)
    words = [TrueWord.model_validate(word) for word in truth["words"]]
    report("Analysing the demo footage")
    try:
        assets = [measured.facts for measured in measure_footage(footage)]
        edit = plan(assets, Variant.CINEMATIC_FULL, PlanOptions())
        labelled = _labelled_figures(report)
    except CinemaError as error:
        raise BenchmarkError(error.message) from error
    talk, microphone = assets[0], assets[3]
    offset_s = float(truth["microphone_offset_s"])
    starts = {talk.asset_id: 0.0, microphone.asset_id: offset_s}
    return (
        word_figures(words, talk)
        | microphone_figures(microphone, offset_s)
        | cut_figures(edit, words, starts)
        | takes_figures(edit, words, starts)
        | labelled
    )


def _labelled_figures(report: Callable[[str], None]) -> Figures:
    """What only labelled footage can tell: nothing without it, which is said."""
    media = labelled_media()
    if media is None:
        report(f"No labelled footage (set {MEDIA_VARIABLE}): shots and whole edits are not measured")
        return {}
    report("Finding shots")
    shots = shot_figures(media)
    report("Directing talks")
    return shots | edit_figures(directed_talks(media))


def labelled_media() -> Path | None:
    folder = Path(os.environ.get(MEDIA_VARIABLE, _REPOSITORY.parent / "shared" / "media"))
    return folder if folder.is_dir() else None
