"""From any source's colour to SDR BT.709, as filter steps; wide-gamut and HDR sources go through a computed 3D table.

Formulas: ITU-R BT.2100-2 (PQ and HLG), BT.1886 (display gamma 2.4), BT.2408 (PQ to HLG, reference white), BT.2390-11
(roll-off), BT.2087 (the inverse of its BT.709 to BT.2020 matrix).
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
    P3 = "p3"


_TRANSFER_PQ = 16
_TRANSFER_HLG = 18
_PRIMARIES_BT2020 = 9
_PRIMARIES_P3 = 12
_FULL_RANGE = 2

#: ITU-T H.273 matrix coefficients by FFmpeg's names for them.
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}

#: Unlabelled pictures up to this height are standard definition (BT.601), taller ones BT.709, as players assume.
_SD_HEIGHT = 576

_TABLE_SIZE = 33

_DELIVERED: Step = ("format", {"pix_fmts": "yuv420p"})

#: Peak of the HDR picture, in cd/m², and the system gamma that goes with it; the brightest that PQ can say and that it
#: is graded for.
_HDR_PEAK = 1000.0
_PQ_PEAK = 10_000.0
_PQ_BRIGHTEST = 4000.0
_SYSTEM_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])

#: The constants of PQ (BT.2100-2 table 4).
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32

#: Linear BT.2020 to BT.709: inverse of the matrix of BT.2087-0.
_FROM_2020 = np.linalg.inv(
    np.array(
        [
            [0.6274, 0.3293, 0.0433],
            [0.0691, 0.9195, 0.0114],
            [0.0164, 0.0880, 0.8956],
        ]
    )
)

#: Linear Display P3, in which telephones and laptops record their screens, to BT.709: from the primaries of both
#: (SMPTE EG 432-1, BT.709-6).
_FROM_P3 = np.array(
    [
        [1.2249, -0.2249, 0.0000],
        [-0.0421, 1.0421, 0.0000],
        [-0.0196, -0.0786, 1.0983],
    ]
)


def wide_colour(frame: VideoFrame) -> WideColour | None:
    """Which table the frame needs, ``None`` where it is SDR of ordinary gamut."""
    if frame.color_trc == _TRANSFER_PQ:
        return WideColour.PQ
    if frame.color_trc == _TRANSFER_HLG:
        return WideColour.HLG
    return {_PRIMARIES_BT2020: WideColour.SDR, _PRIMARIES_P3: WideColour.P3}.get(int(frame.color_primaries))


def colour_steps(frame: VideoFrame, size: tuple[int, int], folder: Path) -> list[Step]:
    """Scale to ``size`` and convert to limited-range BT.709 yuv420p.

    Args:
        frame: A frame as decoded; its labels say what to convert from.
        size: Width and height wanted.
        folder: Where a colour table may be written.
    """
    width, height = size
    scale = {"w": str(width), "h": str(height), "flags": "bicubic", **_range(frame)}
    wide = wide_colour(frame)
    if wide is not None:
        return _wide_steps(frame, wide, scale, folder)
    if frame.format.is_rgb:
        return [("scale", {**scale, "out_color_matrix": "bt709", "out_range": "tv"}), _DELIVERED]
    return [("scale", {**scale, "out_range": "tv"}), _DELIVERED, *_matrix_steps(_matrix(frame))]


def _wide_steps(frame: VideoFrame, wide: WideColour, scale: dict[str, str], folder: Path) -> list[Step]:
    assumed = _matrix(frame) if wide is WideColour.P3 else "bt2020"
    matrix = {} if frame.format.is_rgb else {"in_color_matrix": _MATRICES.get(int(frame.colorspace), assumed)}
    return [
        ("scale", {**scale, **matrix}),
        ("format", {"pix_fmts": "gbrp16le"}),  # sixteen bits have the fastest look-up
        ("lut3d", {"file": str(_written_table(wide, folder)), "interp": "tetrahedral"}),
        ("scale", {"out_color_matrix": "bt709", "out_range": "tv"}),
        _DELIVERED,
    ]


def _matrix_steps(matrix: str) -> list[Step]:
    """To BT.709's matrix. ``scale`` would go through 8-bit RGB and darken by a code value; ``colorspace`` does not.

    Primaries and transfer are declared equal: those of SDR video differ by less than a viewer sees.
    """
    if matrix == "bt709":
        return []
    same = dict.fromkeys(("iprimaries", "primaries", "itrc", "trc", "space"), "bt709")
    source = "bt2020ncl" if matrix == "bt2020" else matrix
    return [("colorspace", {**same, "ispace": source, "irange": "tv", "range": "tv"}), _DELIVERED]


def opaque_steps(frame: VideoFrame) -> list[Step]:
    """Lay a picture with transparency over black."""
    if not any(component.is_alpha for component in frame.format.components):
        return []
    return [("format", {"pix_fmts": "gbrap"}), ("premultiply", {"inplace": "1"}), ("format", {"pix_fmts": "gbrp"})]


def _matrix(frame: VideoFrame) -> str:
    assumed = "smpte170m" if frame.height <= _SD_HEIGHT else "bt709"
    return _MATRICES.get(int(frame.colorspace), assumed)


def _range(frame: VideoFrame) -> dict[str, str]:
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    return {"in_range": "pc"} if full and not frame.format.is_rgb else {}


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
    """Non-linear RGB of its primaries in 0..1, shape (n, 3), to non-linear BT.709 RGB in 0..1."""
    matrix = _FROM_P3 if wide is WideColour.P3 else _FROM_2020
    light = np.clip(_sdr_light(signal, wide) @ matrix.T, 0.0, 1.0)
    return np.asarray(light ** (1 / _DISPLAY_GAMMA))


def _sdr_light(signal: Table, wide: WideColour) -> Table:
    """Linear light of the same primaries as a share of SDR white.

    An HLG signal is made to be watched as it is on an SDR display of its primaries: it rolls highlights off by itself
    and puts reference white (203 cd/m²) at 75 %. PQ is brought to the HLG signal of the same light first (BT.2408).
    """
    encoded = _light_to_hlg(_pq_to_light(signal)) if wide is WideColour.PQ else signal
    return np.asarray(encoded**_DISPLAY_GAMMA)


def _pq_to_light(signal: Table) -> Table:
    """The EOTF of BT.2100-2 table 4: display light as a share of the HDR peak, brighter light rolled off to it."""
    return np.asarray(_pq_eotf(_rolled_off(signal)) / _HDR_PEAK)


def _rolled_off(signal: Table) -> Table:
    """The EETF of BT.2390-11 5.4.1 to the HDR peak: about half of it and less is as it was, and nothing is clipped."""
    highest, target = (float(_pq_inverse(np.array(light))) for light in (_PQ_BRIGHTEST, _HDR_PEAK))
    code, target = np.minimum(signal / highest, 1), target / highest
    knee = 1.5 * target - 0.5
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * target
    return np.asarray(np.where(code < knee, code, spline) * highest)


def _pq_eotf(signal: Table) -> Table:
    """PQ to cd/m²."""
    powered = signal ** (1 / _M2)
    return np.asarray(_PQ_PEAK * (np.maximum(powered - _C1, 0) / (_C2 - _C3 * powered)) ** (1 / _M1))


def _pq_inverse(light: Table) -> Table:
    """cd/m² to PQ."""
    powered = (light / _PQ_PEAK) ** _M1
    return np.asarray(((_C1 + _C2 * powered) / (1 + _C3 * powered)) ** _M2)


def _light_to_hlg(light: Table) -> Table:
    """Inverse OOTF of a 1000 cd/m² display (system gamma 1.2) and OETF of BT.2100-2 table 5."""
    luminance = np.maximum(light @ _LUMA_2020, 1e-9)
    scene = light * (luminance ** (1 / _SYSTEM_GAMMA - 1))[:, None]
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.asarray(np.clip(np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright), 0.0, 1.0))
