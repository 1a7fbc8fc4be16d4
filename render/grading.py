"""A clip's grade as pixels: formulas over Y'CbCr, evaluated once into tables that FFmpeg looks every pixel up in.

Luma goes through a curve of its own at full size. Chroma goes through a 3D table at the size it has in 4:2:0, so that a
full colour transform costs a seventh of what it costs in RGB. Formulas: BT.709-6 (matrix), BT.1886 (display gamma 2.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.filter import Graph
from numpy.typing import NDArray

from render.chain import Step, frame_source
from schemas.edl import Grade, Look

Values = NDArray[np.float64]

#: Points of the chroma table along each side.
_TABLE_SIZE = 17

#: Limited-range code values (BT.709-6 table 4).
_BLACK, _WHITE, _CHROMA_ZERO = 16, 235, 128
_CHROMA_LOW, _CHROMA_HIGH = 16, 240
_LUMA_SPAN, _CHROMA_SPAN = _WHITE - _BLACK, _CHROMA_HIGH - _CHROMA_LOW
_MID_GREY = (_BLACK + _WHITE) / 2

_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_GAMMA = 2.4

#: Luma above which brightened highlights are rolled off instead of clipped.
_KNEE = 0.75

#: The cinema look: how steep its curve is, what its blacks and whites lean to (Cb, Cr), and how far colours are calmed.
_CURVE = 0.45
_SHADOW_TINT, _HIGHLIGHT_TINT = (0.018, -0.016), (-0.022, 0.012)
_SATURATION, _EXTREME_SATURATION = 0.94, 0.72

#: The hue of skin of every tone, as an angle in the CbCr plane, and how far around it is left alone; in radians.
_SKIN_HUE, _SKIN_WIDTH = np.radians(123.0), np.radians(42.0)
_SKIN_SATURATION = 0.03


@dataclass(frozen=True)
class Colour:
    """Y' of 0 (black) to 1 (white) and CbCr of -0.5 to 0.5, arrays of one shape."""

    luma: Values
    blue: Values
    red: Values


def needs_table(grade: Grade | None) -> bool:
    """Whether chroma depends on luma or on the other chroma, which no table of one value can do."""
    return grade is not None and bool(grade.exposure_millistops or grade.warmth or grade.tint or _look(grade))


def adjusting_steps(grade: Grade | None) -> list[Step]:
    """Contrast, saturation and brightness alone: a filter for the middle of a chain."""
    if grade is None or (grade.contrast_percent, grade.saturation_percent, grade.brightness) == (100, 100, 0):
        return []
    contrast, saturation = grade.contrast_percent / 100, grade.saturation_percent / 100
    luma = f"clip((val-{_MID_GREY})*{contrast}+{_MID_GREY}+{grade.brightness},{_BLACK},{_WHITE})"
    chroma = f"clip((val-{_CHROMA_ZERO})*{saturation}+{_CHROMA_ZERO},{_CHROMA_LOW},{_CHROMA_HIGH})"
    return [("lutyuv", {"y": luma, "u": chroma, "v": chroma})]


def graded(colour: Colour, grade: Grade) -> Colour:
    """A colour with a grade, by formula."""
    adjusted = _adjusted(_balanced(colour, grade), grade)
    if _look(grade) is None:
        return adjusted
    share, looked = grade.look_percent / 100, _cinema(adjusted)
    return Colour(
        adjusted.luma + share * (looked.luma - adjusted.luma),
        adjusted.blue + share * (looked.blue - adjusted.blue),
        adjusted.red + share * (looked.red - adjusted.red),
    )


class Grading:
    """The filters of one grade for pictures of one size; give it pictures whose times it may set."""

    def __init__(self, template: VideoFrame, grade: Grade, folder: Path) -> None:
        self._count = 0
        self._graph = Graph()
        self._graph.threads = 1
        self._build(template, grade, _written_table(grade, folder))
        self._graph.configure()

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """The graded picture, a new one."""
        frame.pts = self._count  # filters that take several planes wait for those of one time
        self._count += 1
        self._source.push(frame)
        made = self._sink.pull()
        if not isinstance(made, VideoFrame):
            raise TypeError("a picture filter returned no picture")
        return made

    def _build(self, template: VideoFrame, grade: Grade, table: Path) -> None:
        add = self._graph.add
        self._source = frame_source(self._graph, template)
        self._sink = add("buffersink")
        split, planes = add("split"), add("extractplanes", planes="y+u+v")
        self._source.link_to(planes)
        planes.link_to(split)
        luma = add("lut", c0=_looked_up(luma_curve(grade).tolist()))
        split.link_to(luma)
        # As RGB the planes are green, blue and red: luma, Cb and Cr. Sixteen bits have the faster table look-up.
        merged = add("mergeplanes", map0s="0", map1s="1", map2s="2", format="gbrp16le")
        small = add("scale", w=str(template.width // 2), h=str(template.height // 2), flags="area")
        split.link_to(small, 1)
        for plane, (node, output) in enumerate(((small, 0), (planes, 1), (planes, 2))):
            deep = add("format", pix_fmts="gray16le")
            node.link_to(deep, output)
            deep.link_to(merged, 0, plane)
        looked_up = add("lut3d", file=str(table), interp="tetrahedral")
        chroma = add("extractplanes", planes="r+b")
        merged.link_to(looked_up)
        looked_up.link_to(chroma)
        whole = add("mergeplanes", map0s="0", map1s="1", map2s="2", format="yuv420p")
        luma.link_to(whole)
        for output, plane in ((1, 1), (0, 2)):
            shallow = add("format", pix_fmts="gray")
            chroma.link_to(shallow, output)
            shallow.link_to(whole, 0, plane)
        whole.link_to(self._sink)


def _look(grade: Grade) -> Look | None:
    return grade.look if grade.look_percent else None


def _balanced(colour: Colour, grade: Grade) -> Colour:
    """Exposure and white balance as gains of linear light, the luma of grey kept by the second; highlights rolled off.

    Warmth brightens red against blue and tint darkens green against both, in hundredths of a stop.
    """
    if not (grade.exposure_millistops or grade.warmth or grade.tint):
        return colour
    exposure = 2.0 ** (grade.exposure_millistops / 1000)
    red, green, blue = (2.0 ** (stops / 100) for stops in (grade.warmth / 2, -grade.tint, -grade.warmth / 2))
    kept = _RED * red + _GREEN * green + _BLUE * blue
    gain = exposure ** (1 / _GAMMA)
    gains = [gain * (channel / kept) ** (1 / _GAMMA) for channel in (red, green, blue)]
    balanced = _from_rgb([channel * by for channel, by in zip(_to_rgb(colour), gains, strict=True)])
    luma = _rolled_off(gain * colour.luma, gain)
    held = np.where(colour.luma > 0, luma / np.maximum(gain * colour.luma, 1e-9), 1)
    return Colour(luma, balanced.blue * held, balanced.red * held)


def _rolled_off(luma: Values, highest: float) -> Values:
    """Luma up to ``highest`` brought back to 1: as it is below the knee, ever flatter above it."""
    if highest <= 1:
        return luma
    above = np.maximum(luma - _KNEE, 0)
    flatness = (highest - 1) / ((1 - _KNEE) * (highest - _KNEE))
    return np.asarray(np.minimum(luma, _KNEE) + above / (1 + flatness * above))


def _adjusted(colour: Colour, grade: Grade) -> Colour:
    """Contrast about mid grey, saturation about neutral, and brightness."""
    middle = (_MID_GREY - _BLACK) / _LUMA_SPAN
    luma = (colour.luma - middle) * grade.contrast_percent / 100 + middle + grade.brightness / _LUMA_SPAN
    saturation = grade.saturation_percent / 100
    return Colour(np.clip(luma, 0, 1), colour.blue * saturation, colour.red * saturation)


def _cinema(colour: Colour) -> Colour:
    """A soft S-curve, calmer colours at the ends of the scale, cool shadows and warm highlights; skin keeps its hue."""
    luma = np.clip(colour.luma, 0, 1)
    curved = luma + _CURVE * (luma * luma * (3 - 2 * luma) - luma)
    extreme = (2 * luma - 1) ** 2
    saturation = _SATURATION + (_EXTREME_SATURATION - _SATURATION) * extreme**2
    toned = 1 - _skin(colour)
    shadow, highlight = (1 - luma) ** 2 * luma * 4, luma**2 * (1 - luma) * 4
    return Colour(
        curved,
        colour.blue * saturation + toned * (shadow * _SHADOW_TINT[0] + highlight * _HIGHLIGHT_TINT[0]),
        colour.red * saturation + toned * (shadow * _SHADOW_TINT[1] + highlight * _HIGHLIGHT_TINT[1]),
    )


def _skin(colour: Colour) -> Values:
    """How much a colour is like skin, 0 to 1; what has hardly any colour has no hue to keep."""
    distance = np.arctan2(colour.red, colour.blue) - _SKIN_HUE
    distance = np.abs((distance + np.pi) % (2 * np.pi) - np.pi)
    near = np.clip(1.5 - 1.5 * distance / _SKIN_WIDTH, 0, 1)
    coloured = np.clip(np.hypot(colour.blue, colour.red) / _SKIN_SATURATION - 0.5, 0, 1)
    return np.asarray(near * coloured)


def _to_rgb(colour: Colour) -> tuple[Values, Values, Values]:
    red = colour.luma + 2 * (1 - _RED) * colour.red
    blue = colour.luma + 2 * (1 - _BLUE) * colour.blue
    return red, (colour.luma - _RED * red - _BLUE * blue) / _GREEN, blue


def _from_rgb(channels: list[Values]) -> Colour:
    red, green, blue = channels
    luma = _RED * red + _GREEN * green + _BLUE * blue
    return Colour(luma, (blue - luma) / (2 * (1 - _BLUE)), (red - luma) / (2 * (1 - _RED)))


def luma_curve(grade: Grade) -> NDArray[np.uint8]:
    """What becomes of each of the 256 luma codes of a grey."""
    codes = np.arange(256.0)
    none = np.zeros_like(codes)
    luma = graded(Colour((codes - _BLACK) / _LUMA_SPAN, none, none), grade).luma
    return np.asarray(np.clip(np.rint(_BLACK + _LUMA_SPAN * luma), _BLACK, _WHITE), np.uint8)


def _looked_up(codes: Sequence[int], first: int = 0) -> str:
    """An expression of FFmpeg's that gives ``codes[val - first]``."""
    if len(codes) == 1:
        return str(codes[0])
    half = len(codes) // 2
    left, right = _looked_up(codes[:half], first), _looked_up(codes[half:], first + half)
    return f"if(lt(val,{first + half}),{left},{right})"


def _written_table(grade: Grade, folder: Path) -> Path:
    """The chroma table as a .cube file: red stands for Cr and varies fastest, green for luma, blue for Cb."""
    path = folder / f"colour-grade-{sha256(grade.model_dump_json().encode()).hexdigest()[:16]}.cube"
    if not path.exists():
        steps = np.linspace(0.0, 255.0, _TABLE_SIZE)
        blue, luma, red = np.meshgrid(steps, steps, steps, indexing="ij")
        codes = chroma_codes(luma.ravel(), blue.ravel(), red.ravel(), grade) / 255
        lines = [f"LUT_3D_SIZE {_TABLE_SIZE}", *(f"{r:.6f} 0 {b:.6f}" for b, r in codes)]
        path.write_text("\n".join(lines) + "\n")
    return path


def chroma_codes(luma: Values, blue: Values, red: Values, grade: Grade) -> Values:
    """The codes, shape (n, 2), that Cb and Cr codes become beside a luma code; fractions of codes are meant."""
    colour = Colour(
        (luma - _BLACK) / _LUMA_SPAN, (blue - _CHROMA_ZERO) / _CHROMA_SPAN, (red - _CHROMA_ZERO) / _CHROMA_SPAN
    )
    found = graded(colour, grade)
    codes = _CHROMA_ZERO + _CHROMA_SPAN * np.stack([found.blue, found.red], axis=1)
    return np.asarray(np.clip(codes, _CHROMA_LOW, _CHROMA_HIGH))
