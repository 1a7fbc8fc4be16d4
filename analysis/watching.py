"""One decode pass over a file's picture, for everybody who wants to look at it.

A long file is looked at in stretches, each for itself and the same whether or not an earlier attempt has seen those
before: what was seen of a stretch is kept, so that a new attempt goes on with the next.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Protocol

from analysis.observing import Observed
from analysis.parts import Parts
from analysis.progressing import in_steps
from analysis.shots import ShotAnalysis
from analysis.viewing import Footage, View, open_footage
from schemas.facts import Shots, Span
from schemas.media import MediaProbe
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress
from schemas.timebase import pts_to_us

#: Least time between two frames that analyses look at, whatever the rate: a hand shakes and lips move at up to seven
#: times a second.
PACE_US = 60_000
#: Length of a stretch, a whole number of every analysis's steps; the last may be longer by up to a half of it.
STRETCH_US = 600_000_000
#: What is seen before a stretch and after it besides, for what reaches over its borders: a slow change of picture, and
#: the frames that a cut is measured against.
BESIDES_US = 12_000_000
#: Later than any frame.
_NEVER_US = 1 << 52


class Looking(Protocol):
    """Looks at one stretch."""

    def process_frame(self, view: View) -> object:
        """Look at the next frame; their times rise, from a little before the stretch until a little after it."""

    def observed(self, stretch: Span) -> Observed:
        """What was seen in the stretch itself."""


class PictureAnalysis(Protocol):
    """Something that is learnt from frames that are ``PACE_US`` or a little more apart, or begin another scene."""

    parts: Parts

    def begin(self) -> Looking:
        """Look at the next stretch."""

    def finish(self, observed: Sequence[Observed], shots: Shots, /) -> Model:
        """What was learnt of all stretches, once the shots are known."""


def watch(
    path: Path,
    probe: MediaProbe,
    analyses: Sequence[PictureAnalysis],
    progress: ProgressCallback = ignore_progress,
) -> list[Model]:
    """Show a probed file's picture to all analyses, and tell what each has learnt.

    A file without picture shows nothing.

    Raises:
        MediaRefused: when most of the picture is damaged.
    """
    tell, stretches = in_steps(progress), stretches_of(probe)
    finding = next((one for one in analyses if isinstance(one, ShotAnalysis)), None) or ShotAnalysis(probe)
    courses = [_Course(one, _kept(one, stretches)) for one in (finding, *analyses) if one is not finding]
    courses.append(_Course(finding, _kept(finding, stretches)))
    if probe.video is None:
        for course in courses:
            course.observed.append(course.analysis.begin().observed(Span(start_us=0, end_us=_NEVER_US)))
    else:
        with open_footage(path, probe, probe.video) as footage:
            for number, stretch in enumerate(stretches):
                waiting = [course for course in courses if len(course.observed) == number]
                if waiting:
                    _look(footage, stretch, finding, waiting, lambda at_us: tell(at_us / probe.duration_us))
    shots = finding.find(courses[-1].observed)
    learnt = {id(one.analysis): one.analysis.finish(one.observed, shots) for one in courses}
    tell(1.0)
    return [learnt[id(one)] for one in analyses]


def stretches_of(probe: MediaProbe) -> tuple[Span, ...]:
    """What a file is looked at in, one after the other; the last has no end."""
    if probe.video is None:
        return ()
    end_us = pts_to_us(probe.video.end_pts, probe.video.time_base, probe.origin)
    borders = [number * STRETCH_US for number in range(max(1, round(end_us / STRETCH_US)))]
    return tuple(Span(start_us=a, end_us=b) for a, b in pairwise([*borders, _NEVER_US]))


@dataclass
class _Course:
    """An analysis, and what it has observed of the first stretches."""

    analysis: PictureAnalysis
    observed: list[Observed]


def _kept(analysis: PictureAnalysis, stretches: Sequence[Span]) -> list[Observed]:
    def fits(before: Sequence[Observed], part: Observed) -> bool:
        return len(before) + 1 < len(stretches) and part.stretch == stretches[len(before)]

    return analysis.parts.found(Observed, fits)


def _look(
    footage: Footage,
    stretch: Span,
    finding: ShotAnalysis,
    waiting: Sequence[_Course],
    tell: Callable[[int], None],
) -> None:
    """Show a stretch to all that have not seen it, and keep what they have observed if there is more to come."""
    finder, pace = finding.begin(), _Pace()
    others = [(course, course.analysis.begin()) for course in waiting if course.analysis is not finding]
    for view in _views(footage, stretch):
        if pace.is_due(view.at_us, at_once=finder.process_frame(view)):
            for _, looking in others:
                looking.process_frame(view)
        tell(view.at_us)
    doubts = finder.doubts(stretch)
    finder.look_again(doubts, footage.again(doubts))
    observing = others + [(course, finder) for course in waiting if course.analysis is finding]
    for course, looking in observing:
        course.observed.append(looking.observed(stretch))
        if stretch.end_us != _NEVER_US:
            course.analysis.parts.keep(course.observed[-1])


def _views(footage: Footage, stretch: Span) -> Iterator[View]:
    """The frames of a stretch and of what lies beside it."""
    with closing(footage.views_from(stretch.start_us - BESIDES_US) if stretch.start_us else footage.views()) as views:
        yield from takewhile(lambda view: view.at_us < stretch.end_us + BESIDES_US, views)


class _Pace:
    """Tells which frames are far enough from the last one that was looked at."""

    def __init__(self) -> None:
        self._due_us: int | None = None

    def is_due(self, at_us: int, *, at_once: bool) -> bool:
        if not (at_once or self._due_us is None or at_us >= self._due_us):
            return False
        self._due_us = at_us + PACE_US
        return True
