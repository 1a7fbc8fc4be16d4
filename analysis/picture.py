"""How the picture looks and moves: light, colour, sharpness, and the camera's way, in steps of half a second."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.camera import Projections, movement
from analysis.observing import Observed, joined, rows_in, table
from analysis.parts import Parts
from analysis.planes import Plane
from analysis.viewing import View
from schemas.facts import CameraMove, Picture, PictureMeasures, PictureSample, ShotPicture, Shots, Span
from schemas.model import Model

STEP_US = 500_000
#: Video levels (ITU-R BT.709): luma 16 to 235, chroma 112 on either side of 128.
BLACK, LUMA_RANGE, CHROMA_ZERO, CHROMA_RANGE = 16.0, 219.0, 128.0, 112.0
#: Shares of the picture that are darker than its shadows and brighter than its highlights.
SHADOWS, HIGHLIGHTS = 0.05, 0.95
#: The camera's smooth path is its mean over this time; what strays from it is shake.
SMOOTH_S = 0.5
#: Slower than this, in widths or heights a second, the camera stands still; a move has a direction if it keeps it for
#: this share of its way.
STILL = 0.02
DIRECTED = 0.7
#: Sharpness is measured in every so many steps, since focus changes slowly, and on edges: where the luma ranges by at
#: least this much within this many pixels.
SHARPNESS_STEPS = 2
EDGE_SIDE = 9
EDGE_RANGE = 21
#: A picture with fewer edge pixels has nothing to be sharp.
MIN_EDGES = 50
#: Fit for B-roll: no more shake than this (in widths), at least this part of the asset's usual sharpness, mean luma
#: between these, no faster than this (in widths a second), and at least this long.
MAX_SHAKE = 0.006
MIN_SHARPNESS_SHARE = 0.6
EXPOSED = (0.06, 0.94)
MAX_MOTION = 0.8
MIN_USABLE_US = 1_000_000


Line = NDArray[np.float64]


class PictureParameters(Model):
    """Nothing to choose."""


@dataclass(frozen=True)
class _Light:
    exposure: float
    shadows: float
    highlights: float
    warmth: float
    tint: float
    saturation: float
    sharpness: float


@dataclass(frozen=True)
class _Path:
    """The camera's way, frame by frame: time in µs, content moved right in widths and down in heights, and change."""

    at_us: NDArray[np.int64]
    right: Line
    down: Line
    change: Line


class LookAnalysis:
    """Measures movement from frame to frame and light in the first of each step."""

    def __init__(self, parts: Parts | None = None) -> None:
        self.parts = parts or Parts()

    def begin(self) -> "_Look":
        return _Look()

    def finish(self, observed: Sequence[Observed], shots: Shots) -> Picture:
        at_us, right, down, change = joined(observed, "path").T.copy()
        lights = {int(at) // STEP_US: _Light(*light) for at, *light in joined(observed, "light").tolist()}
        samples = tuple(
            _samples(lights, _Path(at_us.astype(np.int64), right.copy(), down.copy(), change.copy()), shots)
        )
        return Picture(
            step_us=STEP_US,
            samples=samples,
            shots=tuple(_shots(samples, shots)),
            usable=tuple(_usable(samples, shots)),
        )


class _Look:
    def __init__(self) -> None:
        self._path: list[tuple[float, ...]] = []
        self._lights: dict[int, _Light] = {}
        self._before: tuple[Plane, Projections] | None = None
        self._gradient = 1.0
        self._sharpness = 0.0

    def process_frame(self, view: View) -> None:
        luma, projections = view.thumbnail.luma, view.projections
        step = view.at_us // STEP_US
        if step not in self._lights:
            if step % SHARPNESS_STEPS == 0 or not self._lights:
                self._sharpness = sharpness(view.luma)
            self._lights[step] = _light(view, self._sharpness)
            self._gradient = _gradient(luma)
        right = down = change = 0.0
        if self._before is not None:
            right, down = movement(self._before[1], projections)
            change = float(cv2.norm(self._before[0], luma, cv2.NORM_L1)) / luma.size / self._gradient / luma.shape[1]
        self._before = luma, projections
        self._path.append((view.at_us, right, down, change))

    def observed(self, stretch: Span) -> Observed:
        lights = table([(step * STEP_US, *vars(light).values()) for step, light in self._lights.items()], 8)
        path = table(self._path, 4)
        return Observed(stretch=stretch, tables={"path": rows_in(path, stretch), "light": rows_in(lights, stretch)})


def _light(view: View, sharp: float) -> _Light:
    histogram = np.bincount(view.thumbnail.luma.ravel(), minlength=256).cumsum()
    shadows, highlights = np.searchsorted(histogram, np.array([SHADOWS, HIGHLIGHTS]) * histogram[-1])
    chroma = view.thumbnail.chroma.astype(np.float32) - CHROMA_ZERO
    blue, red = np.split(chroma, 2)
    return _Light(
        exposure=_level(float(view.thumbnail.luma.mean())),
        shadows=_level(float(shadows)),
        highlights=_level(float(highlights)),
        warmth=float(np.clip((red.mean() - blue.mean()) / 2 / CHROMA_RANGE, -1, 1)),
        tint=float(np.clip((red.mean() + blue.mean()) / 2 / CHROMA_RANGE, -1, 1)),
        saturation=float(np.clip(np.hypot(red, blue).mean() / CHROMA_RANGE, 0, 1)),
        sharpness=sharp,
    )


def _level(luma: float) -> float:
    return float(np.clip((luma - BLACK) / LUMA_RANGE, 0, 1))


def sharpness(luma: Plane) -> float:
    """How steep edges are against how high: near 1 where one pixel takes the whole step; 0 where there are no edges."""
    kernel = np.ones((EDGE_SIDE, EDGE_SIDE), np.uint8)
    height = cv2.subtract(cv2.dilate(luma, kernel), cv2.erode(luma, kernel))
    across, along = cv2.absdiff(luma[:-1, 1:], luma[:-1, :-1]), cv2.absdiff(luma[1:, :-1], luma[:-1, :-1])
    steep = cv2.dilate(cv2.max(across, along), kernel)
    edges = np.asarray(height[:-1, :-1] >= EDGE_RANGE, np.uint8)
    if cv2.countNonZero(edges) < MIN_EDGES:
        return 0.0
    share = cv2.divide(steep, height[:-1, :-1], dtype=cv2.CV_32F)
    return float(np.clip(cv2.mean(share, mask=edges)[0], 0, 1))


def _gradient(luma: Plane) -> float:
    """Mean step from pixel to pixel, at least half a code value."""
    return max(0.5, float(cv2.norm(luma[:, 1:], luma[:, :-1], cv2.NORM_L1)) / luma[:, 1:].size)


def _samples(lights: dict[int, _Light], path: _Path, shots: Shots) -> Iterator[PictureSample]:
    at_us, right, down, change = path.at_us, path.right, path.down, path.change
    starts = np.searchsorted(at_us, [shot.start_us for shot in shots.shots[1:]])
    for line in (right, down, change):
        line[starts[starts < len(line)]] = 0
    seconds = np.diff(at_us, prepend=at_us[:1]) / 1e6
    stray = np.hypot(_strayed(right, seconds, starts), _strayed(down, seconds, starts))
    edges = np.searchsorted(at_us, [step * STEP_US for step in [*lights, max(lights, default=0) + 1]])
    for (step, light), (first, last) in zip(lights.items(), pairwise(edges), strict=True):
        here = slice(int(first), int(last))
        passed = max(float(seconds[here].sum()), 1e-3)
        yield PictureSample(
            at_us=step * STEP_US,
            **_rounded(
                vars(light)
                | {
                    "move_x": float(right[here].sum()) / passed,
                    "move_y": float(down[here].sum()) / passed,
                    "motion": float(change[here].sum()) / passed,
                    "shake": float(np.sqrt(np.mean(stray[here] ** 2))),
                }
            ),
        )


def _strayed(
    moved: NDArray[np.float64], seconds: NDArray[np.float64], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How far each frame lies from the smooth path of its shot."""
    usual = float(np.median(seconds[1:])) if len(seconds) > 1 else SMOOTH_S
    half = max(1, round(SMOOTH_S / max(usual, 1e-3) / 2))
    parts = [_unsmooth(np.cumsum(part), half) for part in np.split(moved, starts) if len(part)]
    return np.concatenate(parts) if parts else moved


def _unsmooth(path: Line, half: int) -> Line:
    padded = np.pad(path, half, mode="reflect", reflect_type="odd") if len(path) > half else np.pad(path, half, "edge")
    sums = np.cumsum(np.concatenate(([0.0], padded)))
    return np.asarray(path - (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1), np.float64)


def _rounded(measures: dict[str, float]) -> dict[str, float]:
    """To what the measurement can tell, so that two hours are no burden."""
    return {name: round(value, 5) for name, value in measures.items()}


def _shots(samples: Sequence[PictureSample], shots: Shots) -> Iterator[ShotPicture]:
    for shot, within in _by_shot(samples, shots):
        if within:
            names = PictureMeasures.model_fields
            medians = {name: float(np.median([getattr(sample, name) for sample in within])) for name in names}
            measures = PictureMeasures(**_rounded(medians))
            yield ShotPicture(start_us=shot.start_us, end_us=shot.end_us, measures=measures, camera=_camera(within))


def _by_shot(samples: Sequence[PictureSample], shots: Shots) -> Iterator[tuple[Span, list[PictureSample]]]:
    """Each shot with the samples that lie wholly in it, or the one in which it begins."""
    for shot in shots.shots:
        begun = [one for one in samples if one.at_us < shot.end_us and one.at_us + STEP_US > shot.start_us]
        whole = [one for one in begun if shot.start_us <= one.at_us and one.at_us + STEP_US <= shot.end_us]
        yield shot, whole or begun[-1:]


def _camera(samples: Sequence[PictureSample]) -> CameraMove:
    """Where the camera goes: against the way of the content."""
    right, down = (np.array([getattr(sample, name) for sample in samples]) for name in ("move_x", "move_y"))
    if float(np.median(np.hypot(right, down))) < STILL:
        return CameraMove.STILL
    way = float(np.hypot(right, down).sum())
    if abs(float(right.sum())) >= DIRECTED * way:
        return CameraMove.LEFT if right.sum() > 0 else CameraMove.RIGHT
    if abs(float(down.sum())) >= DIRECTED * way:
        return CameraMove.UP if down.sum() > 0 else CameraMove.DOWN
    return CameraMove.MOVING


def _usable(samples: Sequence[PictureSample], shots: Shots) -> Iterator[Span]:
    usual = float(np.median([sample.sharpness for sample in samples])) if samples else 0.0
    for shot, within in _by_shot(samples, shots):
        run: list[PictureSample] = []
        for sample in [*within, None]:
            if sample is not None and _is_fit(sample, usual):
                run.append(sample)
                continue
            if run and len(run) * STEP_US >= MIN_USABLE_US:
                first = shot.start_us if run[0] is within[0] else run[0].at_us
                last = shot.end_us if run[-1] is within[-1] else run[-1].at_us + STEP_US
                yield Span(start_us=first, end_us=last)
            run = []


def _is_fit(sample: PictureSample, usual_sharpness: float) -> bool:
    steady = sample.shake <= MAX_SHAKE and sample.motion <= MAX_MOTION
    exposed = EXPOSED[0] <= sample.exposure <= EXPOSED[1]
    blurred = 0 < sample.sharpness < MIN_SHARPNESS_SHARE * usual_sharpness
    return steady and exposed and not blurred
