"""One decode pass over a file's picture, for everybody who wants to look at it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from analysis.progressing import in_steps
from analysis.shots import ShotFinder
from analysis.viewing import View, open_footage
from schemas.facts import Shots
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress

#: Least time between two frames that analyses look at, whatever the rate: a hand shakes and lips move at up to seven
#: times a second.
PACE_US = 60_000


class PictureAnalysis(Protocol):
    """Something that is learnt from frames that are ``PACE_US`` or a little more apart, or begin another scene."""

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
    tell, finder, pace = in_steps(progress), ShotFinder(probe), _Pace()
    if probe.video is not None:
        with open_footage(path, probe, probe.video) as footage:
            for view in footage.views():
                if pace.is_due(view.at_us, at_once=finder.process_frame(view)):
                    for analysis in analyses:
                        analysis.process_frame(view)
                tell(view.at_us / probe.duration_us)
            doubts = finder.doubts()
            finder.look_again(doubts, footage.again(doubts))
    shots = finder.finish()
    answers = [analysis.finish(shots) for analysis in analyses]
    tell(1.0)
    return answers


class _Pace:
    """Tells which frames are far enough from the last one that was looked at."""

    def __init__(self) -> None:
        self._due_us: int | None = None

    def is_due(self, at_us: int, *, at_once: bool) -> bool:
        if not (at_once or self._due_us is None or at_us >= self._due_us):
            return False
        self._due_us = at_us + PACE_US
        return True
