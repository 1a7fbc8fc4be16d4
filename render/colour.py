"""From any source's colour to SDR BT.709, as filter steps; wide-gamut and HDR sources go through a computed 3D table.

Formulas: ITU-R BT.2100-2 (PQ and HLG), BT.1886 (display gamma 2.4), BT.2446-1 method A (HDR to SDR tone mapping),
BT.2087 (the inverse of its BT.709 to BT.2020 matrix).
"""

from enum import StrEnum
from pathlib import Path

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from render.chain import Step

Table = NDArray[np.float64]


class WideColour(StrEnum):
    """Sources that a matrix alone cannot bring to BT.709, by their transfer."""

    PQ = "pq"
    HLG = "hlg"
    SDR = "sdr"


_TRANSFER_PQ = 16
_TRANSFER_HLG = 18
_PRIMARIES_BT2020 = 9
_FULL_RANGE = 2

#: ITU-T H.273 matrix coefficients by FFmpeg's names for them.
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}

#: Unlabelled pictures up to this height are standard definition (BT.601), taller ones BT.709, as players assume.
_SD_HEIGHT = 576

_TABLE_SIZE = 33

#: Peak of the mastering display that method A assumes, and of the SDR display, in cd/m².
_HDR_PEAK = 1000.0
_SDR_PEAK = 100.0
_DISPLAY_GAMMA = 2.4
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])

#: Linear BT.2020 to BT.709: inverse of the matrix of BT.2087-0.
_TO_709 = np.linalg.inv(
    np.array(
        [
            [0.6274, 0.3293, 0.0433],
            [0.0691, 0.9195, 0.0114],
            [0.0164, 0.0880, 0.8956],
        ]
    )
)


def wide_colour(frame: VideoFrame) -> WideColour | None:
    """Which table the frame needs, ``None`` where it is SDR of ordinary gamut."""
    if frame.color_trc == _TRANSFER_PQ:
        return WideColour.PQ
    if frame.color_trc == _TRANSFER_HLG:
        return WideColour.HLG
    return WideColour.SDR if frame.color_primaries == _PRIMARIES_BT2020 else None


def colour_steps(frame: VideoFrame, size: tuple[int, int], folder: Path) -> list[Step]:
    """Scale to ``size`` and convert to limited-range BT.709 yuv420p.

    Args:
        frame: A frame as decoded; its labels say what to convert from.
        size: Width and height wanted.
        folder: Where a colour table may be written.
    """
    width, height = size
    scale = {"w": str(width), "h": str(height), "flags": "bicubic", **_labels(frame)}
    delivery = {"out_color_matrix": "bt709", "out_range": "tv"}
    wide = wide_colour(frame)
    if wide is None:
        return [("scale", {**scale, **delivery}), ("format", {"pix_fmts": "yuv420p"})]
    return [
        ("scale", scale),
        ("format", {"pix_fmts": "gbrp12le"}),
        ("lut3d", {"file": str(_written_table(wide, folder)), "interp": "tetrahedral"}),
        ("scale", delivery),
        ("format", {"pix_fmts": "yuv420p"}),
    ]


def opaque_steps(frame: VideoFrame) -> list[Step]:
    """Lay a picture with transparency over black."""
    if not any(component.is_alpha for component in frame.format.components):
        return []
    return [("format", {"pix_fmts": "gbrap"}), ("premultiply", {"inplace": "1"}), ("format", {"pix_fmts": "gbrp"})]


def _labels(frame: VideoFrame) -> dict[str, str]:
    if frame.format.is_rgb:
        return {}
    assumed = "smpte170m" if frame.height <= _SD_HEIGHT else "bt709"
    labels = {"in_color_matrix": _MATRICES.get(int(frame.colorspace), assumed)}
    if frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj"):
        labels["in_range"] = "pc"
    return labels


def _written_table(wide: WideColour, folder: Path) -> Path:
    path = folder / f"colour-{wide}.cube"
    if not path.exists():
        rows = to_sdr(_grid(_TABLE_SIZE), wide)
        lines = [f"LUT_3D_SIZE {_TABLE_SIZE}", *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows)]
        path.write_text("\n".join(lines) + "\n")
    return path


def _grid(size: int) -> Table:
    """All table inputs in .cube order: red varies fastest."""
    steps = np.linspace(0.0, 1.0, size)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return np.stack([red.ravel(), green.ravel(), blue.ravel()], axis=1)


def to_sdr(signal: Table, wide: WideColour) -> Table:
    """Non-linear BT.2020 RGB in 0..1, shape (n, 3), to non-linear BT.709 RGB in 0..1."""
    light = np.clip(_encoded_sdr(signal, wide), 0.0, None) ** _DISPLAY_GAMMA @ _TO_709.T
    return np.asarray(np.clip(light, 0.0, 1.0) ** (1 / _DISPLAY_GAMMA))


def _encoded_sdr(signal: Table, wide: WideColour) -> Table:
    match wide:
        case WideColour.PQ:
            return _tone_mapped(_pq_to_light(signal))
        case WideColour.HLG:
            return _tone_mapped(_hlg_to_light(signal))
        case WideColour.SDR:
            return signal


def _pq_to_light(signal: Table) -> Table:
    """BT.2100-2 table 4: display light as a share of the HDR peak, highlights above it clipped."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    powered = signal ** (1 / m2)
    light = (np.maximum(powered - c1, 0) / (c2 - c3 * powered)) ** (1 / m1)
    return np.clip(light * 10_000 / _HDR_PEAK, 0.0, 1.0)


def _hlg_to_light(signal: Table) -> Table:
    """BT.2100-2 table 5: display light as a share of the peak of a 1000 cd/m² display (system gamma 1.2)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ _LUMA_2020
    return np.asarray(scene * luminance[:, None] ** 0.2)


def _tone_mapped(light: Table) -> Table:
    """BT.2446-1 method A on display light in 0..1; returns gamma-encoded BT.2020 RGB for the SDR display."""
    encoded = light ** (1 / _DISPLAY_GAMMA)
    luma = encoded @ _LUMA_2020
    mapped = _mapped_luma(luma)
    share = mapped / np.maximum(1.1 * luma, 1e-9)
    blue_difference = share * (encoded[:, 2] - luma) / 1.8814
    red_difference = share * (encoded[:, 0] - luma) / 1.4746
    mapped = mapped - np.maximum(0.1 * red_difference, 0.0)
    red = mapped + 1.4746 * red_difference
    blue = mapped + 1.8814 * blue_difference
    green = (mapped - _LUMA_2020[0] * red - _LUMA_2020[2] * blue) / _LUMA_2020[1]
    return np.stack([red, green, blue], axis=1)


def _mapped_luma(luma: Table) -> Table:
    """The tone curve of method A: perceptual, kneed, back to display gamma."""
    hdr = 1 + 32 * (_HDR_PEAK / 10_000) ** (1 / _DISPLAY_GAMMA)
    sdr = 1 + 32 * (_SDR_PEAK / 10_000) ** (1 / _DISPLAY_GAMMA)
    perceived = np.log(1 + (hdr - 1) * luma) / np.log(hdr)
    kneed = np.select(
        [perceived <= 0.7399, perceived < 0.9909],
        [1.0770 * perceived, -1.1510 * perceived**2 + 2.7811 * perceived - 0.6302],
        0.5 * perceived + 0.5,
    )
    return np.asarray((sdr**kneed - 1) / (sdr - 1))
