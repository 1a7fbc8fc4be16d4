"""Captions drawn into the picture: laid out and drawn once each, blended into the planes they cover."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
import uharfbuzz as hb
from av import VideoFrame

from render.bidi import base_level
from render.fonts import UNITS_PER_EM
from render.planes import Plane, planes
from render.shapes import Mask, grown, halved, rounded_rectangle, shadow
from render.shaping import Glyph, ShapedLine, shaped
from schemas.edl import Caption, CaptionLook, CaptionStyle

_SMALLEST_FONT = 8

#: Ems: room around the text, what a line takes above and below its baseline at least, and how round the box is.
_PADDING_X, _PADDING_Y, _CORNER = 0.45, 0.28, 0.3
_ASCENT, _DESCENT = 0.88, 0.3
#: Ems of dark edge around the letters, on a box and without one, and the soft shadow under letters without a box.
_EDGE_ON_BOX, _EDGE, _SHADOW_BLUR, _SHADOW_DROP = 0.04, 0.085, 0.09, 0.05

_BOX_OPACITY, _SHADOW_OPACITY = 0.62, 0.55

#: Limited-range BT.709 code values (Y, Cb, Cr): white, black, and the amber that marks the word being said.
_WHITE, _BLACK, _MARK = (235.0, 128.0, 128.0), (16.0, 128.0, 128.0), (200.0, 42.0, 150.0)


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
    added: Plane
    kept: Plane


def layout(caption: Caption, style: CaptionStyle) -> CaptionBox:
    """Bottom centre of the caption area, or above it, in the style's size or the largest smaller one that fits."""
    left, top = style.left + style.left % 2, style.top + style.top % 2
    right, bottom = (edge - edge % 2 for edge in (style.right, caption.bottom or style.bottom))
    lines = _shaped_lines(caption.lines)
    em_width = max(line.width for line in lines) + 2 * _PADDING_X
    em_height = sum(_line_height(line) for line in lines) + 2 * _PADDING_Y
    fitting = min((right - left - 2) / em_width, (bottom - top - 2) / em_height)
    size = min(style.font_size, max(_SMALLEST_FONT, int(fitting)))
    width = min(right - left, _even_above(em_width * size))
    height = min(bottom - top, _even_above(em_height * size))
    return CaptionBox(left + 2 * ((right - left - width) // 4), bottom - height, width, height, size)


@lru_cache(maxsize=256)
def _shaped_lines(lines: tuple[str, ...]) -> tuple[ShapedLine, ...]:
    base = base_level(" ".join(lines))
    return tuple(shaped(line, base) for line in lines)


def _line_height(line: ShapedLine) -> float:
    return max(_ASCENT, line.top) + max(_DESCENT, -line.bottom)


def _even_above(value: float) -> int:
    return 2 * (int(value) // 2 + 1)


class CaptionBurner:
    """Burns an edit's captions into canvas frames given in timeline order."""

    def __init__(self, captions: tuple[Caption, ...], style: CaptionStyle) -> None:
        self._captions = captions
        self._style = style
        self._position = 0
        self._drawing: _Drawing | None = None

    def burn(self, frame: VideoFrame, number: int) -> None:
        """Blend the caption of timeline frame ``number``, if any, into ``frame``."""
        captions = self._captions
        while self._position < len(captions) and captions[self._position].end <= number:
            self._position += 1
        if self._position == len(captions) or captions[self._position].start > number:
            return
        frame.make_writable()
        drawing = self._drawing_of(captions[self._position])
        for plane, ink in zip(planes(frame), drawing.inks(number), strict=False):
            part = plane[ink.rows, ink.columns]
            cv2.multiply(part, ink.kept, dst=part, scale=1 / 255)
            cv2.add(part, ink.added, dst=part)

    def _drawing_of(self, caption: Caption) -> "_Drawing":
        if self._drawing is None or self._drawing.caption is not caption:
            self._drawing = _Drawing(caption, self._style)
        return self._drawing


class _Drawing:
    """One caption as drawn: once, and again for each word that is marked."""

    def __init__(self, caption: Caption, style: CaptionStyle) -> None:
        self.caption = caption
        self._look = style.look
        self._box = layout(caption, style)
        self._drawn: tuple[int | None, tuple[_Ink, ...]] | None = None

    def inks(self, number: int) -> tuple[_Ink, ...]:
        """What is drawn at timeline frame ``number``: an ink for each plane, none where there is no room for any."""
        if not self._box.width * self._box.height:
            return ()
        word = marked_word(self.caption, self._look, number)
        if self._drawn is None or self._drawn[0] != word:
            self._drawn = (word, _inks(self._painted(word), self._box))
        return self._drawn[1]

    def _painted(self, word: int | None) -> "_Paint":
        if word is None:
            return self._ground.under(self._letters, _WHITE)
        first, end = word_spans(self.caption)[word]
        marked = self._coverage([glyph for glyph in self._glyphs if first <= glyph.position < end])
        return self._ground.under(np.maximum(self._letters - marked, 0), _WHITE).under(marked, _MARK)

    @cached_property
    def _glyphs(self) -> list["_Placed"]:
        return _placed(self.caption, self._box)

    @cached_property
    def _letters(self) -> Mask:
        return self._coverage(self._glyphs)

    @cached_property
    def _ground(self) -> "_Paint":
        """What lies under the letters: a box, or an edge and a shadow."""
        size, letters = self._box.font_size, self._letters
        if self._look is CaptionLook.BOXED:
            edge = grown(letters, _EDGE_ON_BOX * size)
            ground = _BOX_OPACITY * rounded_rectangle(self._box.width, self._box.height, _CORNER * size)
        else:
            edge = grown(letters, _EDGE * size)
            ground = _SHADOW_OPACITY * shadow(edge, _SHADOW_DROP * size, _SHADOW_BLUR * size)
        return _Paint.none(self._box).under(ground, _BLACK).under(edge, _BLACK)

    def _coverage(self, glyphs: list["_Placed"]) -> Mask:
        """How much of each pixel of the box the glyphs cover, 0 to 1; rows run downwards."""
        box, raster = self._box, hb.RasterDraw()
        scale = box.font_size / UNITS_PER_EM
        for one in glyphs:
            raster.transform = (scale, 0, 0, scale, one.x, box.height - one.y)
            raster.draw_glyph(one.glyph.typeface.font, one.glyph.index)
        stride = -4 * (-box.width // 4)
        raster.extents = hb.RasterExtents(0, 0, box.width, box.height, stride)
        image = raster.render()
        if image is None:
            raise MemoryError("no memory to draw a caption in")
        upwards = np.frombuffer(image.buffer, np.uint8).reshape(-1, image.extents.stride)[: box.height, : box.width]
        return np.asarray(upwards[::-1] / np.float32(255), np.float32)


@dataclass(frozen=True)
class _Placed:
    """A glyph with its origin in the box's pixels, y down, and which of the caption's characters it shows."""

    glyph: Glyph
    x: float
    y: float
    position: int


def _placed(caption: Caption, box: CaptionBox) -> list[_Placed]:
    """Every glyph of a caption; positions count the characters of its lines joined by spaces."""
    placed: list[_Placed] = []
    y, before = _PADDING_Y * box.font_size, 0
    for text, line in zip(caption.lines, _shaped_lines(caption.lines), strict=True):
        left = (box.width - line.width * box.font_size) / 2
        baseline = y + max(_ASCENT, line.top) * box.font_size
        placed.extend(
            _Placed(g, left + g.x * box.font_size, baseline - g.y * box.font_size, before + g.character)
            for g in line.glyphs
        )
        y += _line_height(line) * box.font_size
        before += len(text) + 1
    return placed


def marked_word(caption: Caption, look: CaptionLook, number: int) -> int | None:
    """Which word is marked at timeline frame ``number``: the last that was begun, so that a mark never flickers."""
    if look is not CaptionLook.HIGHLIGHT:
        return None
    begun = sum(word.start <= number for word in caption.words)
    return begun - 1 if begun else None


def word_spans(caption: Caption) -> list[tuple[int, int]]:
    """Where each word lies in the caption's lines joined by spaces."""
    text = " ".join(caption.lines)
    spans: list[tuple[int, int]] = []
    position = 0
    for word in caption.words:
        first = text.index(word.text, position)
        position = first + len(word.text)
        spans.append((first, position))
    return spans


@dataclass(frozen=True)
class _Paint:
    """Code values of Y, Cb and Cr weighted by their opacity, and the opacity; each layer makes a new one."""

    opacity: Mask
    planes: tuple[Mask, ...]

    @classmethod
    def none(cls, box: CaptionBox) -> "_Paint":
        clear = np.zeros((box.height, box.width), np.float32)
        return cls(clear, (clear,) * len(_WHITE))

    def under(self, mask: Mask, colour: tuple[float, float, float]) -> "_Paint":
        """With a layer of one colour on top."""
        kept = 1 - mask
        values = tuple(plane * kept + mask * value for plane, value in zip(self.planes, colour, strict=True))
        return _Paint(self.opacity * kept + mask, values)


def _inks(paint: _Paint, box: CaptionBox) -> tuple[_Ink, ...]:
    """What is painted as 4:2:0 planes; chroma at half size."""
    luma, blue, red = paint.planes
    opacity = halved(paint.opacity)
    return (_ink(luma, paint.opacity, box, 1), *(_ink(halved(plane), opacity, box, 2) for plane in (blue, red)))


def _ink(values: Mask, opacity: Mask, box: CaptionBox, step: int) -> _Ink:
    rows = slice(box.y // step, (box.y + box.height) // step)
    columns = slice(box.x // step, (box.x + box.width) // step)
    return _Ink(rows, columns, np.rint(values).astype(np.uint8), np.rint(255 * (1 - opacity)).astype(np.uint8))
