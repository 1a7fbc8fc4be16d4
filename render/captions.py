"""Captions drawn into the picture: laid out and drawn once each, blended into the planes they cover."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import font_roboto
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from render.planes import planes
from schemas.edl import Caption, CaptionStyle

#: Roboto Bold as the font-roboto package carries it.
FONT_FILE = Path(font_roboto.__file__).parent / "files" / "Roboto-Bold.ttf"

_SMALLEST_FONT = 8

#: A code point that is no character, so that every font draws its sign for a missing one.
_NO_CHARACTER = "\uffff"
_PROBE_SIZE = 32
#: Shares of the font size.
_PADDING_X, _PADDING_Y, _LINE_HEIGHT, _OUTLINE, _CORNER = 0.45, 0.28, 1.18, 0.06, 0.3
_TEXT = (255, 255, 255, 255)
_OUTLINE_COLOUR = (0, 0, 0, 255)
_BOX = (0, 0, 0, 150)

#: BT.709-6 luma weights, for drawing into limited-range code values.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722


@dataclass(frozen=True)
class CaptionBox:
    """Where a caption is drawn, in canvas pixels on even positions, and the size of its font."""

    x: int
    y: int
    width: int
    height: int
    font_size: int


@dataclass(frozen=True)
class _Ink:
    """One plane's part of a drawn box: what is added, and how much (of 255) of the picture is kept."""

    rows: slice
    columns: slice
    added: NDArray[np.uint16]
    kept: NDArray[np.uint16]


def layout(caption: Caption, style: CaptionStyle) -> CaptionBox:
    """Bottom centre of the caption area, in the style's size or the largest smaller one that fits."""
    left, top = style.left + style.left % 2, style.top + style.top % 2
    right, bottom = style.right - style.right % 2, style.bottom - style.bottom % 2
    size = style.font_size
    width, height = _box_size(caption, size)
    while size > _SMALLEST_FONT and (width > right - left or height > bottom - top):
        fitting = int(size * min((right - left) / width, (bottom - top) / height))
        size = max(_SMALLEST_FONT, min(size - 1, fitting))
        width, height = _box_size(caption, size)
    width, height = min(width, right - left), min(height, bottom - top)
    x = left + 2 * ((right - left - width) // 4)
    return CaptionBox(x, bottom - height, width, height, size)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_FILE, size, layout_engine=ImageFont.Layout.BASIC)


def _box_size(caption: Caption, size: int) -> tuple[int, int]:
    font = _font(size)
    widest = max(font.getlength(line) for line in caption.lines)
    width = int(widest + 2 * size * (_PADDING_X + _OUTLINE)) + 1
    height = int(size * (_LINE_HEIGHT * len(caption.lines) + 2 * _PADDING_Y)) + 1
    return width + width % 2, height + height % 2


def draw(caption: Caption, box: CaptionBox) -> Image.Image:
    """The caption's box as an RGBA picture."""
    size = box.font_size
    image = Image.new("RGBA", (box.width, box.height))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, box.width - 1, box.height - 1), radius=size * _CORNER, fill=_BOX)
    line_height = (box.height - 2 * size * _PADDING_Y) / len(caption.lines)
    for number, line in enumerate(caption.lines):
        middle = (box.width / 2, size * _PADDING_Y + line_height * (number + 0.5))
        pen.text(
            middle,
            line,
            font=_font(size),
            fill=_TEXT,
            anchor="mm",
            stroke_width=round(size * _OUTLINE),
            stroke_fill=_OUTLINE_COLOUR,
        )
    return image


def undrawable(captions: Iterable[Caption]) -> str:
    """The characters of these captions that the font has no picture of, each once."""
    font = _font(_PROBE_SIZE)
    missing = bytes(font.getmask(_NO_CHARACTER))
    used = sorted({character for caption in captions for line in caption.lines for character in line})
    return "".join(character for character in used if bytes(font.getmask(character)) == missing)


class CaptionBurner:
    """Burns an edit's captions into canvas frames given in timeline order."""

    def __init__(self, captions: tuple[Caption, ...], style: CaptionStyle) -> None:
        self._captions = captions
        self._style = style
        self._position = 0
        self._drawn: tuple[int, tuple[_Ink, ...]] | None = None

    def burn(self, frame: VideoFrame, number: int) -> None:
        """Blend the caption of timeline frame ``number``, if any, into ``frame``."""
        captions = self._captions
        while self._position < len(captions) and captions[self._position].end <= number:
            self._position += 1
        if self._position == len(captions) or captions[self._position].start > number:
            return
        frame.make_writable()
        for plane, ink in zip(planes(frame), self._inks(), strict=True):
            part = plane[ink.rows, ink.columns]
            part[...] = (part * ink.kept + ink.added) // 255

    def _inks(self) -> tuple[_Ink, ...]:
        if self._drawn is None or self._drawn[0] != self._position:
            caption = self._captions[self._position]
            box = layout(caption, self._style)
            self._drawn = (self._position, _inks(draw(caption, box), box))
        return self._drawn[1]


def _inks(image: Image.Image, box: CaptionBox) -> tuple[_Ink, ...]:
    """The drawn box as limited-range BT.709 planes with their weights; chroma at half size."""
    pixels = np.asarray(image, dtype=np.float64)
    alpha = pixels[..., 3] / 255
    red, green, blue = (pixels[..., channel] / 255 for channel in range(3))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    blue_difference = (blue - luma) / (2 * (1 - _BLUE))
    red_difference = (red - luma) / (2 * (1 - _RED))
    chroma_alpha = _halved(alpha)
    return (
        _ink(16 + 219 * luma, alpha, box, 1),
        _ink(128 + 224 * _halved(blue_difference), chroma_alpha, box, 2),
        _ink(128 + 224 * _halved(red_difference), chroma_alpha, box, 2),
    )


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = plane.shape
    halved: NDArray[np.float64] = plane.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    return halved


def _ink(values: NDArray[np.float64], alpha: NDArray[np.float64], box: CaptionBox, step: int) -> _Ink:
    weight = np.rint(alpha * 255)
    rows = slice(box.y // step, (box.y + box.height) // step)
    columns = slice(box.x // step, (box.x + box.width) // step)
    added = np.rint(values * weight) + 127
    return _Ink(rows, columns, added.astype(np.uint16), (255 - weight).astype(np.uint16))
