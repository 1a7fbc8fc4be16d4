"""Pictures rendered in parts and joined by their packets are the same film as rendered in one."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from render.assembly import assemble
from render.delivery import check_delivery
from render.picture_track import render_picture
from render.soundtrack import make_soundtrack
from schemas.errors import MediaRefused
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest
from tests.render.render_media import FAST, Media, audio_clip, edit, lumas, read_number, run, video_clip

pytestmark = pytest.mark.media


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(24_000, 1001)])
@pytest.mark.parametrize("bounds", [(0, 60, 150), (0, 1, 3, 150)], ids=["GOPs", "shorter than the encoder's delay"])
def test_parts_join_without_a_seam(bounds: tuple[int, ...], rate: Fraction, counted: Media, tmp_path: Path) -> None:
    clips = [video_clip(counted, 0, 75, 100, rate), video_clip(counted, 75, 75, 10, rate)]
    edl = edit([counted], clips, [audio_clip(counted, 0, 150, 0, rate)], rate=rate)
    request = RenderRequest(edl=edl, sources={"a": counted.path}, folder=tmp_path, encoder=FAST)
    parts = [range(first, end) for first, end in pairwise(bounds)]
    tracks = [render_picture(request, tmp_path / f"{part.start}.mp4", ignore_progress, part) for part in parts]
    sound, _, _ = make_soundtrack(request, ignore_progress)
    joined = tmp_path / "joined.mp4"
    assemble(tracks, rate, sound, joined)
    whole = run(edl, [counted], tmp_path / "whole").video
    assert check_delivery(joined, edl).passed
    assert [read_number(luma) for luma in lumas(joined)] == [read_number(luma) for luma in lumas(whole)]


def test_sound_that_cannot_be_read_ends_the_picture_too(counted: Media, tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"\x00\x01\x02\x03" * 5000)
    deaf = Media(noise, counted.source.model_copy(update={"id": "deaf", "name": "deaf.mp4"}))
    rate = Fraction(30)
    edl = edit([counted, deaf], [video_clip(counted, 0, 300, 0, rate)], [audio_clip(deaf, 0, 300, 0, rate)])
    with pytest.raises(MediaRefused, match=r"deaf\.mp4"):
        run(edl, [counted, deaf], tmp_path / "o")
