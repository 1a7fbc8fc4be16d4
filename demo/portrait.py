"""The demo's speaker: a public-domain portrait cut out of its background, with a mouth that opens and eyes that close.

The portrait is NASA's of astronaut Eileen Collins, which scikit-image carries. All positions are in its 512 pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from demo.clip_file import Picture, planes_of

Field = npt.NDArray[np.float32]

#: Every pixel of the portrait becomes this many of the 1080-line picture.
SCALE = 3
MOUTH_POSES = 7

#: The part of the portrait above the helmet that she holds, left of the model behind her.
LAYER_WIDTH, LAYER_HEIGHT = 368, 348
FACE_X = 226

#: Rough outline of head and shoulders as x,y points; GrabCut finds the exact edge within a few pixels of it.
OUTLINE = """
112,206 118,180 130,160 150,150 168,148 178,146 179,132 170,120 160,108 153,92 155,70 164,55 176,47 186,36 200,24
216,17 232,15 250,17 270,24 286,36 297,54 301,76 298,98 290,116 278,132 266,140 257,170 262,180 285,196 302,222
304,240 322,244 340,256 350,280 358,310 363,345 363,360 18,360 22,330 36,285 52,256 70,238 98,216
"""
OUTLINE_INSIDE, OUTLINE_OUTSIDE = 17, 13
GRABCUT_ROUNDS = 5
GRABCUT_SEED = 1

MOUTH_X, LIP_Y, CHIN_Y, NECK_Y = 223.5, 147.5, 170.0, 188.0
MOUTH_HALF_WIDTH, JAW_HALF_WIDTH = 13.5, 46.0
MOUTH_MAX_OPENING = 6.5
MOUTH_COLOUR = (84.0, 36.0, 36.0)

EYES = ((202.5, 101.5), (247.0, 103.5))
EYE_HALF_WIDTH, EYE_HALF_HEIGHT, LID_ABOVE = 11.0, 5.5, 8.0


@dataclass(frozen=True)
class Layer:
    """The speaker in one pose: luma and opacity at full size, both chromas and opacity at half size.

    Luma and chroma are already multiplied by the opacity.
    """

    luma: Picture
    opacity: Picture
    chroma: Picture


def poses() -> dict[tuple[bool, int], Layer]:
    """The speaker by ``(eyes closed, mouth pose)``; mouth pose 0 is shut, ``MOUTH_POSES - 1`` wide open."""
    portrait: Picture = skimage.data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image is half typed
    opacity = _opacity(portrait)
    bust = portrait[:LAYER_HEIGHT, :LAYER_WIDTH].astype(np.float32)
    return {
        (closed, mouth): _layer(_with_mouth(_with_eyes(bust, closed=closed), mouth), opacity)
        for closed in (False, True)
        for mouth in range(MOUTH_POSES)
    }


def _opacity(portrait: Picture) -> Field:
    cv2.setRNGSeed(GRABCUT_SEED)
    outline = np.array([point.split(",") for point in OUTLINE.split()]).astype(np.int32)
    inside = cv2.fillPoly(np.zeros(portrait.shape[:2], np.uint8), [outline], (1,))
    surely = cv2.erode(inside, _disc(OUTLINE_INSIDE))
    maybe = cv2.dilate(inside, _disc(OUTLINE_OUTSIDE))
    labels = np.where(inside > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    labels = np.where(maybe > 0, np.where(surely > 0, cv2.GC_FGD, labels), cv2.GC_BGD).astype(np.uint8)
    whole = (0, 0, portrait.shape[1], portrait.shape[0])
    behind, before = np.zeros((1, 65)), np.zeros((1, 65))
    picture = np.ascontiguousarray(portrait[..., ::-1])
    cv2.grabCut(picture, labels, whole, behind, before, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    speaker = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    feathered = np.asarray(cv2.GaussianBlur(speaker, (0, 0), 1.0), np.float32)
    soft = _enlarged(feathered[:LAYER_HEIGHT, :LAYER_WIDTH])
    return np.asarray(np.clip((soft - 0.35) / 0.5, 0, 1), np.float32)


def _disc(size: int) -> Picture:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _grid() -> tuple[Field, Field]:
    y, x = np.mgrid[:LAYER_HEIGHT, :LAYER_WIDTH].astype(np.float32)
    return x, y


def _with_mouth(portrait: Field, pose: int) -> Field:
    """Push lower lip and chin down, and show the dark of the mouth where they were."""
    opening = MOUTH_MAX_OPENING * pose / (MOUTH_POSES - 1)
    if opening == 0:
        return portrait
    x, y = _grid()
    across = np.clip(1 - ((x - MOUTH_X) / JAW_HALF_WIDTH) ** 2, 0, 1)
    fading = np.clip((NECK_Y - y) / (NECK_Y - CHIN_Y), 0, 1)
    drop = opening * across * np.where(y > LIP_Y, fading, 0)
    moved = _remapped(portrait, x, np.maximum(y - drop, np.minimum(y, LIP_Y)))
    middle = LIP_Y + opening / 2
    distance = ((x - MOUTH_X) / MOUTH_HALF_WIDTH) ** 2 + ((y - middle) / (opening / 2 + 0.8)) ** 2
    dark = np.clip((1.15 - distance) / 0.4, 0, 1)[..., np.newaxis]
    return np.asarray(moved * (1 - dark) + np.array(MOUTH_COLOUR) * dark, np.float32)


def _with_eyes(portrait: Field, *, closed: bool) -> Field:
    """Draw the skin above each eye down over it."""
    if not closed:
        return portrait
    x, y = _grid()
    source_y = y.copy()
    for eye_x, eye_y in EYES:
        over = np.clip(1.6 - ((x - eye_x) / EYE_HALF_WIDTH) ** 2 - ((y - eye_y) / EYE_HALF_HEIGHT) ** 2, 0, 1)
        source_y -= over * (LID_ABOVE + 0.7 * (y - eye_y))
    return _remapped(portrait, x, source_y)


def _remapped(portrait: Field, x: Field, y: Field) -> Field:
    return np.asarray(cv2.remap(portrait, x, y.astype(np.float32), cv2.INTER_LINEAR), np.float32)


def _enlarged(picture: Field) -> Field:
    return np.asarray(cv2.resize(picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC), np.float32)


def _layer(portrait: Field, opacity: Field) -> Layer:
    rgb = np.clip(_enlarged(portrait), 0, 255).astype(np.uint8)
    height, width = opacity.shape
    planes = planes_of(rgb)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    half = cv2.resize(opacity, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return Layer(
        luma=_to_bytes(planes[:height] * opacity),
        opacity=_to_bytes(255 * opacity),
        chroma=np.dstack([_to_bytes(plane * half) for plane in (*chroma, np.float32(255))]),
    )


def _to_bytes(values: npt.NDArray[np.floating]) -> Picture:
    return np.asarray(np.rint(values), np.uint8)
