"""Two pictures at once: dissolves and insets."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from render.picture_track import render_picture
from schemas.edl import Place
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest
from tests.render.render_media import (
    FAST,
    Media,
    Writer,
    describe,
    edit,
    lumas,
    read_number,
    run,
    video_clip,
    yuv_frame,
)

pytestmark = pytest.mark.media

PLACE = Place(x=200, y=100, width=96, height=54)


def ramp(folder: Path, frames: int = 120) -> Media:
    """A source whose frame n is grey 40 + n."""
    path = folder / "ramp.mp4"
    codec = {"preset": "ultrafast", "crf": "1", "g": "25"}
    pictures = ((n * 3000, yuv_frame(np.full((180, 320), 40 + n, np.uint8))) for n in range(frames))
    Writer(path, codec_options=codec).write(pictures, (320, 180))
    return describe(path)


def test_a_dissolve_mixes_both_clips_frame_by_frame_out_of_the_handles(rate: Fraction, tmp_path: Path) -> None:
    media = ramp(tmp_path)
    clips = [video_clip(media, 0, 20, 0, rate), video_clip(media, 20, 20, 100, rate, dissolve_in=8)]
    shown = [float(luma.mean()) for luma in lumas(run(edit([media], clips), [media], tmp_path / "o").video)]
    for number in range(40):
        before, after = 40 + number, 40 + 100 + number - 20
        share = min(1.0, (number - 20 + 1) / 9) if number >= 20 else 0.0
        assert shown[number] == pytest.approx(before + (after - before) * share, abs=1.5), number


def test_dissolves_one_after_another_stay_exact(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    firsts = (0, 100, 50, 200)
    clips = [video_clip(counted, 20 * n, 20, first, rate, dissolve_in=6 if n else 0) for n, first in enumerate(firsts)]
    pictures = lumas(run(edit([counted], clips), [counted], tmp_path / "o").video)
    for n, first in enumerate(firsts):
        assert [read_number(pictures[20 * n + k]) for k in range(6, 20)] == [first + k for k in range(6, 20)]


def test_an_inset_lies_in_its_place_and_the_base_goes_on_around_it(
    counted: Media, rate: Fraction, tmp_path: Path
) -> None:
    media = ramp(tmp_path)
    other = Media(media.path, media.source.model_copy(update={"id": "b"}))
    base = [video_clip(counted, 0, 20, 0, rate), video_clip(counted, 20, 20, 100, rate)]
    overlay = video_clip(other, 10, 20, 60, rate, id="over", place=PLACE, fade_in=4)
    plain = lumas(run(edit([counted], base), [counted], tmp_path / "plain").video)
    edl = edit([counted, other], base, overlays=[overlay])
    pictures = lumas(run(edl, [counted, other], tmp_path / "o").video)
    rows, columns = slice(PLACE.y, PLACE.y + PLACE.height), slice(PLACE.x, PLACE.x + PLACE.width)
    for number, (before, after) in enumerate(zip(plain, pictures, strict=True)):
        outside = np.abs(before.astype(int) - after)
        outside[PLACE.y - 8 : PLACE.y + PLACE.height + 8, PLACE.x - 8 : PLACE.x + PLACE.width + 8] = 0
        assert outside.max() < 40, number
        inside = after[rows, columns]
        if 14 <= number < 30:
            assert inside.mean() == pytest.approx(40 + 60 + number - 10, abs=2), number
        if number in (9, 10, 30):
            assert np.abs(inside.astype(int) - before[rows, columns]).mean() < 3, number
    shown = [read_number(np.where(luma[:80] > 125, 235, 16).astype(np.uint8)) for luma in pictures]
    assert shown == [*range(20), *range(100, 120)]


@pytest.mark.parametrize("part", [range(24, 40), range(24), range(27, 33)])
def test_a_part_begun_in_a_dissolve_or_under_an_inset_shows_what_the_whole_shows(
    part: range, counted: Media, rate: Fraction, tmp_path: Path
) -> None:
    base = [video_clip(counted, 0, 20, 0, rate), video_clip(counted, 20, 20, 100, rate, dissolve_in=10)]
    overlay = video_clip(counted, 22, 12, 200, rate, id="over", place=PLACE, fade_in=6)
    edl = edit([counted], base, overlays=[overlay])
    request = RenderRequest(edl=edl, sources={counted.source.id: counted.path}, folder=tmp_path, encoder=FAST)
    whole = lumas(render_picture(request, tmp_path / "whole.mp4", ignore_progress).path)
    shown = lumas(render_picture(request, tmp_path / "part.mp4", ignore_progress, part).path)
    assert len(shown) == len(part)
    for number, luma in zip(part, shown, strict=True):
        assert np.abs(luma.astype(int) - whole[number]).mean() < 1.5, number
