"""A graphics processor is tried before it is used, and given up without losing the render.

There is none here: what encodes and decodes in its name is the CPU, made to fail as a device would, and to give back
pictures as a device does (as an H100 with FFmpeg 8.1 did: NV12 and P010, and YUV where it left a stream to the CPU).
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import pytest

import render.encoder
import render.pictures
from activities.hardware import TryHardware, found_hardware, on_accelerator_or_cpu
from activities.sandbox import ChildTask, SandboxLimits
from cinema.gpu import has_gpu
from render import GAVE_OUT
from render.hardware import probe_hardware
from render.reading import Damage
from schemas.edl import EDL
from schemas.errors import CinemaError, ErrorCode, MediaRefused, TransientError
from schemas.hardware import NO_HARDWARE, Hardware, RenderPath
from schemas.progress import ignore_progress
from schemas.rendering import RenderRequest, RenderResult
from tests.conftest import REPOSITORY
from tests.render.render_media import FAST, Media, audio_clip, edit, lumas, read_number, run, video_clip

pytestmark = pytest.mark.media

RATE = Fraction(30)
FRAMES = 60
BOTH = Hardware(encoders=("h264_nvenc",), decoders=("h264",))


class Device:
    """An encoder's stream that takes so many pictures."""

    def __init__(self, stream: av.VideoStream, takes: int) -> None:
        self._stream = stream
        self._left = takes

    def encode(self, frame: av.VideoFrame | None) -> list[Any]:
        self._left -= 1
        if self._left < 0:
            raise av.error.ExternalError(-542398533, "Generic error in an external library", None)
        return self._stream.encode(frame)


def a_device(
    monkeypatch: pytest.MonkeyPatch,
    *,
    encodes: int = 10_000,
    decodes: int = 10_000,
    opens: bool = True,
    left_to_cpu: bool = False,
) -> None:
    """Let the CPU stand in for a device that gives out after so many pictures, or has no room for any file."""
    real_stream, real_decoded = render.encoder._video_stream, render.pictures.decoded

    def stream(output: Any, canvas: Any, rate: Any, settings: Any, encoder: str, **more: Any) -> Any:
        made = real_stream(output, canvas, rate, settings, "libx264", **more)
        return Device(made, encodes) if encoder == "h264_nvenc" else made

    def decoded(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
        on_device = in_use.get(id(container), False)
        for number, frame in enumerate(real_decoded(container, stream, damage)):
            damage.count += number >= decodes and on_device
            yield as_from_a_device(frame) if on_device and not left_to_cpu else frame

    in_use: dict[int, bool] = {}
    real_open = render.pictures.open_source

    def open_source(file: Any, name: str, hardware: Hardware) -> Any:
        if hardware.decoders and not opens:
            raise MediaRefused(ErrorCode.MEDIA_UNREADABLE, f"“{name}” could not be read as media.")
        container = real_open(file, name)
        in_use[id(container)] = bool(hardware.decoders)
        return container

    monkeypatch.setattr(render.encoder, "_video_stream", stream)
    monkeypatch.setattr(render.pictures, "decoded", decoded)
    monkeypatch.setattr(render.pictures, "open_source", open_source)
    monkeypatch.setattr(render.pictures, "is_accelerated", lambda stream: in_use[id(stream.container)])


def as_from_a_device(frame: av.VideoFrame) -> av.VideoFrame:
    returned = frame.reformat(format="nv12")
    returned.pts, returned.time_base = frame.pts, frame.time_base
    return returned


def an_edit(counted: Media) -> EDL:
    return edit([counted], [video_clip(counted, 0, FRAMES, 30, RATE)], [audio_clip(counted, 0, FRAMES, 30, RATE)])


def rendered(counted: Media, folder: Path, hardware: Hardware = BOTH) -> RenderResult:
    folder.mkdir()
    request = RenderRequest(
        edl=an_edit(counted), sources={"a": counted.path}, folder=folder, encoder=FAST, hardware=hardware
    )
    return render.render(request, ignore_progress)


@pytest.mark.skipif(has_gpu(), reason="there is a graphics processor")
def test_trying_finds_nothing_where_there_is_nothing() -> None:
    assert probe_hardware() == NO_HARDWARE


@pytest.mark.skipif(has_gpu(), reason="there is a graphics processor")
async def test_trying_happens_in_a_child() -> None:
    assert await found_hardware(SandboxLimits(address_space_bytes=None)) == NO_HARDWARE


async def test_a_driver_that_crashes_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    crashing = ChildTask("tests.activities.deaf_child", TryHardware)
    assert await found_hardware(SandboxLimits(), crashing) == NO_HARDWARE


def test_the_report_says_what_decoded_and_encoded(
    counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rendered(counted, tmp_path / "cpu", NO_HARDWARE).report.path == RenderPath(
        decoders=("cpu",), encoders=("libx264",)
    )
    a_device(monkeypatch)
    both = rendered(counted, tmp_path / "both").report
    assert both.path == RenderPath(decoders=("cuda",), encoders=("h264_nvenc",))
    assert GAVE_OUT not in both.notes
    without_encoder = rendered(counted, tmp_path / "decoder", BOTH.model_copy(update={"encoders": ()})).report
    assert without_encoder.path == RenderPath(decoders=("cuda",), encoders=("libx264",))


def test_pictures_from_a_device_are_those_of_the_cpu(
    counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_device(monkeypatch)
    result = rendered(counted, tmp_path / "out")
    assert [read_number(luma) for luma in lumas(result.video)] == list(range(30, 30 + FRAMES))


def test_a_stream_that_the_device_leaves_to_the_cpu_is_told_as_the_cpus(
    counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_device(monkeypatch, left_to_cpu=True)
    assert rendered(counted, tmp_path / "out").report.path.decoders == ("cpu",)


def test_what_neither_can_open_is_refused(counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Media(tmp_path / "broken.mkv", counted.source)
    counted.path.write_bytes(b"no media")
    a_device(monkeypatch, opens=False)
    with pytest.raises(MediaRefused):
        rendered(counted, tmp_path / "out")


@pytest.mark.parametrize(
    "gives_out",
    [{"encodes": 0}, {"encodes": 25}, {"decodes": 0}, {"decodes": 50}, {"encodes": FRAMES}, {"opens": False}],
)
def test_a_device_that_gives_out_leaves_the_render_to_the_cpu(
    counted: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gives_out: dict[str, Any]
) -> None:
    a_device(monkeypatch, **gives_out)
    result = rendered(counted, tmp_path / "out")
    assert result.report.passed
    assert GAVE_OUT in result.report.notes
    assert result.report.path == RenderPath(decoders=("cpu",), encoders=("libx264",))
    assert [read_number(luma) for luma in lumas(result.video)] == list(range(30, 30 + FRAMES))


async def test_a_child_that_is_lost_over_the_device_is_followed_by_one_without(counted: Media, tmp_path: Path) -> None:
    tried: list[Hardware] = []

    async def render_on(hardware: Hardware, folder: Path) -> RenderResult:
        tried.append(hardware)
        if not hardware.is_none:
            raise TransientError(ErrorCode.PROCESS_CRASHED, "SIGSEGV")
        return run(an_edit(counted), [counted], folder)

    result = await on_accelerator_or_cpu(render_on, BOTH, tmp_path)
    assert tried == [BOTH, NO_HARDWARE]
    assert result.report.notes[0] == GAVE_OUT


async def test_what_is_wrong_with_the_footage_is_not_blamed_on_the_device(tmp_path: Path) -> None:
    tried: list[Hardware] = []

    async def render_on(hardware: Hardware, _: Path) -> RenderResult:
        tried.append(hardware)
        raise CinemaError(ErrorCode.MEDIA_DAMAGED, "No picture could be decoded.")

    with pytest.raises(CinemaError):
        await on_accelerator_or_cpu(render_on, BOTH, tmp_path)
    assert tried == [BOTH]
