"""Pictures that a source already has as they are wanted are copied, and every frame is still the right one."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import render.engine
from render.avc import nal_units
from schemas.delivery import DeliveryReport
from schemas.edl import EDL, CaptionStyle, CropKey, Grade
from schemas.rendering import RenderResult
from tests.render.conftest import tone
from tests.render.render_media import (
    Media,
    Writer,
    audio_clip,
    describe,
    edit,
    lumas,
    numbered,
    read_number,
    run,
    video_clip,
    yuv_frame,
)

pytestmark = pytest.mark.media

RATE = Fraction(30)
FRAMES = 240
SMPTE170M = "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m"
BT709 = {"colorprim": "bt709", "transfer": "bt709", "colormatrix": "bt709"}


def as_delivered(stream: av.VideoStream) -> None:
    context = stream.codec_context
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1


def recorded(
    folder: Path,
    name: str = "camera.mp4",
    configure: Callable[[av.VideoStream], None] | None = as_delivered,
    x264: str = "keyint=30:bframes=3",
    step: int = 3000,
) -> Media:
    """Eight seconds like a camera's, whose frame n shows n."""
    path = folder / name
    options = {"preset": "veryfast", "profile": "high", "x264-params": f"{x264}:scenecut=0:open-gop=0"}
    if "open-gop" in x264:
        options["x264-params"] = f"{x264}:scenecut=0"
    writer = Writer(path, codec_options=options, configure=configure)
    frames = ((n * step, yuv_frame(numbered(n))) for n in range(FRAMES))
    writer.write(frames, (320, 180), sound=tone(8), sound_codec="pcm_s16le" if name.endswith("mkv") else "aac")
    return describe(path)


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Media:
    return recorded(tmp_path_factory.mktemp("camera"))


def cut(media: Media, pieces: list[tuple[int, int]], folder: Path, **more: object) -> RenderResult:
    clips, sounds, start = [], [], 0
    for first, end in pieces:
        clips.append(video_clip(media, start, end - first, first, RATE, **more))
        sounds.append(audio_clip(media, start, end - first, first, RATE, fade_in=192, fade_out=192))
        start += end - first
    return run(edit([media], clips, sounds), [media], folder / "o")


def numbers(path: Path) -> list[int]:
    return [read_number(luma) for luma in lumas(path)]


@pytest.mark.parametrize(
    ("pieces", "whole", "begun"),
    [
        pytest.param([(0, 240)], 240, 0, id="nothing cut"),
        pytest.param([(0, 120), (125, 240)], 210, 0, id="one cut"),
        pytest.param([(17, 101), (110, 199), (3, 64), (150, 239)], 210, 59, id="many cuts, and back"),
        pytest.param([(60, 90), (0, 30), (60, 90)], 90, 0, id="at keyframes only"),
        pytest.param([(59, 91), (31, 62), (89, 90)], 30, 0, id="a frame beside keyframes"),
        pytest.param([(0, 25), (31, 78), (100, 147)], 0, 70, id="no whole group"),
    ],
)
def test_groups_are_copied_as_far_as_they_go_and_every_frame_is_right(
    pieces: list[tuple[int, int]], whole: int, begun: int, camera: Media, tmp_path: Path
) -> None:
    """Of a group that is cut off, the last pictures before a B-frame's reference have to be encoded."""
    result = cut(camera, pieces, tmp_path)
    wanted = [number for first, end in pieces for number in range(first, end)]
    assert numbers(result.video) == wanted
    origin = result.report.picture
    assert origin is not None
    copied = origin.copied_frames
    assert (copied + origin.encoded_frames, origin.why_encoded) == (len(wanted), "")
    assert whole + 0.7 * begun <= copied <= whole + begun
    source = lumas(camera.path)
    same = sum(np.array_equal(luma, source[n]) for n, luma in zip(wanted, lumas(result.video), strict=True))
    assert same >= copied


@pytest.mark.parametrize(
    ("x264", "most"),
    [
        pytest.param("keyint=30:bframes=2:open-gop=1", 30, id="open groups but the first"),
        pytest.param("keyint=30:bframes=0", 180, id="no B-frames"),
        pytest.param("keyint=90:bframes=2", 90, id="groups longer than are delivered"),
        pytest.param("keyint=30:bframes=5:b-pyramid=normal:ref=5", 180, id="many B-frames"),
        pytest.param("keyint=30:bframes=2:sps-id=3:slices=4", 180, id="other numbers and slices"),
    ],
)
def test_groups_of_every_structure_join(x264: str, most: int, tmp_path: Path) -> None:
    media = recorded(tmp_path, x264=x264)
    result = cut(media, [(0, 100), (120, 200)], tmp_path)
    assert numbers(result.video) == [*range(100), *range(120, 200)]
    origin = result.report.picture
    assert origin is not None
    assert 30 <= origin.copied_frames <= most


def test_only_what_is_drawn_on_is_encoded(camera: Media, tmp_path: Path) -> None:
    style = CaptionStyle(burn_in=True, left=20, top=120, right=300, bottom=170, font_size=20)
    captions = ({"start": 70, "end": 80, "lines": ["Here"]},)
    clip = video_clip(camera, 0, 240, 0, RATE, fade_out=10)
    edl = edit([camera], [clip], caption_style=style, captions=captions)
    result = run(edl, [camera], tmp_path / "o")
    origin = result.report.picture
    assert origin is not None
    assert origin.copied_frames + origin.encoded_frames == 240
    assert 200 <= origin.copied_frames <= 210
    source = lumas(camera.path)
    unlike = [n for n, luma in enumerate(lumas(result.video)) if not np.array_equal(luma, source[n])]
    assert unlike
    assert set(unlike) <= {*range(60, 90), *range(210, 240)}


def test_a_source_that_runs_late_is_copied_from_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "late.mp4"
    options = {"preset": "veryfast", "profile": "high", "g": "30", "x264-params": "scenecut=0"}
    writer = Writer(path, codec_options=options, configure=as_delivered)
    writer.write(((n * 3000 + 90_000, yuv_frame(numbered(n))) for n in range(120)), (320, 180), sound=tone(6))
    media = describe(path)
    result = run(edit([media], [video_clip(media, 0, 100, 10, RATE)]), [media], tmp_path / "o")
    assert numbers(result.video) == list(range(10, 110))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"crop": (CropKey(frame=0, x=2, y=0, width=318, height=180),)}, "every picture is changed"),
        ({"grade": Grade(brightness=4)}, "every picture is changed"),
    ],
    ids=["cropped", "graded"],
)
def test_what_is_changed_is_encoded(more: dict[str, object], why: str, camera: Media, tmp_path: Path) -> None:
    origin = cut(camera, [(0, 60)], tmp_path, **more).report.picture
    assert origin is not None
    assert (origin.copied_frames, origin.why_encoded) == (0, why)


def untagged(_: av.VideoStream) -> None:
    """Leaves the colours unsaid."""


def turned(stream: av.VideoStream) -> None:
    as_delivered(stream)
    stream.set_display_rotation(180)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param({"configure": untagged}, "not labelled as BT.709", id="unlabelled"),
        pytest.param({"x264": f"keyint=30:{SMPTE170M}"}, "not labelled as BT.709", id="labelled by its file alone"),
        pytest.param({"configure": turned}, "turned or mirrored", id="turned"),
        pytest.param({"name": "camera.mkv"}, "no MP4 or MOV", id="Matroska"),
        pytest.param({"x264": "keyint=30:interlaced=1"}, "may be interlaced", id="interlaced"),
    ],
)
def test_a_source_that_may_not_be_copied_is_encoded(source: dict[str, object], why: str, tmp_path: Path) -> None:
    media = recorded(tmp_path, **source)  # type: ignore[arg-type]
    result = cut(media, [(0, 100), (120, 200)], tmp_path)
    origin = result.report.picture
    assert origin is not None
    assert origin.copied_frames == 0
    assert why in origin.why_encoded
    shown = numbers(result.video)
    assert len(shown) == 180
    assert source.get("configure") is turned or shown == [*range(100), *range(120, 200)]


def test_pieces_with_hardly_a_keyframe_in_them_are_encoded(camera: Media, tmp_path: Path) -> None:
    origin = cut(camera, [(1, 30), (95, 120), (150, 159)], tmp_path).report.picture
    assert origin is not None
    assert (origin.copied_frames, origin.encoded_frames) == (0, 63)
    assert "too few groups" in origin.why_encoded


def test_a_source_larger_than_what_is_delivered_is_encoded(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(16, 235, (30, 180, 320), dtype=np.uint8)
    path = tmp_path / "noise.mp4"
    options = {"preset": "veryfast", "profile": "high", "g": "30"}
    writer = Writer(path, codec_options=options, configure=as_delivered)
    writer.write(((n * 3000, yuv_frame(noise[n])) for n in range(30)), (320, 180), sound=tone(1), sound_codec="aac")
    origin = cut(describe(path), [(0, 30)], tmp_path).report.picture
    assert origin is not None
    assert (origin.copied_frames, origin.encoded_frames) == (0, 30)
    assert "higher bit rate" in origin.why_encoded


def test_a_file_with_copies_that_does_not_pass_its_check_is_encoded_anew(
    camera: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a source whose pictures are damaged where no packet shows it; hundreds of them are in tests/fuzz."""
    real, checked = render.engine.check_delivery, []

    def strict_once(path: Path, edl: EDL, **more: object) -> DeliveryReport:
        report = real(path, edl, **more)
        checked.append(report.picture)
        broken = report.checks[0].model_copy(update={"passed": len(checked) > 1, "measured": "239"})
        return report.model_copy(update={"checks": (broken, *report.checks[1:])})

    monkeypatch.setattr("render.engine.check_delivery", strict_once)
    result = cut(camera, [(0, 240)], tmp_path)
    assert [origin.copied_frames for origin in checked] == [240, 0]
    correction = next(one for one in result.report.corrections if one.name == "copied pictures")
    assert "duration is 239 frames" in correction.before
    assert numbers(result.video) == list(range(240))


def spoiled(media: Media, path: Path, *, framed: bool) -> Media:
    """The same with noise in ten packets; where ``framed``, each unit in them keeps its length and its kind."""
    content, noise = bytearray(media.path.read_bytes()), np.random.default_rng(2)
    with av.open(str(media.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pos is not None]
    for packet in packets[40:50]:
        units = [unit for _, unit in nal_units(bytes(packet))] if framed else [bytes(packet)[4:]]
        position = packet.pos or 0
        for unit in units:
            content[position + 6 : position + 4 + len(unit)] = noise.bytes(len(unit) - 2)
            position += 4 + len(unit)
    path.write_bytes(content)
    return Media(path, media.source)


@pytest.mark.parametrize(("framed", "copied"), [(False, 180), (True, 0)], ids=["not readable", "not decodable"])
def test_damage_is_not_copied_into_the_delivery(framed: bool, copied: int, camera: Media, tmp_path: Path) -> None:
    media = spoiled(camera, tmp_path / "damaged.mp4", framed=framed)
    result = cut(media, [(0, 120), (125, 240)], tmp_path)
    origin = result.report.picture
    assert origin is not None
    assert (origin.copied_frames, origin.encoded_frames) == (copied, 235 - copied)
    assert ("did not pass its check" in origin.why_encoded) == framed
    assert result.report.passed
