"""One clip's pictures on the canvas: upright, cropped, scaled, converted, graded, and moved along its crop path.

Everything that does not change from frame to frame is one FFmpeg chain. A crop that moves is cut out and scaled once as
the rectangle its whole move stays in; the window is then drawn from it at a fraction of a pixel. Where the same crop
stands before or after a move, on whole pixels, it is cut out and scaled alone.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from render.chain import FilterChain, Step, signature
from render.colour import colour_steps, opaque_steps
from render.grading import Grading, adjusting_steps, needs_table
from render.orientation import Turn, upright_size, upright_steps
from render.planes import planes
from render.timeline import CropSpan, crop_spans, span_at
from schemas.edl import Canvas, Fit, SourceVideo, VideoClip
from schemas.timeline import Area, crop_at

#: A crop whose shape differs from the canvas by less than this is stretched; any more and it is trimmed instead.
_SHAPE_TOLERANCE = 0.015

#: The region that a crop moves in is kept at most this many times as large as the canvas, or as large as it is stored.
_MOST_ENLARGED = 2
#: Steps through it that are smaller than this would show its pixels one by one if they were interpolated linearly.
_ENLARGED_STEP = 0.9

#: A window whose scale is off by less than this many pixels of the canvas from edge to edge is drawn by shifting alone.
_UNSEEN_DRIFT = 0.1
#: A region is made at most this many stored pixels longer for its windows to be shifted.
_MOST_LENGTHENED = 64
#: Shares of a pixel that a shift of eight-bit pictures cannot show.
_UNSEEN_SHIFT = 1 / 256

#: The fill behind a fitted picture: blurred at this fraction of the canvas, and darkened so that it stays behind.
_FILL_SCALE = 8
_FILL_SIGMA = 5
_FILL_BRIGHTNESS = 0.6

#: Limited-range BT.709 code values (BT.709-6 table 4).
_BLACK, _CHROMA_ZERO = 16, 128


@dataclass(frozen=True)
class _Layout:
    """Where the picture lies on the canvas, in whole even pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass
class _Prepared:
    """What turns decoded frames of one signature into pictures for one clip."""

    picture: FilterChain
    fill: FilterChain | None
    region: Area
    windowed: bool


class ClipComposer:
    """Composes the frames of one clip; the same source frame is filtered once however long it is shown."""

    def __init__(self, clip: VideoClip, video: SourceVideo, turn: Turn, canvas: Canvas, folder: Path) -> None:
        self._clip = clip
        self._video = video
        self._turn = turn
        self._canvas = canvas
        self._folder = folder
        self._spans = crop_spans(clip.crop)
        self._span = self._spans[0]
        self._graded = needs_table(clip.grade)
        self._grading: dict[tuple[object, ...], Grading] = {}
        self._layout = _layout(self._shown(0), canvas, clip.fit)
        self._prepared: dict[tuple[object, ...], _Prepared] = {}
        self._last: tuple[VideoFrame, VideoFrame] | None = None
        self._fades: dict[float, FilterChain] = {}

    def compose(self, frame: VideoFrame, number: int) -> VideoFrame:
        """The canvas at clip-relative frame ``number``, showing the decoded ``frame``; its pixels may be shared."""
        canvas = self._composed(frame, number)
        level = 1.0 if self._clip.place is not None else fade_level(self._clip, number)
        return canvas if level == 1 else self._faded(canvas, level)

    def forget(self) -> None:
        """Let go of the canvas made last: whoever was given it may write to it without copying it."""
        self._last = None

    def _composed(self, frame: VideoFrame, number: int) -> VideoFrame:
        self._enter(span_at(self._spans, number))
        if self._last is not None and self._last[0] is frame and not self._span.moves:
            return self._last[1]
        prepared = self._prepare(frame)
        picture = prepared.picture.apply(frame)
        if prepared.windowed:
            picture = _window(picture, prepared.region, self._shown(number), self._layout)
        canvas = picture if prepared.fill is None else _paste(picture, prepared.fill.apply(frame), self._layout)
        canvas = self._grade(canvas)
        self._last = (frame, canvas)
        return canvas

    def _enter(self, span: CropSpan) -> None:
        """Chains are made for one span of the crop path and dropped with it."""
        if span is not self._span:
            self._span = span
            self._prepared.clear()
            self._last = None

    def _grade(self, canvas: VideoFrame) -> VideoFrame:
        if self._clip.grade is None or not self._graded:
            return canvas
        key = signature(canvas)
        if key not in self._grading:
            self._grading[key] = Grading(canvas, self._clip.grade, self._folder)
        return self._grading[key].apply(canvas)

    def _shown(self, number: int) -> Area:
        """The part of the display picture that is shown, trimmed to the canvas's shape where it has to fill it."""
        whole = Area(0, 0, self._video.display_width, self._video.display_height)
        area = crop_at(self._clip.crop, number, self._clip.motion) if self._clip.crop else whole
        return area if self._clip.fit is Fit.BLURRED else _trimmed(area, self._canvas.width / self._canvas.height)

    def _prepare(self, frame: VideoFrame) -> _Prepared:
        key = signature(frame)
        if key not in self._prepared:
            upright = [*opaque_steps(frame), *upright_steps(self._turn)]
            size = upright_size(self._turn, frame.width, frame.height)
            self._prepared[key] = self._built(frame, upright, size)
        return self._prepared[key]

    def _built(self, frame: VideoFrame, upright: list[Step], size: tuple[int, int]) -> _Prepared:
        stored_x = size[0] / self._video.display_width
        stored_y = size[1] / self._video.display_height
        wanted = _scaled(self._union(), stored_x, stored_y)
        crop = _pixel_crop(wanted, size)
        if self._span.moves:
            crop = self._evenly_scaled(crop, size, stored_x, stored_y)
        region = _scaled(crop, 1 / stored_x, 1 / stored_y)
        windowed = self._span.moves or (len(self._spans) > 1 and crop != wanted)
        target = self._region_size(region, crop) if windowed else (self._layout.width, self._layout.height)
        head = [*upright, *_crop_steps(crop, size)]
        grade = [] if self._graded else adjusting_steps(self._clip.grade)
        picture = FilterChain(frame, [*head, *colour_steps(frame, target, self._folder), *grade])
        fill = FilterChain(frame, [*head, *self._fill_steps(frame, crop), *grade]) if self._needs_fill() else None
        return _Prepared(picture, fill, region, windowed)

    def _union(self) -> Area:
        """The smallest rectangle that the shown part does not leave in this span."""
        areas = self._areas()
        left, top = min(a.x for a in areas), min(a.y for a in areas)
        right, bottom = max(a.x + a.width for a in areas), max(a.y + a.height for a in areas)
        return Area(left, top, right - left, bottom - top)

    def _region_size(self, region: Area, stored: Area) -> tuple[int, int]:
        """Pixels for the region at the scale of the tightest moment in it, so that the window is never enlarged.

        A path that goes far or comes very near has fewer, and its windows are enlarged, for memory has an end.
        """
        areas = self._areas()
        width = region.width * self._layout.width / min(area.width for area in areas)
        height = region.height * self._layout.height / min(area.height for area in areas)
        return (
            _even(min(width, max(stored.width, _MOST_ENLARGED * self._layout.width))),
            _even(min(height, max(stored.height, _MOST_ENLARGED * self._layout.height))),
        )

    def _evenly_scaled(self, crop: Area, size: tuple[int, int], stored_x: float, stored_y: float) -> Area:
        """``crop`` a little longer, so that at the scale of its windows it has an even number of pixels each way."""
        areas = self._areas()
        scale_x = self._layout.width / stored_x / min(area.width for area in areas)
        scale_y = self._layout.height / stored_y / min(area.height for area in areas)
        x, width = _evenly_scaled(int(crop.x), int(crop.width), size[0], scale_x)
        y, height = _evenly_scaled(int(crop.y), int(crop.height), size[1], scale_y)
        return Area(x, y, width, height)

    def _areas(self) -> list[Area]:
        return [self._shown(key.frame) for key in self._span.keys] or [self._shown(0)]

    def _needs_fill(self) -> bool:
        return (self._layout.width, self._layout.height) != (self._canvas.width, self._canvas.height)

    def _fill_steps(self, frame: VideoFrame, crop: Area) -> list[Step]:
        canvas = self._canvas
        pixel_shape = (self._layout.width / crop.width) / (self._layout.height / crop.height)
        part = _trimmed(Area(0, 0, crop.width, crop.height), canvas.width / canvas.height / pixel_shape)
        small = (_even(canvas.width / _FILL_SCALE), _even(canvas.height / _FILL_SCALE))
        return [
            ("crop", {"w": str(_even(part.width)), "h": str(_even(part.height))}),
            *colour_steps(frame, small, self._folder),
            ("gblur", {"sigma": str(_FILL_SIGMA)}),
            ("lutyuv", {"y": f"{_BLACK}+(val-{_BLACK})*{_FILL_BRIGHTNESS}"}),
            ("scale", {"w": str(canvas.width), "h": str(canvas.height), "flags": "bilinear"}),
        ]

    def _faded(self, canvas: VideoFrame, level: float) -> VideoFrame:
        if level not in self._fades:
            chroma = f"{_CHROMA_ZERO}+(val-{_CHROMA_ZERO})*{level:.6f}"
            luma = f"{_BLACK}+(val-{_BLACK})*{level:.6f}"
            self._fades[level] = FilterChain(canvas, [("lutyuv", {"y": luma, "u": chroma, "v": chroma})])
        return self._fades[level].apply(canvas)


def fade_level(clip: VideoClip, number: int) -> float:
    """How much of the picture is left at clip-relative frame ``number``: 0 on the first and last frame of a fade.

    On the canvas the rest is black; of an overlay with a place it is what lies under it.
    """
    level = 1.0
    if number < clip.fade_in:
        level = number / clip.fade_in
    remaining = clip.duration - 1 - number
    if clip.fade_out and remaining < clip.fade_out:
        level = min(level, remaining / clip.fade_out)
    return level


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


def _scaled(area: Area, x: float, y: float) -> Area:
    return Area(area.x * x, area.y * y, area.width * x, area.height * y)


def _trimmed(area: Area, shape: float) -> Area:
    """The largest centred part of ``area`` whose width is ``shape`` times its height."""
    ratio = area.width / area.height / shape
    if abs(ratio - 1) <= _SHAPE_TOLERANCE:
        return area
    width = area.width / ratio if ratio > 1 else area.width
    height = area.height * ratio if ratio < 1 else area.height
    return Area(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)


def _pixel_crop(area: Area, size: tuple[int, int]) -> Area:
    """``area`` in whole pixels, on even positions, inside a picture of ``size``."""
    left, top = 2 * int(area.x / 2), 2 * int(area.y / 2)
    right = min(size[0], 2 * round((area.x + area.width) / 2))
    bottom = min(size[1], 2 * round((area.y + area.height) / 2))
    return Area(left, top, max(2, right - left), max(2, bottom - top))


def _crop_steps(crop: Area, size: tuple[int, int]) -> list[Step]:
    if (crop.x, crop.y, crop.width, crop.height) == (0, 0, *size):
        return []
    options = {"w": crop.width, "h": crop.height, "x": crop.x, "y": crop.y}
    return [("crop", {**{name: str(int(value)) for name, value in options.items()}, "exact": "1"})]


def _layout(shown: Area, canvas: Canvas, fit: Fit) -> _Layout:
    whole = _Layout(0, 0, canvas.width, canvas.height)
    shape = shown.width / shown.height
    if fit is Fit.FILL or abs(shape * canvas.height / canvas.width - 1) <= _SHAPE_TOLERANCE:
        return whole
    scale = min(canvas.width / shown.width, canvas.height / shown.height)
    width, height = min(canvas.width, _even(shown.width * scale)), min(canvas.height, _even(shown.height * scale))
    return _Layout(2 * ((canvas.width - width) // 4), 2 * ((canvas.height - height) // 4), width, height)


def _evenly_scaled(start: int, length: int, limit: int, scale: float) -> tuple[int, int]:
    """Start and length of a stretch below ``limit``, around the one given, that is scaled to an even length.

    The one given, where none a little longer is.
    """
    for tried in range(length, min(limit, length + _MOST_LENGTHENED) + 1, 2):
        if abs(_even(tried * scale) - tried * scale) < _UNSEEN_DRIFT:
            return min(start, 2 * ((limit - tried) // 2)), tried
    return start, length


def _window(picture: VideoFrame, region: Area, shown: Area, layout: _Layout) -> VideoFrame:
    """Draw ``shown`` (display pixels) out of ``picture``, which holds ``region``, at the layout's size."""
    scale_x, scale_y = picture.width / region.width, picture.height / region.height
    step_x, step_y = shown.width * scale_x / layout.width, shown.height * scale_y / layout.height
    left, top = (shown.x - region.x) * scale_x, (shown.y - region.y) * scale_y
    drawn = VideoFrame(layout.width, layout.height, "yuv420p")
    drawn.colorspace, drawn.color_range = picture.colorspace, picture.color_range
    drawn.color_primaries, drawn.color_trc = picture.color_primaries, picture.color_trc
    drift_x, drift_y = (step_x - 1) * layout.width, (step_y - 1) * layout.height
    covers = picture.width >= layout.width and picture.height >= layout.height
    if covers and max(abs(drift_x), abs(drift_y)) < _UNSEEN_DRIFT:
        _shift(picture, drawn, left + drift_x / 2, top + drift_y / 2)
    else:
        _warp(picture, drawn, (left, step_x), (top, step_y))
    return drawn


def _shift(picture: VideoFrame, drawn: VideoFrame, left: float, top: float) -> None:
    """Draw the part of ``picture`` that begins at ``left`` and ``top``, which may be fractions, at its own size.

    The picture is no smaller than what is drawn.
    """
    for number, (source, target) in enumerate(zip(planes(picture), planes(drawn), strict=True)):
        half = 2 if number else 1
        column, right = _split(left / half, source.shape[1] - target.shape[1])
        row, below = _split(top / half, source.shape[0] - target.shape[0])
        rows, columns = target.shape
        part = source[row : row + rows + (below > 0), column : column + columns + (right > 0)]
        if below and right:
            across = cv2.addWeighted(part[:, :-1], 1 - right, part[:, 1:], right, 0)
            cv2.addWeighted(across[:-1], 1 - below, across[1:], below, 0, dst=target)
        elif right:
            cv2.addWeighted(part[:, :-1], 1 - right, part[:, 1:], right, 0, dst=target)
        elif below:
            cv2.addWeighted(part[:-1], 1 - below, part[1:], below, 0, dst=target)
        else:
            target[...] = part


def _split(position: float, most: int) -> tuple[int, float]:
    """A position as whole pixels, kept between 0 and ``most``, and the share of the next pixel that belongs to it."""
    kept = min(max(position, 0.0), float(most))
    whole = int(kept)
    share = kept - whole
    if share > 1 - _UNSEEN_SHIFT:
        return whole + 1, 0.0
    return whole, share if share >= _UNSEEN_SHIFT else 0.0


def _warp(picture: VideoFrame, drawn: VideoFrame, across: tuple[float, float], down: tuple[float, float]) -> None:
    """Draw the part of ``picture`` that begins at the first of each, in steps of the second.

    Chroma samples of 4:2:0 lie on even luma columns and between luma rows (H.264 chroma location 0), which the two
    offsets below respect.
    """
    (left, step_x), (top, step_y) = across, down
    interpolation = cv2.INTER_CUBIC if min(step_x, step_y) < _ENLARGED_STEP else cv2.INTER_LINEAR
    luma = _affine(step_x, left + step_x / 2 - 0.5, step_y, top + step_y / 2 - 0.5)
    chroma = _affine(step_x, (left + step_x / 2 - 0.5) / 2, step_y, (top + step_y - 1) / 2)
    for source, target, matrix in zip(planes(picture), planes(drawn), (luma, chroma, chroma), strict=True):
        cv2.warpAffine(
            source,
            matrix,
            (target.shape[1], target.shape[0]),
            dst=target,
            flags=interpolation | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _affine(step_x: float, offset_x: float, step_y: float, offset_y: float) -> NDArray[np.float64]:
    return np.array([[step_x, 0.0, offset_x], [0.0, step_y, offset_y]])


def _paste(picture: VideoFrame, canvas: VideoFrame, layout: _Layout) -> VideoFrame:
    canvas.make_writable()
    for number, (source, target) in enumerate(zip(planes(picture), planes(canvas), strict=True)):
        half = 2 if number else 1
        rows, columns = source.shape
        target[layout.y // half : layout.y // half + rows, layout.x // half : layout.x // half + columns] = source
    return canvas
