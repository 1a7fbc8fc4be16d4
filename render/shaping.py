"""A line of text as glyphs in place: runs of one direction and font, shaped by HarfBuzz and put in visual order."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import uharfbuzz as hb

from render.bidi import levels, visual_order
from render.fonts import INVISIBLE, UNITS_PER_EM, Typeface, typeface_of, typefaces

#: Controls and separators are shown as spaces; Unicode's categories.
_SPACES = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
_MARKS = frozenset({"Mn", "Me", "Mc"})
_ZERO_WIDTH_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_REGIONAL = range(0x1F1E6, 0x1F200)


@dataclass(frozen=True)
class Glyph:
    """A picture of the font and where its origin lies on the line, in ems; ``character`` is the first one it shows."""

    typeface: Typeface
    index: int
    x: float
    y: float
    character: int


@dataclass(frozen=True)
class ShapedLine:
    """Glyphs from left to right. In ems: ``width`` is how far the pen goes, ``top`` and ``bottom`` what ink reaches."""

    glyphs: tuple[Glyph, ...]
    width: float
    top: float
    bottom: float


@dataclass(frozen=True)
class _Run:
    start: int
    text: str
    level: int
    typeface: Typeface


def shaped(line: str, base: int) -> ShapedLine:
    """Shape one line whose paragraph has the base level ``base`` (see ``render.bidi``)."""
    text = "".join(" " if unicodedata.category(character) in _SPACES else character for character in line)
    runs = list(_runs(text, levels(text, base)))
    glyphs: list[Glyph] = []
    pen = 0.0
    for index in visual_order([run.level for run in runs]):
        drawn, pen = _shape(runs[index], pen)
        glyphs.extend(drawn)
    tops, bottoms = zip(*(_reach(glyph) for glyph in glyphs), strict=True) if glyphs else ((0.0,), (0.0,))
    return ShapedLine(tuple(glyphs), pen, max(tops), min(bottoms))


def clusters(text: str) -> Iterator[str]:
    """What a reader takes for one character: a base with its marks, a joined emoji, a flag."""
    cluster = ""
    for character in text:
        if cluster and not _continues(cluster, character):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def undrawable(lines: Iterable[str]) -> str:
    """The characters of these lines that no font has a picture of, each once."""
    missing: set[str] = set()
    for line in lines:
        fonts = list(typefaces(line))
        missing |= {c for c in set(line) - INVISIBLE if not c.isspace() and typeface_of(c, fonts) is None}
    return "".join(sorted(missing))


def _continues(cluster: str, character: str) -> bool:
    code = ord(character)
    if unicodedata.category(character) in _MARKS or character in INVISIBLE or code in _SKIN_TONES:
        return True
    if code in _REGIONAL:
        return sum(ord(one) in _REGIONAL for one in cluster) == 1 and ord(cluster[0]) in _REGIONAL
    return cluster[-1] == _ZERO_WIDTH_JOINER and not character.isspace() and not cluster[0].isalpha()


def _runs(text: str, character_levels: Sequence[int]) -> Iterator[_Run]:
    """Stretches of one level and font. A space keeps the font of what it follows; what no font has becomes a box."""
    fonts = list(typefaces(text))
    emoji = fonts[-1]
    pieces: list[tuple[int, Typeface, str]] = []
    position = 0
    typeface = fonts[0]
    for cluster in clusters(text):
        if not cluster.isspace() or typeface is emoji or not typeface.draws(cluster):
            typeface = typeface_of(cluster, fonts) or fonts[0]
        pieces.append((character_levels[position], typeface, cluster))
        position += len(cluster)
    position = 0
    for (level, font), part in groupby(pieces, key=lambda piece: piece[:2]):
        run = "".join(cluster for _, _, cluster in part)
        yield _Run(position, run, level, font)
        position += len(run)


def _shape(run: _Run, pen: float) -> tuple[list[Glyph], float]:
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(character) for character in run.text])
    buffer.direction = "rtl" if run.level % 2 else "ltr"
    buffer.guess_segment_properties()
    hb.shape(run.typeface.font, buffer, {})
    glyphs: list[Glyph] = []
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        x, y = pen + place.x_offset / UNITS_PER_EM, place.y_offset / UNITS_PER_EM
        glyphs.append(Glyph(run.typeface, info.codepoint, x, y, run.start + info.cluster))
        pen += place.x_advance / UNITS_PER_EM
    return glyphs, pen


def _reach(glyph: Glyph) -> tuple[float, float]:
    extents = glyph.typeface.font.get_glyph_extents(glyph.index)
    if extents is None:
        return 0.0, 0.0
    top = glyph.y + extents.y_bearing / UNITS_PER_EM
    return top, top + extents.height / UNITS_PER_EM
