"""The talk as pictures: the speaker in front of a studio backdrop, swaying, blinking and changing place."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from demo.clip_file import Picture, PictureFormat, planes_of
from demo.portrait import FACE_X, LAYER_HEIGHT, LAYER_WIDTH, MOUTH_POSES, SCALE, Layer, poses
from demo.talk_sound import SAMPLE_RATE, Talk

FORMAT = PictureFormat(width=1920, height=1080, rate=30)

#: Where the face stands: the left and right third of the picture.
PLACES = (FORMAT.width / 3, FORMAT.width * 2 / 3)
#: A pause this long is used to change place, which takes ``MOVE_S`` and starts half-way through it.
MOVE_PAUSE_S = 1.5
MOVE_S = 1.4

BLINK_EVERY_S = (2.2, 5.0)
BLINK_FRAMES = 4
BLINK_SEED = 5

#: How far below the picture the cut-out ends, so that no sway shows its lower edge.
BOTTOM_MARGIN = 24
BACKDROP_SEED = 7


@dataclass(frozen=True)
class _Motion:
    """The speaker in one frame: place of the face in pixels, tilt in degrees, and pose."""

    x: float
    y: float
    tilt: float
    eyes_closed: bool
    mouth: int


def talk_frames(talk: Talk) -> Iterator[Picture]:
    """The pictures of the whole talk, in order."""
    layers = poses()
    backdrop = _backdrop()
    for motion in _motions(talk):
        yield _composed(backdrop, layers[motion.eyes_closed, motion.mouth], motion)


def _motions(talk: Talk) -> Iterator[_Motion]:
    mouth = _mouth_poses(talk)
    count = len(mouth)
    time = np.arange(count) / FORMAT.rate
    x = _places(talk, time) + 9 * np.sin(time * 0.83) + 5 * np.sin(time * 1.97 + 1)
    nod = np.convolve(mouth, np.hanning(9) / np.hanning(9).sum(), "same")
    y = 4 * np.sin(time * 1.31 + 2) + 1.2 * nod
    tilt = 0.45 * np.sin(time * 0.71 + 0.5) + 0.2 * np.sin(time * 2.3)
    closed = _blinks(count)
    for index in range(count):
        yield _Motion(float(x[index]), float(y[index]), float(tilt[index]), bool(closed[index]), int(mouth[index]))


def _mouth_poses(talk: Talk) -> npt.NDArray[np.int64]:
    step = SAMPLE_RATE // FORMAT.rate
    count = len(talk.samples) // step
    level = np.sqrt(np.mean(talk.samples[: count * step].reshape(count, step) ** 2, axis=1))
    smooth = np.convolve(level, (0.2, 0.6, 0.2), "same")
    share = np.clip(smooth / np.percentile(smooth[smooth > 0], 92), 0, 1)
    return np.asarray(np.rint(share * (MOUTH_POSES - 1)), np.int64)


def _places(talk: Talk, time: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The face's place over time: from one third to the other in every long pause."""
    x = np.full(len(time), PLACES[0])
    moves = [(start + end) / 2 for start, end in talk.pauses[1:-1] if end - start >= MOVE_PAUSE_S]
    for index, begin in enumerate(moves):
        share = np.clip((time - begin) / MOVE_S, 0, 1)
        direction = 1 if index % 2 == 0 else -1
        x += direction * (PLACES[1] - PLACES[0]) * share**2 * (3 - 2 * share)
    return x


def _blinks(count: int) -> npt.NDArray[np.bool_]:
    random = np.random.default_rng(BLINK_SEED)
    closed = np.zeros(count, np.bool_)
    at = 0
    while at < count:
        at += round(random.uniform(*BLINK_EVERY_S) * FORMAT.rate)
        closed[at : at + BLINK_FRAMES] = True
    return closed


def _backdrop() -> Picture:
    """A warm light on a grey wall, falling off to the corners, with grain against banding."""
    y, x = np.mgrid[: FORMAT.height, : FORMAT.width].astype(np.float32)
    glow = np.exp(-(((x - 960) / 900) ** 2) - ((y - 380) / 560) ** 2)[..., np.newaxis]
    wall = np.array((46, 52, 62)) + glow * np.array((92, 86, 76))
    grain = np.random.default_rng(BACKDROP_SEED).normal(0, 1.2, wall.shape[:2])[..., np.newaxis]
    return planes_of(np.clip(wall + grain, 0, 255).astype(np.uint8))


def _composed(backdrop: Picture, layer: Layer, motion: _Motion) -> Picture:
    """The speaker over the backdrop. Only the columns that she can reach are touched."""
    matrix = np.array(cv2.getRotationMatrix2D((FACE_X * SCALE, LAYER_HEIGHT * SCALE), motion.tilt, 1.0), np.float64)
    matrix[0, 2] += motion.x - FACE_X * SCALE
    matrix[1, 2] += motion.y + FORMAT.height + BOTTOM_MARGIN - LAYER_HEIGHT * SCALE
    left = max(0, int(matrix[0, 2]) - 60) // 2 * 2
    right = min(FORMAT.width, left + LAYER_WIDTH * SCALE + 120)
    matrix[0, 2] -= left
    picture = backdrop.copy()
    size = (right - left, FORMAT.height)
    luma = picture[: FORMAT.height, left:right]
    luma[:] = _over(luma, _placed(layer.luma, matrix, size), _placed(layer.opacity, matrix, size))
    matrix[:, 2] *= 0.5
    chroma = _placed(layer.chroma, matrix, (size[0] // 2, size[1] // 2))
    planes = picture[FORMAT.height :].reshape(2, FORMAT.height // 2, FORMAT.width // 2)
    for index, plane in enumerate(planes):
        part = plane[:, left // 2 : right // 2]
        part[:] = _over(part, chroma[..., index], chroma[..., 2])
    return picture


def _placed(plane: Picture, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> Picture:
    return np.asarray(cv2.warpAffine(plane, matrix, size), np.uint8)


def _over(below: Picture, above: Picture, opacity: Picture) -> Picture:
    remaining = cv2.multiply(below, cv2.bitwise_not(opacity), scale=1 / 255)
    return np.asarray(cv2.add(remaining, above), np.uint8)
