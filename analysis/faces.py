"""Faces: who is in the picture where, sampled over time and followed within each shot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from analysis.detectors import MIN_SIDE, Box, Detector, available_detector, load_detector, overlap
from analysis.doubting import agreement
from analysis.face_following import Follower
from analysis.hearing import span_of
from analysis.observing import Observed, joined, rows_in, table
from analysis.parts import Parts
from analysis.recording import hear_dialogue
from analysis.shots import is_other_scene
from analysis.speaking import Mouth, mouth_motion, who_speaks
from analysis.unseen import Unseen
from analysis.viewing import View
from analysis.voice import speech_runs
from schemas.facts import Faces, FaceSample, FaceTrack, Shots, Span
from schemas.media import MediaProbe
from schemas.model import Model

#: Time between samples: a head moves about its own width in a second, so it overlaps itself from one to the next.
STEP_US = 250_000
#: Time between searches while the same faces are seen: in between they are followed by how they look.
SEARCH_US = 1_000_000
#: Time between searches of the large picture where no face is seen, for one that is too small in the small picture.
THOROUGH_US = 8_000_000
#: A face seen again within this overlap of where it was is the same face.
SAME_FACE = 0.3
#: A face that hides (turns away, is passed in front of) for longer than this begins a new track.
MAX_HIDDEN_US = 1_000_000
#: One that is this sure is told however short, and not doubted.
SURE_SCORE = 0.85
#: A track that is never that sure is told if the detector once agrees with itself about it (``doubting.agreement``) to
#: the first degree; or to the second on average over all searches that found it, and to the third added up over them.
#: Measured: from 0.8 up, mostly, for faces of 22 pixels, and 0.4 for some in profile; for hands, toys and crockery up
#: to 0.6 once, but then not on average or not again.
SURE_AGREEMENT = 0.75
MIN_AGREEMENT = 0.35
MIN_EVIDENCE = 1.3
#: One that was found in as many searches is told too where a track that is told has its place in the same shot.
MIN_FOUND = 2


class FacesParameters(Model):
    """The detector to use; ``None`` for the best that can be had."""

    detector: Literal["yunet", "centerface", "none"] | None = None


@dataclass
class Sighting:
    """A face found in a sampled frame, or followed into it, and how its mouth moved until the next, in code values.

    ``agreed`` is how far the detector agrees with itself that what it found is one.
    """

    box: Box
    found: bool = True
    agreed: float = 1.0
    mouth: float = 0.0
    frames: int = 0

    def add(self, motion: float) -> None:
        self.frames += 1
        self.mouth += (motion - self.mouth) / self.frames


@dataclass
class _Track:
    shot: int
    first: Box
    box: Box
    samples: list[FaceSample] = field(default_factory=list)
    mouths: list[float] = field(default_factory=list)
    evidence: list[float] = field(default_factory=list)

    @property
    def last_us(self) -> int:
        return self.samples[-1].at_us

    @property
    def sure(self) -> bool:
        return (
            max(sample.score for sample in self.samples) >= SURE_SCORE
            or max(self.evidence, default=0.0) >= SURE_AGREEMENT
        )

    @property
    def credible(self) -> bool:
        evidence = sum(self.evidence)
        return self.sure or (evidence >= MIN_EVIDENCE and evidence >= MIN_AGREEMENT * len(self.evidence))

    def continues(self, other: "_Track") -> bool:
        """Whether it is where another track of the same shot was, or will be."""
        places = product((self.first, self.box), (other.first, other.box))
        return self.shot == other.shot and any(overlap(here, there) >= SAME_FACE for here, there in places)


@dataclass
class Linker:
    """Follows faces from sample to sample; a cut ends every track."""

    _open: list[_Track] = field(default_factory=list)
    _done: list[_Track] = field(default_factory=list)
    _shot: int = 0

    def cut(self) -> None:
        self._done += self._open
        self._open = []
        self._shot += 1

    def add(self, at_us: int, sightings: Sequence[Sighting]) -> None:
        lost = [track for track in self._open if at_us - track.last_us > MAX_HIDDEN_US]
        self._done += lost
        self._open = [track for track in self._open if track not in lost]
        unmatched = list(self._open)
        for sighting in sorted(sightings, key=lambda one: -one.box.score):
            box = sighting.box
            track = max(unmatched, key=lambda one: overlap(one.box, box), default=None)
            if track is not None and overlap(track.box, box) >= SAME_FACE:
                unmatched.remove(track)
            else:
                track = _Track(self._shot, box, box)
                self._open.append(track)
            track.box = box
            track.evidence += [sighting.agreed] * sighting.found
            track.samples.append(_sample(at_us, box))
            track.mouths.append(sighting.mouth)

    def tracks(self, speech: Sequence[Span] = ()) -> tuple[FaceTrack, ...]:
        """All tracks so far, in the order in which they begin, each with when it speaks of the time there is speech."""
        told = self._told()
        told.sort(key=lambda track: (track.samples[0].at_us, track.samples[0].left))
        mouths = [[Mouth(one.at_us, motion) for one, motion in zip(t.samples, t.mouths, strict=True)] for t in told]
        speaking = who_speaks(mouths, speech, STEP_US)
        return tuple(
            FaceTrack(samples=tuple(track.samples), speaking=spans) for track, spans in zip(told, speaking, strict=True)
        )

    def _told(self) -> list[_Track]:
        tracks = [*self._done, *self._open]
        told = [track for track in tracks if track.credible]
        return told + [
            track
            for track in tracks
            if track not in told and len(track.evidence) >= MIN_FOUND and any(track.continues(other) for other in told)
        ]


def _sample(at_us: int, box: Box) -> FaceSample:
    return FaceSample(
        at_us=at_us,
        left=box.left,
        top=box.top,
        width=box.width,
        height=box.height,
        eyes_y=box.eyes_y,
        score=box.score,
    )


class FaceAnalysis:
    """Tells where faces are every ``STEP_US`` and where the scene changes, and watches their mouths in between."""

    def __init__(
        self, name: str, detector: Detector, hear_speech: Callable[[], Sequence[Span]], parts: Parts | None = None
    ) -> None:
        self.parts = parts or Parts()
        self._name = name
        self._detector = detector
        self._hear_speech = hear_speech

    def begin(self) -> "_Search":
        return _Search(self._detector)

    def finish(self, observed: Sequence[Observed], shots: Shots) -> Faces:
        linker, borders = Linker(), [shot.start_us for shot in shots.shots[1:]]
        seen: dict[int, list[Sighting]] = {int(at_us): [] for (at_us,) in joined(observed, "frames").tolist()}
        for at_us, mouth, found, agreed, *box in joined(observed, "faces").tolist():
            seen[int(at_us)].append(Sighting(Box(*box), bool(found), agreed, mouth))
        for at_us, sightings in seen.items():
            if borders and at_us >= borders[0]:
                linker.cut()
                borders = [border for border in borders if border > at_us]
            linker.add(at_us, sightings)
        speech = self._hear_speech() if any(seen.values()) else ()
        return Faces(detector=self._name, step_us=STEP_US, tracks=linker.tracks(speech))


class _Search:
    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._follower = Follower()
        self._seen: list[tuple[int, list[Sighting]]] = []
        self._before: View | None = None
        self._due_us = self._search_due_us = self._thorough_due_us = 0

    def process_frame(self, view: View) -> None:
        if view.at_us < 0:
            return
        before, self._before = self._before, view
        cut = before is not None and is_other_scene(before.thumbnail, view.thumbnail)
        if before is not None and self._seen and not cut:
            for sighting in self._seen[-1][1]:
                sighting.add(mouth_motion(before.fine, view.fine, sighting.box))
        if view.at_us >= self._due_us or cut:
            self._seen.append((view.at_us, self._sightings(view, new_scene=cut or before is None)))
            self._due_us = view.at_us + STEP_US - view.at_us % STEP_US

    def observed(self, stretch: Span) -> Observed:
        frames = table([(at_us,) for at_us, _ in self._seen], 1)
        rows = [
            (at_us, one.mouth, one.found, one.agreed, *vars(one.box).values())
            for at_us, sightings in self._seen
            for one in sightings
        ]
        tables = {"frames": rows_in(frames, stretch), "faces": rows_in(table(rows, 10), stretch)}
        return Observed(stretch=stretch, tables=tables)

    def _sightings(self, view: View, *, new_scene: bool) -> list[Sighting]:
        """The faces that were there, where they went to; searched for anew from time to time and if one is lost."""
        followed = None if new_scene else self._follower.follow(view.fine)
        if followed is not None and view.at_us < self._search_due_us:
            return [Sighting(box, found=False) for box in followed]
        expected = 0 if new_scene else len(self._seen[-1][1])
        thorough = new_scene or view.at_us >= self._thorough_due_us
        if thorough:
            self._thorough_due_us = view.at_us + THOROUGH_US
        boxes = self._searched(view, at_least=max(expected, int(thorough)))
        self._follower.found(view.fine, boxes)
        self._search_due_us = view.at_us + (SEARCH_US if len(boxes) == expected else 0)
        return [Sighting(box, agreed=self._agreed(view, box)) for box in boxes]

    def _agreed(self, view: View, box: Box) -> float:
        return 1.0 if box.score >= SURE_SCORE else agreement(self._detector, view.large, box)

    def _searched(self, view: View, at_least: int) -> list[Box]:
        """The faces in the small picture; in the large one, which costs four times as much, where these are too few."""
        boxes = self._detector.detect(view.small)
        return boxes if len(boxes) >= at_least else self._detector.detect(view.large)


def begin_faces(
    path: Path, probe: MediaProbe, parameters: FacesParameters, models: Path, parts: Parts | None = None
) -> FaceAnalysis | Unseen:
    """A search for faces in a probed file's picture, boxes as a viewer sees it, and for who speaks in its sound."""
    name = parameters.detector or available_detector(models)
    detector = load_detector(name, models) if name else None
    if name is None or detector is None:
        note = "No face detector could be had, so the picture is framed without knowing where people are."
        return Unseen(Faces(detector=None, step_us=STEP_US, note=note))
    if probe.video is None or min(probe.video.display_width, probe.video.display_height) < MIN_SIDE:
        return Unseen(Faces(detector=name, step_us=STEP_US))
    return FaceAnalysis(name, detector, lambda: _speech(path, probe), parts)


def _speech(path: Path, probe: MediaProbe) -> tuple[Span, ...]:
    dialogue = hear_dialogue(path, probe)
    return tuple(span_of(start, end, len(dialogue.wave)) for start, end in speech_runs(dialogue.voice()))
