"""Synthetic sources whose every frame and sample is known, and edits of them."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import pytest
from numpy.typing import NDArray

import render
from schemas.edl import (
    EDL,
    AudioClip,
    AudioRole,
    AudioTrack,
    Canvas,
    Decision,
    Source,
    SourceAudio,
    SourceVideo,
    Variant,
    VideoClip,
)
from schemas.media import AssetKind
from schemas.progress import ignore_progress
from schemas.rendering import EncoderSettings, RenderRequest, RenderResult
from schemas.reordering import keeps_decoding_times
from schemas.timebase import frame_to_sample

BITS = 12
FAST = EncoderSettings(crf=18, preset="ultrafast", threads=1)


def numbered(number: int, width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    """A grey picture whose twelve vertical bands are the bits of ``number``, black or white."""
    picture = np.full((height, width), 16, np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            picture[:, bit * width // BITS : (bit + 1) * width // BITS] = 235
    return picture


def read_number(luma: NDArray[np.uint8]) -> int:
    """The number that a picture of ``numbered`` shows, whatever its size."""
    height, width = luma.shape
    row = luma[height // 3 : 2 * height // 3].mean(axis=0)
    return sum(
        1 << bit
        for bit in range(BITS)
        if row[int((bit + 0.25) * width / BITS) : int((bit + 0.75) * width / BITS)].mean() > 125
    )


def yuv_frame(luma: NDArray[np.uint8], pixel_format: str = "yuv420p") -> av.VideoFrame:
    """A grey picture with exactly these limited-range code values."""
    planes = np.stack([luma, np.full_like(luma, 128), np.full_like(luma, 128)])
    frame = av.VideoFrame.from_ndarray(planes, format="yuv444p").reformat(format=pixel_format)
    frame.color_range = 1
    return frame


@dataclass
class Media:
    """A file on disk and what an edit has to know of it."""

    path: Path
    source: Source


@dataclass
class Writer:
    """Writes a source file: pictures with ticks of 1/90000 s and a sound track, either of them optional."""

    path: Path
    options: dict[str, str] = field(default_factory=dict)
    codec: str = "libx264"
    codec_options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "g": "25", "bf": "2"})
    pixel_format: str = "yuv420p"
    configure: Callable[[av.VideoStream], None] | None = None

    def write(
        self,
        frames: Iterable[tuple[int, av.VideoFrame]] = (),
        size: tuple[int, int] | None = None,
        *,
        sound: NDArray[np.float32] | None = None,
        sound_codec: str = "pcm_s16le",
        sound_rate: int = 48_000,
        layout: str = "stereo",
        sound_start: int = 0,
    ) -> None:
        with av.open(str(self.path), "w", container_options=self.options) as output:
            video = None if size is None else self._video(output, size)
            audio = None if sound is None else output.add_stream(sound_codec, rate=sound_rate, layout=layout)
            if video is not None:
                for pts, frame in frames:
                    frame.pts, frame.time_base = pts, Fraction(1, 90_000)
                    output.mux(video.encode(frame))
                output.mux(video.encode(None))
            if audio is not None and sound is not None:
                for begin in range(0, sound.shape[1], 1024):
                    chunk = np.ascontiguousarray(sound[:, begin : begin + 1024])
                    frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=layout)
                    frame.sample_rate, frame.pts, frame.time_base = (
                        sound_rate,
                        begin + sound_start,
                        Fraction(1, sound_rate),
                    )
                    for resampled in self._resampled(frame, audio):
                        output.mux(audio.encode(resampled))
                output.mux(audio.encode(None))

    def _resampled(self, frame: av.AudioFrame, audio: av.AudioStream) -> list[av.AudioFrame]:
        return av.AudioResampler(audio.codec_context.format, audio.codec_context.layout, frame.sample_rate).resample(
            frame
        )

    def _video(self, output: av.container.OutputContainer, size: tuple[int, int]) -> av.VideoStream:
        stream = output.add_stream(self.codec, rate=30, options=self.codec_options)
        stream.width, stream.height = size
        stream.pix_fmt = self.pixel_format
        stream.codec_context.time_base = stream.time_base = Fraction(1, 90_000)
        if self.configure is not None:
            self.configure(stream)
        return stream


def describe(
    path: Path,
    identifier: str = "a",
    kind: AssetKind = AssetKind.A_ROLL,
    display: tuple[int, int] | None = None,
    rate: Fraction = Fraction(30),
) -> Media:
    """What an edit has to know of a file, measured by decoding all of it."""
    video = audio = None
    with av.open(str(path)) as container:
        starts: list[Fraction] = []
        ends: dict[int, Fraction] = {}
        ticks: list[int] = []
        for packet in container.demux(*container.streams.video, *container.streams.audio):
            if keeps_decoding_times(container.format.name, packet.stream.codec_context.name):
                packet.pts = packet.dts
            for frame in _decoded(packet):
                at = frame.pts * frame.time_base
                starts.append(at)
                if isinstance(frame, av.VideoFrame):
                    ticks.append(frame.pts)
                else:
                    ends[packet.stream.index] = at + Fraction(frame.samples, frame.sample_rate)
        origin = min(starts)
        if container.streams.video:
            stream = container.streams.video[0]
            step = round(1 / rate / stream.time_base)
            video = SourceVideo(
                stream_index=stream.index,
                time_base=stream.time_base,
                start_pts=min(ticks),
                end_pts=max(ticks) + step,
                frame_rate=rate,
                display_width=(display or (stream.width, 0))[0],
                display_height=(display or (0, stream.height))[1],
            )
        if ends:
            index = min(ends)
            audio = SourceAudio(stream_index=index, samples=round((ends[index] - origin) * 48_000))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source = Source(id=identifier, name=path.name, kind=kind, sha256=digest, origin=origin, video=video, audio=audio)
    return Media(path, source)


def _decoded(packet: av.Packet) -> list[av.VideoFrame | av.AudioFrame]:
    """A packet's frames; none where it is damaged, as some sources are on purpose."""
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []


def imagined(identifier: str = "a", time_base: Fraction = Fraction(1, 90_000), seconds: int = 7200) -> Media:
    """What an edit knows of a file that is not there, for arithmetic."""
    video = SourceVideo(
        stream_index=0,
        time_base=time_base,
        start_pts=0,
        end_pts=int(seconds / time_base),
        frame_rate=Fraction(30),
        display_width=1920,
        display_height=1080,
    )
    audio = SourceAudio(stream_index=1, samples=seconds * 48_000)
    kind = AssetKind.A_ROLL
    source = Source(
        id=identifier, name=identifier, kind=kind, sha256="0" * 64, origin=Fraction(0), video=video, audio=audio
    )
    return Media(Path("nowhere"), source)


def video_clip(media: Media, start: int, duration: int, first_frame: int, rate: Fraction, **more: object) -> VideoClip:
    """A clip that begins at the source's time ``first_frame / rate``."""
    video = media.source.video
    assert video is not None
    begin = video.start_pts + round(first_frame / rate / video.time_base)
    end = min(video.end_pts, begin + round(duration / rate / video.time_base))
    fields = {
        "id": f"v{start}{media.source.id}",
        "source": media.source.id,
        "start": start,
        "duration": duration,
        "source_in": begin,
        "source_out": end,
        "reason": "d1",
    }
    return VideoClip.model_validate(fields | more)


def audio_clip(media: Media, start: int, duration: int, first_frame: int, rate: Fraction, **more: object) -> AudioClip:
    fields = {
        "id": f"a{start}{media.source.id}",
        "source": media.source.id,
        "start": start,
        "duration": duration,
        "source_in": frame_to_sample(first_frame, rate, 48_000),
        "reason": "d1",
    }
    return AudioClip.model_validate(fields | more)


def edit(
    media: Sequence[Media],
    video: Sequence[VideoClip],
    audio: Sequence[AudioClip] = (),
    canvas: tuple[int, int] = (320, 180),
    rate: Fraction = Fraction(30),
    **more: object,
) -> EDL:
    tracks = (AudioTrack(role=AudioRole.DIALOGUE, clips=tuple(audio)),) if audio else ()
    fields = {
        "director_version": "test",
        "variant": Variant.CINEMATIC_FULL,
        "title": "Test",
        "rate": rate,
        "canvas": Canvas(width=canvas[0], height=canvas[1]),
        "duration": video[-1].end,
        "sources": tuple(m.source for m in media),
        "video": tuple(video),
        "audio": tracks,
        "decisions": (Decision(id="d1", kind="test", sentence="A test."),),
    }
    return EDL.model_validate(fields | more)


def run(edl: EDL, media: Sequence[Media], folder: Path, encoder: EncoderSettings = FAST) -> RenderResult:
    folder.mkdir(exist_ok=True)
    paths = {m.source.id: m.path for m in media}
    return render.render(RenderRequest(edl=edl, sources=paths, folder=folder, encoder=encoder), ignore_progress)


def lumas(path: Path) -> list[NDArray[np.uint8]]:
    """The luma of every frame of a file."""
    with av.open(str(path)) as container:
        return [
            frame.to_ndarray(format="gray") if frame.format.name == "gray" else _luma(frame)
            for frame in container.decode(video=0)
        ]


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : frame.width].copy()


def samples(path: Path) -> NDArray[np.float32]:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def shared_media(name: str) -> Path:
    """A file of the shared test media, or the test is skipped."""
    root = Path(os.environ.get("CINEMA_TEST_MEDIA", Path(__file__).parents[3] / "shared" / "media"))
    path = root / name
    if not path.exists():
        pytest.skip(f"shared test media not here: {name} (set CINEMA_TEST_MEDIA)")
    return path
