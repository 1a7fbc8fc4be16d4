"""Whole frames look as they did when a person last looked at them."""

from pathlib import Path

import numpy as np
import pytest

from tests.render.golden_frames import GOLDEN, Golden, Picture, kept, rendered, ssim, synthetic
from tests.render.render_media import Media

pytestmark = pytest.mark.media

#: What another build of FFmpeg or OpenCV may change, in structure and in mean brightness of 255; a caption moved by two
#: pixels or a sixth less light are more.
_LEAST_ALIKE = 0.985
_MOST_APART = 2.0


def alike(one: Picture, other: Picture) -> bool:
    apart = float(np.abs(one.astype(int) - other).mean())
    return ssim(one, other) > _LEAST_ALIKE and apart < _MOST_APART


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Media:
    return synthetic(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_a_frame_looks_as_it_was_kept(golden: Golden, media: Media, tmp_path: Path) -> None:
    assert alike(rendered(golden, media, tmp_path / "o"), kept(golden))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_a_small_fault_would_be_seen(golden: Golden) -> None:
    picture = kept(golden)
    assert ssim(picture, picture) == pytest.approx(1)
    assert not alike(picture, np.roll(picture, 2, axis=1))
    assert not alike(picture, np.rint(picture * 0.85).astype(np.uint8))
