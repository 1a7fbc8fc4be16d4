"""The right source frame on every timeline frame."""

import gc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from render.pictures import PictureReader
from schemas.media import AssetKind
from tests.render.render_media import (
    Media,
    Writer,
    describe,
    edit,
    lumas,
    numbered,
    read_number,
    run,
    shared_media,
    video_clip,
    yuv_frame,
)

pytestmark = pytest.mark.media


def numbers(path: Path) -> list[int]:
    return [read_number(luma) for luma in lumas(path)]


def source_of(folder: Path, times: list[int], name: str = "s.mp4", identifier: str = "a", **more: object) -> Media:
    path = folder / name
    Writer(path).write(((pts, yuv_frame(numbered(n))) for n, pts in enumerate(times)), (320, 180))
    return describe(path, identifier, **more)  # type: ignore[arg-type]


def test_cuts_are_exact_to_the_frame_forwards_and_backwards(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    firsts = [17, 118, 60, 61, 62, 0, 290, 33, 234, 50]
    clips = [video_clip(counted, 10 * n, 10, first, rate) for n, first in enumerate(firsts)]
    result = run(edit([counted], clips), [counted], tmp_path / "o")
    assert numbers(result.video) == [first + n for first in firsts for n in range(10)]


@pytest.mark.parametrize("name", ["a.mkv", "a.mov", "a.ts", "a.avi"])
def test_seeking_is_exact_in_every_container(name: str, rate: Fraction, tmp_path: Path) -> None:
    path = tmp_path / name
    writer = Writer(path, codec_options={"preset": "ultrafast", "g": "48", "bf": "3"})
    writer.write(((n * 3000, yuv_frame(numbered(n))) for n in range(200)), (320, 180))
    media = describe(path)
    assert media.source.video is not None
    reader = PictureReader(media.source, path)
    step = 1 / rate / media.source.video.time_base
    for wanted in (150, 151, 20, 199, 0, 101, 100, 47, 48, 49):
        frame = reader.frame_at(media.source.video.start_pts + int(step * (wanted + Fraction(1, 2))))
        luma = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(-1, frame.planes[0].line_size)[:, :320]
        assert read_number(luma[:180]) == wanted
    reader.close()


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "mpeg2video"])
def test_a_file_that_keeps_no_times_to_show_pictures_at_is_cut_to_the_frame(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    options = {"bf": "2", "g": "24"} | ({"x264-params": "b-adapt=0:b-pyramid=normal"} if codec == "libx264" else {})
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(100):
            frame = yuv_frame(numbered(number))
            frame.pts, frame.time_base = number, Fraction(1, 30)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    media = describe(path)
    firsts = [70, 3, 47, 24, 90, 0]
    clips = [video_clip(media, 10 * n, 10, start, Fraction(30)) for n, start in enumerate(firsts)]
    result = run(edit([media], clips), [media], tmp_path / "o")
    assert numbers(result.video) == [start + n for start in firsts for n in range(10)]


@pytest.mark.parametrize("timeline", [Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001), Fraction(60)])
def test_sources_of_other_rates_keep_their_time(counted: Media, timeline: Fraction, tmp_path: Path) -> None:
    duration = int(9 * timeline)
    clips = [video_clip(counted, 0, duration, 0, timeline)]
    result = run(edit([counted], clips, rate=timeline), [counted], tmp_path / "o")
    expected = [int((n + Fraction(1, 2)) / timeline * 30) for n in range(duration)]
    assert numbers(result.video) == expected


def test_a_variable_rate_source_becomes_constant_without_drift(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    times = np.concatenate([[0], np.cumsum(rng.integers(1500, 9000, 160))])
    media = source_of(tmp_path, [int(t) for t in times])
    assert media.source.video is not None
    ticks = times * media.source.video.time_base.denominator // 90_000
    duration = int(times[-1] / 3000)
    result = run(edit([media], [video_clip(media, 0, duration, 0, Fraction(30))]), [media], tmp_path / "o")
    step = Fraction(1, 30) / media.source.video.time_base
    expected = [
        int(np.searchsorted(ticks, int((n + Fraction(1, 2)) * step), side="right") - 1) for n in range(duration)
    ]
    assert numbers(result.video) == expected


def test_sources_of_mixed_rates_and_sizes_share_a_timeline(counted: Media, tmp_path: Path) -> None:
    rate = Fraction(30_000, 1001)
    path = tmp_path / "b.mp4"
    Writer(path).write(((n * 3600, yuv_frame(numbered(n, 500, 282))) for n in range(100)), (500, 282))
    other = describe(path, "b", AssetKind.B_ROLL, rate=Fraction(25))
    clips = [
        video_clip(counted, 0, 30, 40, rate),
        video_clip(other, 30, 30, 20, rate),
        video_clip(counted, 60, 30, 200, rate),
    ]
    result = run(edit([counted, other], clips, rate=rate), [counted, other], tmp_path / "o")
    shown = numbers(result.video)

    def expected(first: int, source_rate: int) -> list[int]:
        return [int(((first + n + Fraction(1, 2)) / rate) * source_rate) for n in range(30)]

    assert shown[:30] == expected(40, 30)
    assert shown[30:60] == expected(20, 25)
    assert shown[60:] == expected(200, 30)
    assert result.report.metrics.b_roll_share == pytest.approx(1 / 3)


def test_an_overlay_hides_the_base_and_gives_it_back(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    base = [video_clip(counted, 0, 30, 0, rate), video_clip(counted, 30, 30, 100, rate)]
    overlay = video_clip(counted, 20, 20, 200, rate, id="over")
    result = run(edit([counted], base, overlays=[overlay]), [counted], tmp_path / "o")
    assert numbers(result.video) == [*range(20), *range(200, 220), *range(110, 130)]


def test_a_source_that_stops_early_holds_its_last_picture_and_says_so(
    counted: Media, rate: Fraction, tmp_path: Path
) -> None:
    data = counted.path.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) * 6 // 10])
    short = Media(path, counted.source)
    result = run(edit([short], [video_clip(short, 0, 290, 0, rate)]), [short], tmp_path / "o")
    shown = numbers(result.video)
    assert shown[:100] == list(range(100))
    assert len(set(shown[-60:])) == 1
    assert any("ends earlier" in note or "damaged" in note for note in result.report.notes)


def test_a_last_picture_that_lasts_long_is_held_without_a_word(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    """The recording of a screen on which nothing moves any more; a file that breaks off says nothing of the kind."""
    assert counted.source.video is not None
    path = tmp_path / "still.mp4"
    with av.open(str(counted.path)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        packets[-1].duration = round(
            2 / packets[-1].time_base
        )  # the last one decoded, since it counts as MP4 writes it
        for packet in packets:
            packet.stream = stream
            output.mux(packet)
    end = counted.source.video.end_pts + round(2 / counted.source.video.time_base)
    video = counted.source.video.model_copy(update={"end_pts": end})
    media = Media(path, counted.source.model_copy(update={"video": video}))
    result = run(edit([media], [video_clip(media, 0, 90, 270, rate)]), [media], tmp_path / "o")
    assert numbers(result.video)[30:] == [299] * 60
    assert result.report.notes == ()


def test_damaged_packets_hold_the_last_good_picture(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    data = bytearray(counted.path.read_bytes())
    start = data.find(b"mdat") + 4
    rng = np.random.default_rng(3)
    for position in rng.integers(start + 4000, len(data) - 4000, 12):
        data[position : position + 24] = bytes(rng.integers(0, 255, 24, dtype=np.uint8))
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    damaged = Media(path, counted.source)
    result = run(edit([damaged], [video_clip(damaged, 0, 290, 0, rate)]), [damaged], tmp_path / "o")
    assert result.report.frames == 290
    right = sum(shown == n for n, shown in enumerate(numbers(result.video)))
    assert right > 145


def test_pictures_are_given_back_as_soon_as_they_are_used(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    """Memory is flat in the length of an edit only if no frame waits for the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        run(edit([counted], [video_clip(counted, 0, 200, 40, rate)]), [counted], tmp_path / "o")
        left = sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()
    assert left < 10


def test_the_same_edit_gives_the_same_file(counted: Media, rate: Fraction, tmp_path: Path) -> None:
    edl = edit([counted], [video_clip(counted, 0, 30, 40, rate)])
    first, second = (run(edl, [counted], tmp_path / name).video.read_bytes() for name in ("one", "two"))
    assert first == second


def test_real_variable_rate_footage(tmp_path: Path) -> None:
    media = describe(shared_media("talking_heads/square_vfr_1spk_man-suit.mp4"))
    rate = Fraction(30)
    result = run(edit([media], [video_clip(media, 0, 180, 0, rate)], canvas=(350, 350)), [media], tmp_path / "o")
    assert result.report.frames == 180


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_an_edit_of_a_few_frames_has_all_of_them(frames: int, counted: Media, rate: Fraction, tmp_path: Path) -> None:
    result = run(edit([counted], [video_clip(counted, 0, frames, 40, rate)]), [counted], tmp_path / "o")
    assert numbers(result.video) == list(range(40, 40 + frames))
