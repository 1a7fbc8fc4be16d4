"""How sources of every shape and colour come out on the canvas."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from render.chain import FilterChain, FrameCopier
from render.colour import WideColour, to_sdr
from render.composer import ClipComposer, fade_level
from render.orientation import UPRIGHT, turn_of, upright_steps
from render.pictures import deinterlaced
from render.planes import planes
from schemas.edl import Canvas, CropKey, Fit, Grade
from tests.render.render_media import Media, Writer, describe, edit, lumas, run, shared_media, video_clip, yuv_frame

pytestmark = pytest.mark.media

GREY = 110

#: To x265: as good as lossless; and to write no description of the colours into the pictures.
X265 = "log-level=none:qp=4"
UNSAID = "colorprim=undef:transfer=undef:colormatrix=undef"


def still(folder: Path, luma: NDArray[np.uint8], name: str = "still.mp4", frames: int = 12, **more: object) -> Media:
    """A source that shows one picture for ``frames`` frames at 30 a second."""
    path = folder / name
    display = more.pop("display", None)
    writer = Writer(path, **({"codec_options": {"preset": "ultrafast", "crf": "6"}} | more))  # type: ignore[arg-type]
    pictures = ((n * 3000, yuv_frame(luma, writer.pixel_format)) for n in range(frames))
    writer.write(pictures, (luma.shape[1], luma.shape[0]))
    return describe(path, display=display)  # type: ignore[arg-type]


def quadrants(width: int, height: int) -> NDArray[np.uint8]:
    """Four greys: top left 40, top right 90, bottom left 140, bottom right 200."""
    picture = np.empty((height, width), np.uint8)
    for rows, columns, value in ((0, 0, 40), (0, 1, 90), (1, 0, 140), (1, 1, 200)):
        top, left = rows * height // 2, columns * width // 2
        picture[top : top + (height + 1) // 2, left : left + (width + 1) // 2] = value
    return picture


def corners(luma: NDArray[np.uint8]) -> list[int]:
    """Mean grey in the middle of each quadrant, to the nearest ten, in reading order."""
    height, width = luma.shape
    parts = [
        luma[y * height // 8 : (y + 2) * height // 8, x * width // 8 : (x + 2) * width // 8]
        for y in (1, 5)
        for x in (1, 5)
    ]
    return [int(round(float(part.mean()), -1)) for part in parts]


def shown(media: Media, folder: Path, canvas: tuple[int, int] = (320, 180), **more: object) -> NDArray[np.uint8]:
    clip = video_clip(media, 0, 6, 0, Fraction(30), **more)
    return lumas(run(edit([media], [clip], canvas=canvas), [media], folder / "o").video)[3]


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(0, [40, 90, 140, 200]), (90, [90, 200, 40, 140]), (180, [200, 140, 90, 40]), (-90, [140, 40, 200, 90])],
)
def test_rotated_footage_stands_upright(degrees: int, expected: list[int], tmp_path: Path) -> None:
    def rotated(stream: av.VideoStream) -> None:
        stream.set_display_rotation(degrees)

    display = (180, 320) if degrees % 180 else (320, 180)
    media = still(tmp_path, quadrants(320, 180), configure=rotated, display=display)
    assert corners(shown(media, tmp_path, display)) == expected


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((-1, 0, 0, 1), [90, 40, 200, 140]),
        ((1, 0, 0, -1), [140, 200, 40, 90]),
        ((0, 1, 1, 0), [40, 140, 90, 200]),
        ((0, -1, -1, 0), [200, 90, 140, 40]),
    ],
)
def test_every_mirroring_has_its_filter(matrix: tuple[int, int, int, int], expected: list[int]) -> None:
    frame = yuv_frame(quadrants(64, 64))
    turned = FilterChain(frame, upright_steps(matrix)).apply(frame)
    luma = np.frombuffer(memoryview(turned.planes[0]), np.uint8).reshape(-1, turned.planes[0].line_size)[:64, :64]
    assert corners(luma) == expected


def test_footage_that_says_it_is_mirrored_is_shown_mirrored(tmp_path: Path) -> None:
    media = still(tmp_path, quadrants(320, 180))
    data = bytearray(media.path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # ISO/IEC 14496-12 8.3.2, version 0
    data[matrix : matrix + 4] = (-65536).to_bytes(4, "big", signed=True)
    media.path.write_bytes(data)
    assert corners(shown(media, tmp_path)) == [90, 40, 200, 140]


def test_real_footage_with_rotation_and_mirror() -> None:
    with av.open(str(shared_media("awkward/real_rotate_and_reflect.mp4"))) as container:
        assert turn_of(next(container.decode(video=0))) == (0, 1, 1, 0)


def test_anamorphic_footage_is_shown_at_its_display_shape(tmp_path: Path) -> None:
    square = np.full((180, 160), 16, np.uint8)
    square[60:120, 65:95] = 235

    def stretched(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(2)

    media = still(tmp_path, square, configure=stretched, display=(320, 180))
    bright = shown(media, tmp_path) > 125
    assert bright.any(axis=0).sum() == pytest.approx(60, abs=2)
    assert bright.any(axis=1).sum() == pytest.approx(60, abs=2)


def test_odd_sizes_fill_the_canvas(tmp_path: Path) -> None:
    media = still(tmp_path, quadrants(321, 181), name="odd.mkv", codec="ffv1", codec_options={}, pixel_format="yuv444p")
    assert corners(shown(media, tmp_path)) == [40, 90, 140, 200]


def test_a_crop_fills_the_canvas_with_what_it_names(tmp_path: Path) -> None:
    media = still(tmp_path, quadrants(640, 360))
    crop = (CropKey(frame=0, x=320, y=180, width=320, height=180),)
    assert corners(shown(media, tmp_path, crop=crop)) == [200] * 4


def test_a_picture_of_another_shape_is_trimmed_and_never_stretched(tmp_path: Path) -> None:
    picture = np.full((360, 640), 16, np.uint8)
    picture[150:210, 290:350] = 235
    media = still(tmp_path, picture)
    bright = shown(media, tmp_path, (180, 320)) > 125
    assert bright.any(axis=0).sum() == pytest.approx(bright.any(axis=1).sum(), abs=2)


def test_a_fitted_picture_is_whole_over_a_darker_blur_of_itself(tmp_path: Path) -> None:
    luma = shown(still(tmp_path, quadrants(640, 360)), tmp_path, (360, 640), fit=Fit.BLURRED)
    picture = luma[220:420]
    assert corners(picture) == [40, 90, 140, 200]
    assert luma[20:200].std() < picture.std()
    assert luma[20:200, 200:340].mean() < 90
    assert luma[440:620, 200:340].mean() < 200


def test_ten_bit_and_full_range_keep_their_brightness(tmp_path: Path) -> None:
    grey = np.full((180, 320), GREY, np.uint8)
    ten = still(tmp_path, grey, name="ten.mkv", codec="ffv1", codec_options={}, pixel_format="yuv420p10le")
    assert shown(ten, tmp_path).mean() == pytest.approx(GREY, abs=1)
    path = tmp_path / "full.mkv"
    frame = yuv_frame(grey)
    frame = frame.reformat(format="yuvj420p", src_color_range=2, dst_color_range=2)
    frame.color_range = 2
    Writer(path, codec="mjpeg", codec_options={"qscale": "2"}, pixel_format="yuvj420p").write(
        [(n * 3000, frame) for n in range(12)], (320, 180)
    )
    assert shown(describe(path), tmp_path).mean() == pytest.approx(16 + GREY * 219 / 255, abs=2)


@pytest.mark.parametrize(("name", "code", "matrix"), [("601", 6, "ITU601"), ("709", 1, "ITU709")])
def test_colours_survive_their_matrix(name: str, code: int, matrix: str, tmp_path: Path) -> None:
    colours = np.zeros((240, 320, 3), np.uint8)
    colours[:, :160], colours[:, 160:] = (200, 60, 50), (40, 90, 190)
    frame = av.VideoFrame.from_ndarray(colours, format="rgb24").reformat(format="yuv444p", dst_colorspace=matrix)
    frame.color_range, frame.colorspace = 1, code
    path = tmp_path / f"{name}.mkv"

    def labelled(stream: av.VideoStream) -> None:
        stream.codec_context.colorspace, stream.codec_context.color_range = code, 1

    writer = Writer(path, codec="ffv1", codec_options={}, pixel_format="yuv444p", configure=labelled)
    writer.write([(n * 3000, frame) for n in range(12)], (320, 240))
    media = describe(path)
    clip = video_clip(media, 0, 8, 0, Fraction(30))
    video = run(edit([media], [clip], canvas=(320, 240)), [media], tmp_path / "o").video
    with av.open(str(video)) as container:
        shown = next(container.decode(video=0)).reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
    assert shown[120, 80] == pytest.approx([200, 60, 50], abs=5)
    assert shown[120, 240] == pytest.approx([40, 90, 190], abs=5)


@pytest.mark.parametrize(("code", "matrix"), [(1, "ITU709"), (6, "ITU601")])
def test_a_screen_recorded_in_display_p3_keeps_its_colours(code: int, matrix: str, tmp_path: Path) -> None:
    """The colours of BT.709 that look like three of Display P3, one of them skin (SMPTE EG 432-1, BT.1886)."""
    stored, wanted = ((200, 60, 50), (60, 100, 190), (210, 160, 130)), ((217, 36, 35), (43, 101, 196), (219, 157, 125))
    colours = np.repeat(np.array(stored, np.uint8), 120, axis=0)[None].repeat(240, axis=0)
    frame = av.VideoFrame.from_ndarray(colours, format="rgb24").reformat(format="yuv444p", dst_colorspace=matrix)
    frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc = 1, code, 12, 1
    path = tmp_path / "screen.mkv"

    def labelled(stream: av.VideoStream) -> None:
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 12, 1, code, 1

    writer = Writer(path, codec="ffv1", codec_options={}, pixel_format="yuv444p", configure=labelled)
    writer.write([(n * 3000, frame) for n in range(12)], (360, 240))
    media = describe(path)
    clip = video_clip(media, 0, 8, 0, Fraction(30))
    video = run(edit([media], [clip], canvas=(360, 240)), [media], tmp_path / "o").video
    with av.open(str(video)) as container:
        shown = (
            next(container.decode(video=0)).reformat(format="rgb24", src_colorspace="ITU709").to_ndarray().astype(int)
        )
    for number, colour in enumerate(wanted):
        assert shown[120, 60 + 120 * number] == pytest.approx(colour, abs=5)


def test_transparency_lies_over_black(tmp_path: Path) -> None:
    path = tmp_path / "alpha.mov"
    pixels = np.full((180, 320, 4), 255, np.uint8)
    pixels[:, 160:, 3] = 0
    frames = ((n * 3000, av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="argb")) for n in range(12))
    Writer(path, codec="qtrle", codec_options={}, pixel_format="argb").write(frames, (320, 180))
    luma = shown(describe(path), tmp_path)
    assert luma[:, 20:140].mean() == pytest.approx(235, abs=2)
    assert luma[:, 180:300].mean() == pytest.approx(16, abs=2)


def test_interlaced_footage_loses_its_combs(tmp_path: Path) -> None:
    path = tmp_path / "interlaced.mpg"
    frames = []
    for n in range(12):
        picture = np.full((288, 352), 16, np.uint8)
        for field in (0, 1):
            left = 20 + 12 * (2 * n + field)
            picture[field::2, left : left + 40] = 235
        frames.append((n * 3600, yuv_frame(picture)))
    options = {"flags": "+ilme+ildct", "top": "1", "qscale": "2", "g": "1"}

    def twenty_five(stream: av.VideoStream) -> None:
        stream.codec_context.framerate = Fraction(25)
        stream.codec_context.time_base = stream.time_base = Fraction(1, 25)

    Writer(path, codec="mpeg2video", codec_options=options, configure=twenty_five).write(frames, (352, 288))
    media = describe(path, rate=Fraction(25))
    clip = video_clip(media, 0, 8, 2, Fraction(25))
    luma = lumas(run(edit([media], [clip], canvas=(352, 288), rate=Fraction(25)), [media], tmp_path / "o").video)[4]
    combs = np.abs(luma[1:-1].astype(int) * 2 - luma[:-2] - luma[2:]).mean()
    assert combs < 4


def test_only_interlaced_pictures_are_deinterlaced() -> None:
    """Progressive pictures with fine lines keep every line, in a stream with interlaced ones too."""
    lines = np.full((288, 352), 60, np.uint8)
    lines[::2] = 180
    frames = [yuv_frame(lines) for _ in range(6)]
    for number, frame in enumerate(frames):
        frame.pts = number
    assert list(deinterlaced(iter(frames))) == frames
    interlaced = FilterChain(frames[0], [("setfield", {"mode": "tff"})]).apply(frames[0])
    assert interlaced.interlaced_frame
    mixed = list(deinterlaced(iter([interlaced, *frames[1:]])))
    assert [frame.pts for frame in mixed] == list(range(6))
    assert [_contrast_of_lines(frame) for frame in mixed[1:]] == [120] * 5
    assert _contrast_of_lines(mixed[0]) < 80


def test_an_interlaced_stream_may_change_its_size() -> None:
    """A recorded broadcast does at the end of a programme; progressive pictures after it are left as they are."""
    large, small = (
        FilterChain(yuv_frame(luma), [("setfield", {"mode": "tff"})]).apply(yuv_frame(luma))
        for luma in (np.full((288, 352), GREY, np.uint8), np.full((144, 176), GREY, np.uint8))
    )
    progressive = yuv_frame(np.full((288, 352), GREY, np.uint8))
    stream = [copied(frame, pts) for pts, frame in enumerate([large, large, small, small, progressive])]
    found = list(deinterlaced(iter(stream)))
    assert [(frame.pts, frame.width) for frame in found] == [(0, 352), (1, 352), (2, 176), (3, 176), (4, 352)]
    assert all((planes(frame)[0] == GREY).all() for frame in found)


def copied(frame: av.VideoFrame, pts: int) -> av.VideoFrame:
    return FrameCopier().copy(frame, pts, Fraction(1, 25))


def _contrast_of_lines(frame: av.VideoFrame) -> int:
    rows = planes(frame)[0].astype(int).mean(axis=1)
    return round(abs(rows[100] - rows[101]))


def test_a_slow_pan_moves_smoothly_by_fractions_of_a_pixel(tmp_path: Path) -> None:
    """A bright edge followed to a hundredth of a pixel lies where the crop path says, frame by frame."""
    picture = np.full((360, 640), 40, np.uint8)
    picture[:, 300:] = 200
    media = still(tmp_path, picture, frames=70)
    keys = (CropKey(frame=0, x=200, y=0, width=202, height=360), CropKey(frame=59, x=212, y=0, width=202, height=360))
    clip = video_clip(media, 0, 60, 0, Fraction(30), crop=keys)
    result = run(edit([media], [clip], canvas=(404, 720)), [media], tmp_path / "o")
    edges = np.array([_edge(luma) for luma in lumas(result.video)])
    wanted = 2 * (300 - 200 - 12 * np.arange(60) / 59)
    assert np.abs(edges - wanted - (edges - wanted).mean()).max() < 0.25
    assert abs((edges - wanted).mean()) < 0.6


def test_a_slow_diagonal_pan_is_as_smooth_both_ways(tmp_path: Path) -> None:
    picture = np.full((400, 640), 40, np.uint8)
    picture[200:, :300] = 120
    picture[:, 300:] = 200
    media = still(tmp_path, picture, frames=70)
    keys = (CropKey(frame=0, x=200, y=0, width=202, height=360), CropKey(frame=59, x=212, y=19, width=202, height=360))
    clip = video_clip(media, 0, 60, 0, Fraction(30), crop=keys)
    pictures = lumas(run(edit([media], [clip], canvas=(404, 720)), [media], tmp_path / "o").video)
    upright = np.array([_edge_in(luma[100:200].mean(axis=0)) for luma in pictures])
    level = np.array([_edge_in(luma[:, 20:120].mean(axis=1)) for luma in pictures])
    for edges, wanted in ((upright, 2 * (100 - 12 * np.arange(60) / 59)), (level, 2 * (200 - 19 * np.arange(60) / 59))):
        assert np.abs(edges - wanted - (edges - wanted).mean()).max() < 0.25
        assert abs((edges - wanted).mean()) < 0.6


def _edge(luma: NDArray[np.uint8]) -> float:
    return _edge_in(luma[300:420].mean(axis=0))


def _edge_in(profile: NDArray[np.float64]) -> float:
    low, high = profile[:60].mean(), profile[-60:].mean()
    return float(((high - profile) / (high - low)).clip(0, 1).sum())


def test_a_zoom_keeps_its_centre(tmp_path: Path) -> None:
    picture = np.full((360, 640), 16, np.uint8)
    picture[170:190, 310:330] = 235
    keys = (CropKey(frame=0, x=0, y=0, width=640, height=360), CropKey(frame=29, x=80, y=45, width=480, height=270))
    media = still(tmp_path, picture, frames=40)
    clip = video_clip(media, 0, 30, 0, Fraction(30), crop=keys)
    for luma in lumas(run(edit([media], [clip], canvas=(640, 360)), [media], tmp_path / "o").video)[::7]:
        bright = np.argwhere(luma > 125)
        assert bright.mean(axis=0) == pytest.approx((179.5, 319.5), abs=0.6)


def test_a_grade_turns_about_mid_grey_and_stays_in_range(tmp_path: Path) -> None:
    graded = shown(still(tmp_path, quadrants(320, 180)), tmp_path, grade=Grade(contrast_percent=150, brightness=0))
    assert corners(graded) == [20, 70, 150, 240]
    assert graded.max() <= 237


def test_fades_dip_to_black_at_the_ends(counted: Media, tmp_path: Path) -> None:
    clip = video_clip(counted, 0, 30, 100, Fraction(30), fade_in=5, fade_out=5)
    assert [fade_level(clip, n) for n in (0, 1, 5, 24, 25, 29)] == [0, 0.2, 1, 1, 0.8, 0]
    pictures = lumas(run(edit([counted], [clip]), [counted], tmp_path / "o").video)
    assert pictures[0].max() < 30
    assert pictures[29].max() < 30
    assert pictures[15].max() > 200


@pytest.mark.parametrize("wide", list(WideColour))
def test_wide_colour_keeps_greys_neutral_and_rising_from_black_to_white(wide: WideColour) -> None:
    ramp = np.linspace(0, 1, 65)
    out = to_sdr(np.stack([ramp] * 3, axis=1), wide)
    assert np.abs(out - out.mean(axis=1, keepdims=True)).max() < 0.005
    assert (np.diff(out[:, 1]) >= -1e-9).all()
    assert out[0] == pytest.approx([0, 0, 0], abs=1e-6)
    assert out[-1] == pytest.approx([1, 1, 1], abs=0.01)


@pytest.mark.parametrize(("wide", "white"), [(WideColour.HLG, 0.75), (WideColour.PQ, 0.58)])
def test_reference_white_stays_bright(wide: WideColour, white: float) -> None:
    """HDR reference white (203 cd/m², ITU-R BT.2408) must come out as a bright white: neither grey nor clipped."""
    assert 0.72 < to_sdr(np.array([[white] * 3]), wide)[0, 1] < 0.95


@pytest.mark.parametrize("wide", [WideColour.HLG, WideColour.PQ])
def test_mid_grey_comes_out_as_sdr_has_it(wide: WideColour) -> None:
    """A grey card of 18 % lies at 38 % of either signal (ITU-R BT.2408); SDR cameras put it at 41 % (BT.709)."""
    assert 0.36 < to_sdr(np.array([[0.38] * 3]), wide)[0, 1] < 0.43


def test_highlights_of_pq_stay_apart_up_to_what_it_is_graded_for() -> None:
    """300, 600, 1000, 2000 and 4000 cd/m² in PQ (SMPTE ST 2084)."""
    codes = np.array([0.621, 0.696, 0.7518, 0.8274, 0.9026])
    steps = np.diff(to_sdr(np.stack([codes] * 3, axis=1), WideColour.PQ)[:, 1])
    assert (steps[:3] > 0.015).all()
    assert steps[3] > 0.002


BARS = np.array((0.1, 0.38, 0.58, 0.75))


@pytest.mark.parametrize(("wide", "transfer"), [(WideColour.PQ, 16), (WideColour.HLG, 18)])
def test_hdr_footage_is_decoded_labelled_and_toned(wide: WideColour, transfer: int, tmp_path: Path) -> None:
    media = hdr_bars(tmp_path / "hdr.mp4", transfer, "libx265", {"preset": "ultrafast", "x265-params": X265})
    assert greys_of_bars(media, tmp_path) == pytest.approx(toned_bars(wide), abs=2.5)


@pytest.mark.parametrize(
    ("codec", "name", "options"),
    [
        ("libx265", "hdr.mp4", {"preset": "ultrafast", "x265-params": f"{X265}:{UNSAID}"}),
        ("libx265", "hdr.mkv", {"preset": "ultrafast", "x265-params": f"{X265}:{UNSAID}"}),
        ("prores_ks", "hdr.mov", {}),
    ],
)
def test_hdr_that_only_the_file_and_not_its_pictures_tells_of_is_toned(
    codec: str, name: str, options: dict[str, str], tmp_path: Path
) -> None:
    media = hdr_bars(tmp_path / name, 16, codec, options)
    with av.open(str(media.path)) as container:
        assert next(container.decode(video=0)).color_trc != 16
    assert greys_of_bars(media, tmp_path) == pytest.approx(toned_bars(WideColour.PQ), abs=2.5)


def hdr_bars(path: Path, transfer: int, codec: str, options: dict[str, str]) -> Media:
    """Four grey bars of ``BARS`` in ten bits, in BT.2020."""
    bars = np.repeat(np.rint(64 + 876 * BARS), 80).astype(np.uint16)
    pixels = np.concatenate([np.tile(bars, (180, 1)), np.full((90, 320), 512, np.uint16)])
    pixel_format = "yuv422p10le" if codec == "prores_ks" else "yuv420p10le"
    frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p10le").reformat(format=pixel_format)

    def labelled(stream: av.VideoStream) -> None:
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, transfer, 9, 1

    writer = Writer(path, codec=codec, codec_options=options, pixel_format=pixel_format, configure=labelled)
    writer.write([(n * 3000, frame) for n in range(12)], (320, 180))
    return describe(path)


def greys_of_bars(media: Media, folder: Path) -> list[float]:
    luma = shown(media, folder)
    return [float(luma[:, 80 * n + 20 : 80 * n + 60].mean()) for n in range(4)]


def toned_bars(wide: WideColour) -> list[float]:
    return list(16 + 219 * to_sdr(np.stack([BARS] * 3, axis=1), wide)[:, 1])


def test_a_real_hlg_colour_chart_is_not_washed_out(tmp_path: Path) -> None:
    media = describe(shared_media("awkward/real_hlg10_bt2020_9frames.mp4"))
    clip = video_clip(media, 0, 8, 0, Fraction(30))
    path = run(edit([media], [clip], canvas=(960, 540)), [media], tmp_path / "o").video
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    red, blue, white, black = picture[305, 400], picture[305, 150], picture[430, 150], picture[430, 750]
    assert red[0] - red[2] > 110
    assert blue[2] - blue[0] > 130
    assert white.min() > 215
    assert black.max() < 70


def test_the_same_source_frame_is_composed_once(counted: Media, tmp_path: Path) -> None:
    video = counted.source.video
    assert video is not None
    composer = ClipComposer(
        video_clip(counted, 0, 10, 0, Fraction(30)), video, UPRIGHT, Canvas(width=160, height=90), tmp_path
    )
    with av.open(str(counted.path)) as container:
        frame = next(container.decode(video=0))
    assert composer.compose(frame, 0) is composer.compose(frame, 1)


def test_where_a_moving_crop_rests_it_shows_what_one_that_never_moves_does(tmp_path: Path) -> None:
    speckled = np.random.default_rng(3).integers(16, 235, (180, 320), dtype=np.uint8)
    frame = yuv_frame(speckled)
    media = still(tmp_path, speckled)
    assert media.source.video is not None

    def picture(path: tuple[CropKey, ...], number: int) -> NDArray[np.uint8]:
        clip = video_clip(media, 0, 12, 0, Fraction(30), crop=path)
        composer = ClipComposer(clip, media.source.video, UPRIGHT, Canvas(width=160, height=180), tmp_path)
        return composer.compose(frame, number).to_ndarray()

    left, right = (CropKey(frame=at, x=x, y=0, width=160, height=180) for at, x in ((3, 20), (9, 120)))
    for number, resting in ((0, left), (2, left), (9, right), (11, right)):
        assert np.array_equal(picture((left, right), number), picture((resting,), number))
    assert not np.array_equal(picture((left, right), 5), picture((left,), 5))
