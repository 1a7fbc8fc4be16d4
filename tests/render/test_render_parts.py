"""An output joined of parts is the output rendered in one piece."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import render
from render.parts import join, render_segment, render_sound
from schemas.edl import EDL, Caption, CaptionStyle, CropKey
from schemas.errors import DeliveryRejected
from schemas.progress import ignore_progress
from schemas.rendering import EncoderSettings, JoinRequest, MadeSegment, RenderRequest, RenderResult, SegmentRequest
from schemas.segments import SegmentReport
from tests.render.render_media import (
    FAST,
    Media,
    audio_clip,
    edit,
    lumas,
    read_number,
    run,
    samples,
    video_clip,
)

pytestmark = pytest.mark.media

#: With B-frames and a look ahead, as outputs are delivered.
DELIVERED = EncoderSettings(crf=20, preset="veryfast", threads=1)

FIRSTS = [17, 118, 60, 200, 0, 240, 33, 150]
SHOT = 24


def key(frame: int, x: int, y: int, width: int, height: int) -> CropKey:
    return CropKey(frame=frame, x=x, y=y, width=width, height=height)


@pytest.fixture(scope="module")
def edl(counted: Media, rate: Fraction) -> EDL:
    """Shots with what must not know of a seam: a moving crop, a dissolve, fades, and captions across the cuts."""
    extras: dict[int, dict[str, object]] = {
        2: {"fade_in": 6, "fade_out": 6},
        4: {"dissolve_in": 8},
        5: {
            "crop": (
                CropKey(frame=0, x=0, y=0, width=320, height=180),
                CropKey(frame=23, x=8, y=4, width=300, height=168),
            )
        },
    }
    clips = [video_clip(counted, SHOT * n, SHOT, first, rate, **extras.get(n, {})) for n, first in enumerate(FIRSTS)]
    sounds = [audio_clip(counted, SHOT * n, SHOT, first, rate) for n, first in enumerate(FIRSTS)]
    style = CaptionStyle(burn_in=True, left=0, top=150, right=320, bottom=180, font_size=16)
    captions = (
        Caption(start=20, end=60, lines=("Across a seam",)),
        Caption(start=100, end=130, lines=("And another",)),
    )
    return edit([counted], clips, sounds, captions=captions, caption_style=style)


@pytest.fixture(scope="module")
def rate() -> Fraction:
    return Fraction(30)


@pytest.fixture(scope="module")
def whole(edl: EDL, counted: Media, tmp_path_factory: pytest.TempPathFactory) -> RenderResult:
    return run(edl, [counted], tmp_path_factory.mktemp("whole"), DELIVERED)


def joined(
    edl: EDL, media: Media, folder: Path, seams: list[int], encoders: list[EncoderSettings] | None = None
) -> RenderResult:
    """The edit rendered in segments that meet at these frames, each in a folder of its own, and joined."""
    sources = {media.source.id: media.path}
    bounds = [0, *seams, edl.duration]
    pieces, notes = [], []
    for number, (first, end) in enumerate(pairwise(bounds)):
        place = folder / f"segment-{number}"
        place.mkdir(parents=True)
        encoder = encoders[number] if encoders else DELIVERED
        asked = SegmentRequest(edl=edl, sources=sources, folder=place, encoder=encoder, first=first, end=end)
        made = render_segment(asked, ignore_progress)
        pieces.append(MadeSegment(file=made.file, first=first, end=end))
        notes.append(made.report)
    (folder / "sound").mkdir()
    sound = render_sound(
        RenderRequest(edl=edl, sources=sources, folder=folder / "sound", encoder=DELIVERED), ignore_progress
    )
    (folder / "out").mkdir()
    report = SegmentReport(stages=tuple(stage for made in [*notes, sound.report] for stage in made.stages))
    request = JoinRequest(
        edl=edl,
        sources={},
        segments=tuple(pieces),
        sound=sound.file,
        report=report,
        folder=folder / "out",
        encoder=DELIVERED,
    )
    return join(request, ignore_progress)


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Of whole pictures, without windows: enough to see a wrong, torn or half-blended frame."""
    a, b = one.astype(float), other.astype(float)
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    return float(
        (2 * a.mean() * b.mean() + 6.5)
        * (2 * covariance + 58.5)
        / ((a.mean() ** 2 + b.mean() ** 2 + 6.5) * (a.var() + b.var() + 58.5))
    )


@pytest.mark.parametrize(
    "seams", [[96], [24, 48, 120, 144, 168], [1, 2, 3, 100], [61, 75, 130]], ids=["one", "cuts", "tiny", "anywhere"]
)
def test_parts_joined_are_the_whole(
    edl: EDL, counted: Media, whole: RenderResult, seams: list[int], tmp_path: Path
) -> None:
    made = joined(edl, counted, tmp_path, seams)
    assert made.report.passed
    pictures, expected = lumas(made.video), lumas(whole.video)
    assert len(pictures) == len(expected) == edl.duration
    for number, (one, other) in enumerate(zip(pictures, expected, strict=True)):
        assert ssim(one, other) > 0.98, f"frame {number}"
    assert np.array_equal(samples(made.video), samples(whole.video)), "the sound is the same to the sample"
    assert made.srt.read_text() == whole.srt.read_text()


def test_every_source_frame_is_there_once_across_the_seams(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    clips = [video_clip(counted, SHOT * n, SHOT, first, rate) for n, first in enumerate(FIRSTS)]
    made = joined(edit([counted], clips), counted, tmp_path, [24, 60, 61, 120])
    assert [read_number(luma) for luma in lumas(made.video)] == [first + n for first in FIRSTS for n in range(SHOT)]


def test_each_stage_is_reported_once_with_the_time_of_all_parts(edl: EDL, counted: Media, tmp_path: Path) -> None:
    made = joined(edl, counted, tmp_path, [96])
    stages = [stage.stage for stage in made.report.metrics.stages]
    assert sorted(stages) == sorted(set(stages))
    assert {"decode and filter", "encode", "sound", "assemble", "check"} <= set(stages)


def test_segments_that_were_encoded_differently_are_not_joined(edl: EDL, counted: Media, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRejected):
        joined(edl, counted, tmp_path, [96], [DELIVERED, FAST])


def test_a_damaged_part_is_not_delivered(edl: EDL, counted: Media, tmp_path: Path) -> None:
    made = joined(edl, counted, tmp_path, [96])
    assert made.report.passed
    segments = [
        MadeSegment(file=tmp_path / f"segment-{number}" / "segment.mp4", first=first, end=end)
        for number, (first, end) in enumerate([(0, 96), (96, edl.duration)])
    ]
    content = segments[1].file.read_bytes()
    segments[1].file.write_bytes(content[: len(content) // 3])
    (tmp_path / "again").mkdir()
    request = JoinRequest(
        edl=edl,
        sources={},
        segments=tuple(segments),
        sound=tmp_path / "sound" / "sound.mp4",
        report=SegmentReport(),
        folder=tmp_path / "again",
        encoder=DELIVERED,
    )
    with pytest.raises(DeliveryRejected):
        render.join(request, ignore_progress)
