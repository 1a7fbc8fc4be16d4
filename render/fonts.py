"""The fonts that captions are drawn with: Noto's, bold, each for the characters that those before it lack.

The SIL Open Font License 1.1 covers them all; the packages manimgx-fonts and manimgx-fonts-cjk carry the files.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import manimgx_fonts
import manimgx_fonts_cjk
import uharfbuzz as hb

#: Font units per em that every font is scaled to.
UNITS_PER_EM = 1 << 14
_WEIGHT = 700.0

_SCRIPTS = Path(manimgx_fonts.__file__).parent
_CJK = Path(manimgx_fonts_cjk.__file__).parent / "NotoSansCJK-VF.otf.ttc"
_FIRST, _SLANTED, _EMOJI = "NotoSans[wght].ttf", "NotoSans-Italic[wght].ttf", "NotoEmoji[wght].ttf"

#: Which face of the CJK collection draws Han characters as which readers know them.
_JAPANESE, _KOREAN, _CHINESE = 0, 1, 2

#: Han characters alone are taken for Chinese; beside these they are taken for Japanese or Korean.
_KANA = range(0x3040, 0x3100)
_HANGUL = (range(0x1100, 0x1200), range(0x3130, 0x3190), range(0xAC00, 0xD7B0))

#: Characters that ask for or belong to a picture, or say how to join, and have none of their own (Unicode 5.22).
_JOINERS = frozenset("\u200c\u200d\u200e\u200f\u061c\u2060\ufeff")
_EMOJI_SIGN = "\ufe0f"
_VARIANTS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))
INVISIBLE = _JOINERS | _VARIANTS | _TAGS


class Typeface:
    """A font with the characters it has pictures of."""

    def __init__(self, path: Path, index: int = 0) -> None:
        face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        self.font = hb.Font(face)
        self.font.scale = (UNITS_PER_EM, UNITS_PER_EM)
        self.font.set_variations({"wght": _WEIGHT})
        self._characters = face.unicodes

    def draws(self, cluster: str) -> bool:
        """Whether it has a picture of everything visible in ``cluster``."""
        return all(ord(character) in self._characters for character in cluster if character not in INVISIBLE)


def typefaces(text: str) -> Iterator[Typeface]:
    """The fonts to try for a line, best first, that of emoji last."""
    yield _typeface(_SCRIPTS / _FIRST)
    yield _typeface(_CJK, _cjk_face(text))
    yield from (_typeface(path) for path in _other_scripts())
    yield _typeface(_SCRIPTS / _EMOJI)


def typeface_of(cluster: str, fonts: Iterable[Typeface]) -> Typeface | None:
    """The first font that draws a cluster, that of emoji for one that asks to be an emoji; ``None`` where none does."""
    emoji = _typeface(_SCRIPTS / _EMOJI)
    if _EMOJI_SIGN in cluster and emoji.draws(cluster):
        return emoji
    return next((font for font in fonts if font.draws(cluster)), None)


@cache
def _typeface(path: Path, index: int = 0) -> Typeface:
    return Typeface(path, index)


@cache
def _other_scripts() -> tuple[Path, ...]:
    left_out = {_FIRST, _SLANTED, _EMOJI}
    return tuple(path for path in sorted(_SCRIPTS.glob("*.ttf")) if path.name not in left_out)


def _cjk_face(text: str) -> int:
    codes = [ord(character) for character in text]
    if any(code in _KANA for code in codes):
        return _JAPANESE
    return _KOREAN if any(code in part for code in codes for part in _HANGUL) else _CHINESE
