"""A screen recording: notes for the talk being typed in an editor, and boxes being ticked with the pointer."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import font_roboto
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from demo.clip_file import Picture, PictureFormat, planes_of

FORMAT = PictureFormat(width=1440, height=900, rate=30)

Colour = tuple[int, int, int]
Point = tuple[float, float]

DESKTOP_TOP: Colour = (38, 58, 92)
DESKTOP_BOTTOM: Colour = (92, 70, 112)
WINDOW: Colour = (250, 250, 248)
BAR: Colour = (232, 232, 230)
SIDE: Colour = (242, 242, 240)
INK: Colour = (40, 42, 48)
FAINT: Colour = (140, 142, 148)
ACCENT: Colour = (36, 110, 220)

WINDOW_BOX = (120, 70, 1320, 830)
SIDE_WIDTH, BAR_HEIGHT = 250, 52
TEXT_LEFT, TEXT_TOP, LINE_HEIGHT = 430, 268, 72

TITLE = "Recording checklist"
ITEMS = (
    "Microphone 20 cm away, below the frame",
    "Light from the side, at 45 degrees",
    "Window in front, never behind",
    "Lens at the height of the eyes",
    "Every sentence twice, 2 s between takes",
)
FILES = ("Ideas", "Script", TITLE, "Thumbnails", "Upload notes")

#: The first of these shares of the recording is typing, the rest ticking.
TYPING_SHARE = 0.62
#: Share of the way from one target to the next that the pointer moves; it rests for the remainder.
POINTER_MOVING = 0.7


@dataclass(frozen=True)
class _Fonts:
    title: ImageFont.FreeTypeFont
    text: ImageFont.FreeTypeFont
    small: ImageFont.FreeTypeFont


def screen_frames(seconds: float) -> Iterator[Picture]:
    """The pictures of the recording, in order."""
    fonts = _Fonts(_font("Bold", 44), _font("Regular", 30), _font("Regular", 21))
    desktop = _desktop(fonts)
    pointer = _pointer()
    count = round(seconds * FORMAT.rate)
    for index in range(count):
        share = index / count
        picture = desktop.copy()
        _draw_notes(picture, fonts, share, caret=index // 15 % 2 == 0)
        x, y = _pointer_at(share)
        picture.paste(pointer, (round(x), round(y)), pointer)
        yield planes_of(np.asarray(picture, np.uint8))


def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    folder = Path(font_roboto.__file__).parent
    return ImageFont.truetype(str(next(folder.rglob(f"Roboto-{weight}.ttf"))), size)


def _desktop(fonts: _Fonts) -> Image.Image:
    share = np.linspace(0, 1, FORMAT.height)[:, np.newaxis, np.newaxis]
    gradient: npt.NDArray[np.float64] = np.array(DESKTOP_TOP) * (1 - share) + np.array(DESKTOP_BOTTOM) * share
    rows = np.repeat(gradient, FORMAT.width, axis=1)
    picture = Image.fromarray(np.rint(rows).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = WINDOW_BOX
    draw.rounded_rectangle(WINDOW_BOX, 14, fill=WINDOW)
    draw.rounded_rectangle((left, top, right, top + BAR_HEIGHT), 14, fill=BAR)
    draw.rectangle((left, top + BAR_HEIGHT - 14, right, top + BAR_HEIGHT), fill=BAR)
    draw.rectangle((left, top + BAR_HEIGHT, left + SIDE_WIDTH, bottom - 14), fill=SIDE)
    for index, colour in enumerate(((236, 96, 84), (240, 190, 78), (96, 196, 92))):
        draw.ellipse((left + 22 + index * 26, top + 19, left + 36 + index * 26, top + 33), fill=colour)
    draw.text(((left + right) / 2, top + BAR_HEIGHT / 2), f"{TITLE} - Notes", INK, fonts.small, anchor="mm")
    for index, name in enumerate(FILES):
        y = top + BAR_HEIGHT + 40 + index * 44
        if name == TITLE:
            draw.rounded_rectangle((left + 14, y - 20, left + SIDE_WIDTH - 14, y + 20), 8, fill=ACCENT)
        draw.text((left + 32, y), name, WINDOW if name == TITLE else INK, fonts.small, anchor="lm")
    return picture


def _draw_notes(picture: Image.Image, fonts: _Fonts, share: float, *, caret: bool) -> None:
    draw = ImageDraw.Draw(picture)
    draw.text((TEXT_LEFT, TEXT_TOP - 82), TITLE, INK, fonts.title, anchor="lm")
    remaining = round(sum(map(len, ITEMS)) * min(share / TYPING_SHARE, 1))
    for index, item in enumerate(ITEMS):
        shown = item[:remaining]
        _draw_item(draw, fonts, index, shown, ticked=share >= _tick_share(index))
        if remaining <= len(item):
            if caret:
                _draw_caret(draw, fonts, index, shown)
            break
        remaining -= len(item)


def _draw_caret(draw: ImageDraw.ImageDraw, fonts: _Fonts, index: int, text: str) -> None:
    x, y = TEXT_LEFT + 56 + fonts.text.getlength(text), TEXT_TOP + index * LINE_HEIGHT
    draw.line((x, y - 18, x, y + 18), fill=ACCENT, width=3)


def _draw_item(draw: ImageDraw.ImageDraw, fonts: _Fonts, index: int, text: str, *, ticked: bool) -> None:
    x, y = TEXT_LEFT, TEXT_TOP + index * LINE_HEIGHT
    box = (x, y - 15, x + 30, y + 15)
    if ticked:
        draw.rounded_rectangle(box, 6, fill=ACCENT)
        draw.line(((x + 7, y), (x + 13, y + 7), (x + 24, y - 7)), fill=WINDOW, width=4, joint="curve")
    else:
        draw.rounded_rectangle(box, 6, outline=FAINT, width=3)
    draw.text((x + 54, y), text, FAINT if ticked else INK, fonts.text, anchor="lm")


def _tick_share(index: int) -> float:
    """When the box of an item is ticked: as the pointer comes to rest on it."""
    return TYPING_SHARE + (1 - TYPING_SHARE) * (index + POINTER_MOVING) / len(ITEMS)


def _pointer_at(share: float) -> Point:
    """From a resting place beside the text, over each box in turn."""
    boxes: list[Point] = [(TEXT_LEFT + 12, TEXT_TOP + index * LINE_HEIGHT) for index in range(len(ITEMS))]
    stops: list[Point] = [(1130, 640), *boxes]
    if share < TYPING_SHARE:
        drift = share / TYPING_SHARE * 6
        return stops[0][0] + 30 * np.sin(drift), stops[0][1] + 18 * np.sin(drift * 1.6)
    position = (share - TYPING_SHARE) / (1 - TYPING_SHARE) * len(boxes)
    index = min(int(position), len(boxes) - 1)
    moved = min((position - index) / POINTER_MOVING, 1)
    eased = moved * moved * (3 - 2 * moved)
    (from_x, from_y), (to_x, to_y) = stops[index], stops[index + 1]
    return from_x + (to_x - from_x) * eased, from_y + (to_y - from_y) * eased


def _pointer() -> Image.Image:
    """An arrow with a light edge, drawn four times as large and reduced for smooth edges."""
    outline = [(4, 4), (4, 76), (22, 60), (34, 88), (48, 82), (36, 54), (60, 54)]
    large = Image.new("RGBA", (96, 112), (0, 0, 0, 0))
    draw = ImageDraw.Draw(large)
    draw.polygon(outline, fill=(20, 20, 24, 255), outline=(255, 255, 255, 255), width=5)
    return large.resize((32, 37), Image.Resampling.LANCZOS)
