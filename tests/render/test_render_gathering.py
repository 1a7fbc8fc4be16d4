"""Scaling without the gather instruction gives the same pictures."""

import ctypes
import platform
from collections.abc import Iterator

import av
import numpy as np
import pytest
from av.filter import graph

from render.chain import FilterChain
from render.gathering import avoid_gathers

pytestmark = pytest.mark.media

_LIBRARY = ctypes.CDLL(graph.__file__)
#: What makes FFmpeg ask the processor again.
_ASK = -1


@pytest.fixture(autouse=True)
def as_the_processor_says() -> Iterator[None]:
    _LIBRARY.av_force_cpu_flags(_ASK)
    yield
    _LIBRARY.av_force_cpu_flags(_ASK)


def scaled(width: int, height: int) -> bytes:
    rng = np.random.default_rng(7)
    picture = av.VideoFrame.from_ndarray(rng.integers(0, 256, (540 * 3 // 2, 608), np.uint8), format="yuv420p")
    chain = FilterChain(picture, [("scale", {"w": str(width), "h": str(height), "flags": "bicubic"})])
    return chain.apply(picture).to_ndarray().tobytes()


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((1080, 960), id="enlarged"),
        pytest.param((1614, 966), id="enlarged to an odd number of samples"),
        pytest.param((320, 284), id="made smaller"),
        pytest.param((90, 80), id="made much smaller"),
    ],
)
def test_pictures_are_scaled_to_the_same_bits(size: tuple[int, int]) -> None:
    before = scaled(*size)

    avoid_gathers()

    assert scaled(*size) == before


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="Only x86 has the instruction.")
def test_ffmpeg_is_told_that_gathering_is_slow() -> None:
    slow = ctypes.c_uint(0)
    assert _LIBRARY.av_parse_cpu_caps(ctypes.byref(slow), b"slowgather") == 0

    avoid_gathers()

    assert _LIBRARY.av_get_cpu_flags() & slow.value
