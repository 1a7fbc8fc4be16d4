"""B-roll: a slow pan along a skyline at dusk, with traffic below, and the faint sound of a city."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from demo.clip_file import SAMPLE_RATE, Picture, PictureFormat, planes_of
from demo.talk_sound import room_tone
from demo.voice import Samples

FORMAT = PictureFormat(width=1280, height=720, rate=25)
SEED = 23

PAN_PIXELS_A_SECOND = 34.0
HORIZON = 610
WINDOW_WIDTH, WINDOW_HEIGHT = 5, 8
AMBIENCE_DBFS = -44.0
AMBIENCE_SEED = 24

Field = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Row:
    """One row of houses: how far it moves against the nearest, its sizes in pixels, colour and lit windows."""

    parallax: float
    heights: tuple[int, int]
    widths: tuple[int, int]
    colour: tuple[int, int, int]
    lit_share: float


ROWS = (
    _Row(parallax=0.22, heights=(150, 330), widths=(50, 110), colour=(92, 72, 104), lit_share=0.10),
    _Row(parallax=0.5, heights=(110, 400), widths=(70, 140), colour=(52, 46, 76), lit_share=0.24),
    _Row(parallax=1.0, heights=(60, 250), widths=(90, 190), colour=(22, 22, 40), lit_share=0.36),
)


def city_frames(seconds: float) -> Iterator[Picture]:
    """The pictures of the pan, in order."""
    count = round(seconds * FORMAT.rate)
    travel = seconds * PAN_PIXELS_A_SECOND
    random = np.random.default_rng(SEED)
    sky = _sky(random)
    rows = [(row, *_houses(row, travel, random)) for row in ROWS]
    lanes = _lanes(random)
    for index in range(count):
        time = index / FORMAT.rate
        picture = sky
        for row, colours, opacity in rows:
            picture = _laid_over(picture, colours, opacity, time * PAN_PIXELS_A_SECOND * row.parallax)
        yield planes_of(_with_traffic(picture, lanes, time))


def city_sound(seconds: float) -> Samples:
    """Distant traffic: low noise that swells slowly."""
    tone = room_tone(round(seconds * SAMPLE_RATE), AMBIENCE_DBFS, AMBIENCE_SEED)
    time = np.arange(len(tone)) / SAMPLE_RATE
    swell = 1 + 0.4 * np.sin(time * 1.1) + 0.2 * np.sin(time * 2.7 + 1)
    return (tone * swell).astype(np.float32)


def _sky(random: np.random.Generator) -> Picture:
    heights = (0.0, 0.45, 0.72, 0.85, 1.0)
    colours = ((24, 30, 68), (88, 74, 126), (214, 122, 106), (250, 182, 112), (252, 206, 140))
    y = np.linspace(0, 1, FORMAT.height)
    gradient = np.stack([np.interp(y, heights, channel) for channel in zip(*colours, strict=True)], axis=-1)
    clouds = cv2.resize(
        random.standard_normal((26, 9)).astype(np.float32), (FORMAT.width, FORMAT.height), None, 0, 0, 2
    )
    light = np.clip(clouds - 0.3, 0, 1.4)[..., np.newaxis] * np.array((46, 26, 18), np.float32)
    across, down = np.meshgrid(np.arange(FORMAT.width), np.arange(FORMAT.height))
    sun = np.exp(-(((across - 860) / 260) ** 2) - ((down - 560) / 120) ** 2)[..., np.newaxis] * (30, 46, 40)
    grain = random.normal(0, 1.2, (FORMAT.height, FORMAT.width, 1))
    return np.asarray(np.clip(gradient[:, np.newaxis] + light + sun + grain, 0, 255), np.uint8)


def _houses(row: _Row, travel: float, random: np.random.Generator) -> tuple[Picture, Picture]:
    """A strip wide enough for the whole pan, black where there is no house, and its opacity in each channel."""
    width = FORMAT.width + int(travel * row.parallax) + 2
    colours = np.zeros((FORMAT.height, width, 3), np.uint8)
    opacity = np.zeros_like(colours)
    left = -int(random.integers(*row.widths)) // 2
    while left < width:
        right = left + int(random.integers(*row.widths))
        top = HORIZON - int(random.integers(*row.heights))
        shade = np.clip(np.array(row.colour) + random.integers(-8, 9), 0, 255)
        colours[top:, max(left, 0) : right] = shade
        opacity[top:, max(left, 0) : right] = 255
        _light_windows(colours, (max(left, 0), top, min(right, width)), row.lit_share, random)
        left = right + int(random.integers(-2, 12))
    return colours, opacity


def _light_windows(
    colours: Picture, house: tuple[int, int, int], lit_share: float, random: np.random.Generator
) -> None:
    left, top, right = house
    for y in range(top + 12, HORIZON - 12, WINDOW_HEIGHT * 2):
        for x in range(left + 8, right - 10, WINDOW_WIDTH * 2 + 2):
            if random.random() < lit_share:
                glow = random.uniform(0.55, 1.0)
                colours[y : y + WINDOW_HEIGHT, x : x + WINDOW_WIDTH] = np.array((255, 214, 140)) * glow


def _laid_over(below: Picture, colours: Picture, opacity: Picture, shift: float) -> Picture:
    remaining = cv2.multiply(below, cv2.bitwise_not(_moved_left(opacity, shift)), scale=1 / 255)
    return np.asarray(cv2.add(remaining, _moved_left(colours, shift)), np.uint8)


def _moved_left(strip: Picture, shift: float) -> Picture:
    """The picture's width of a strip, between two whole pixels if need be, so that the pan does not judder."""
    whole = int(shift)
    here, next_to_it = strip[:, whole : whole + FORMAT.width], strip[:, whole + 1 : whole + 1 + FORMAT.width]
    return np.asarray(cv2.addWeighted(here, 1 - (shift - whole), next_to_it, shift - whole, 0), np.uint8)


@dataclass(frozen=True)
class _Car:
    start: float
    speed: float
    y: int
    colour: tuple[int, int, int]


def _lanes(random: np.random.Generator) -> list[_Car]:
    lanes = ((646, 90.0, (255, 238, 204)), (662, 130.0, (255, 238, 204)), (682, -150.0, (230, 50, 36)))
    return [
        _Car(float(random.uniform(0, FORMAT.width * 2)), speed * random.uniform(0.9, 1.1), y, colour)
        for y, speed, colour in lanes
        for _ in range(12)
    ]


def _with_traffic(picture: Picture, cars: list[_Car], time: float) -> Picture:
    street = picture.copy()
    street[HORIZON + 20 :] = (street[HORIZON + 20 :] * 0.25).astype(np.uint8) + np.array((16, 15, 24), np.uint8)
    lights = np.zeros((FORMAT.height - HORIZON, FORMAT.width, 3), np.float32)
    for car in cars:
        x = (car.start + car.speed * time) % (FORMAT.width + 120) - 60
        for lamp in (0, 16):
            centre = (round((x + lamp) * 16), (car.y - HORIZON) * 16)
            cv2.circle(lights, centre, 3 * 16, car.colour, -1, cv2.LINE_AA, 4)
    glow = cv2.GaussianBlur(lights, (0, 0), 7)
    street[HORIZON:] = np.clip(street[HORIZON:] + lights * 0.8 + glow * 1.4, 0, 255).astype(np.uint8)
    return street
