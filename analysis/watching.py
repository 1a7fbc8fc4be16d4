"""One decode pass over a file's picture, for everybody who wants to look at it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from analysis.progressing import in_steps
from analysis.shots import ShotFinder
from analysis.viewing import View, views
from schemas.facts import Shots
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress


class PictureAnalysis(Protocol):
    """Something that is learnt from looking at every frame once."""

    def process_frame(self, view: View) -> None:
        """Look at the next frame; their times rise."""

    def finish(self, shots: Shots, /) -> Model:
        """What was learnt, once all frames were seen and the shots are known."""


class ShotAnalysis:
    """The shots themselves, which every pass finds anyway."""

    def process_frame(self, view: View) -> None:
        """Has nothing to add."""

    def finish(self, shots: Shots) -> Shots:
        return shots


def watch(
    path: Path,
    probe: MediaProbe,
    analyses: Sequence[PictureAnalysis],
    progress: ProgressCallback = ignore_progress,
) -> list[Model]:
    """Show every frame of a probed file's picture to all analyses, and tell what each has learnt.

    A file without picture shows nothing.

    Raises:
        MediaRefused: when most of the picture is damaged.
    """
    tell, finder = in_steps(progress), ShotFinder(probe)
    if probe.video is not None:
        for view in views(path, probe, probe.video):
            finder.process_frame(view)
            for analysis in analyses:
                analysis.process_frame(view)
            tell(view.at_us / probe.duration_us)
    shots = finder.finish()
    answers = [analysis.finish(shots) for analysis in analyses]
    tell(1.0)
    return answers
