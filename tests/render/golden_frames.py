"""Frames whose look is kept: edits of a synthetic picture, one frame of each. ``make golden`` draws them anew."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.edl import (
    Caption,
    CaptionLook,
    CaptionStyle,
    CaptionWord,
    CropKey,
    Fit,
    Grade,
    Look,
    Motion,
    Place,
)
from schemas.rendering import EncoderSettings
from tests.render.render_media import Media, Writer, describe, edit, run, video_clip

Picture = NDArray[np.uint8]

FOLDER = Path(__file__).parent / "golden"
CANVAS = (480, 270)
_RATE = Fraction(30)
_ENCODER = EncoderSettings(crf=4, preset="ultrafast", threads=1)
_FRAMES = 30


@dataclass(frozen=True)
class Golden:
    """A frame of an edit of two clips of the synthetic picture."""

    name: str
    frame: int
    canvas: tuple[int, int] = CANVAS
    clip: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)
    overlay: dict[str, Any] = field(default_factory=dict)
    edit: dict[str, Any] = field(default_factory=dict)


def _captioned(look: CaptionLook, lines: tuple[str, ...]) -> dict[str, Any]:
    words = [word for line in lines for word in line.split()]
    timed = tuple(CaptionWord(text=word, start=2 * n, end=2 * n + 2) for n, word in enumerate(words))
    style = CaptionStyle(burn_in=True, look=look, left=24, top=14, right=456, bottom=256, font_size=30)
    return {"captions": [Caption(start=0, end=20, lines=lines, words=timed)], "caption_style": style}


_ZOOM = (CropKey(frame=0, x=0, y=0, width=640, height=360), CropKey(frame=9, x=160, y=90, width=320, height=180))

GOLDEN = (
    Golden("captions-boxed", 3, edit=_captioned(CaptionLook.BOXED, ("What a viewer reads", "Größe · Привет · 你好"))),
    Golden("captions-outlined", 3, edit=_captioned(CaptionLook.OUTLINED, ("नमस्ते दुनिया สวัสดี", "한국어 日本語 🎉"))),
    Golden("captions-highlight", 3, edit=_captioned(CaptionLook.HIGHLIGHT, ("مرحبا بالعالم", "שלום (hello) עולם"))),
    Golden("inset", 6, overlay={"place": Place(x=290, y=20, width=160, height=90)}),
    Golden("dissolve", 13, second={"dissolve_in": 8, "grade": Grade(saturation_percent=0)}),
    Golden("smooth-zoom", 3, clip={"crop": _ZOOM, "motion": Motion.SMOOTH}),
    Golden("blurred-fill", 3, canvas=(270, 480), clip={"fit": Fit.BLURRED}),
    Golden("cinema-look", 3, clip={"grade": Grade(look=Look.CINEMA)}),
    Golden("balanced", 3, clip={"grade": Grade(exposure_millistops=600, warmth=-40, tint=15)}),
)


def rendered(golden: Golden, media: Media, folder: Path) -> Picture:
    """The frame as it is now, RGB."""
    clips = [
        video_clip(media, 0, 10, 0, _RATE, **golden.clip),
        video_clip(media, 10, 10, 15, _RATE, **golden.second),
    ]
    overlays = [video_clip(media, 2, 10, 5, _RATE, id="over", **golden.overlay)] if golden.overlay else []
    edl = edit([media], clips, canvas=golden.canvas, overlays=overlays, **golden.edit)
    video = run(edl, [media], folder, _ENCODER).video
    with av.open(str(video)) as container:
        frame = next(f for n, f in enumerate(container.decode(video=0)) if n == golden.frame)
        return frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()


def kept(golden: Golden) -> Picture:
    """The frame as it was when last looked at, RGB."""
    stored = cv2.imread(str(FOLDER / f"{golden.name}.png"))
    assert stored is not None, f"{golden.name} was never kept: make golden"
    return np.ascontiguousarray(stored[..., ::-1])


def synthetic(folder: Path) -> Media:
    """A picture of everything a renderer can spoil: fine lines, flat areas, slow ramps, skin, saturated colours."""
    path = folder / "synthetic.mp4"
    Writer(path, codec_options={"preset": "ultrafast", "crf": "4"}).write(_frames(), (640, 360))
    return describe(path)


def _frames() -> Iterator[tuple[int, av.VideoFrame]]:
    y, x = np.mgrid[0:360, 0:640]
    ramp = np.stack([60 + x / 5, 90 + y / 4, 200 - x / 6], axis=2)
    ramp[:90, :160] = np.where((x[:90, :160] // 3 % 2)[..., None], 230, 25)
    for place, colour in enumerate([(224, 172, 140), (120, 78, 58), (200, 30, 40), (30, 140, 60), (40, 60, 190)]):
        cv2.circle(ramp, (110 + 105 * place, 200), 46, colour, -1, cv2.LINE_AA)
    for number in range(_FRAMES):
        picture = ramp.copy()
        cv2.rectangle(picture, (20 + 12 * number, 290), (80 + 12 * number, 340), (250, 250, 245), -1)
        frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.colorspace = frame.color_range = 1
        yield number * 3000, frame


def ssim(one: Picture, other: Picture) -> float:
    """Mean structural similarity over the channels (Wang et al. 2004: Gaussian window of 11, K1 = 0.01, K2 = 0.03)."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    mean_a, mean_b = mean(a), mean(b)
    spread_a, spread_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    similar = (2 * mean_a * mean_b + c1) * (2 * shared + c2)
    return float((similar / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))).mean())


def _keep() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        media = synthetic(Path(folder))
        for golden in GOLDEN:
            picture = rendered(golden, media, Path(folder) / golden.name)
            cv2.imwrite(str(FOLDER / f"{golden.name}.png"), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    _keep()
