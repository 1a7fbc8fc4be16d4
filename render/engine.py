"""The whole render: sound, picture, check, thumbnail and captions."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, perf_counter

from av import VideoFrame

from render.captions import CaptionBurner, undrawable
from render.chain import FrameCopier
from render.delivery import check_delivery, require_passed
from render.encoder import VideoWriter
from render.failures import reporting_output
from render.layers import Layer, layered
from render.master import EncodedSound, master, quietest_levelled
from render.mix import PcmFile, mix_timeline
from render.pictures import PictureReader
from render.subtitles import to_srt, to_vtt
from render.thumbnail import write_thumbnail
from render.timeline import find_source, total_samples
from schemas.delivery import StageTime
from schemas.edl import EDL, VideoClip
from schemas.errors import CinemaError, ErrorCode
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest, RenderResult
from schemas.timeline import Stretch, visible_stretches

#: Shares of the whole that each part takes, for the progress shown.
_SOUND_DONE, _PICTURE_DONE, _CHECK_DONE = 0.08, 0.88, 0.99
_PROGRESS_STEP_S = 0.25

#: Decoders kept open at once; a 4K decoder with its threads holds hundreds of megabytes.
_MOST_READERS = 3


class _Progress:
    """Passes on progress within one part of the whole, rising, a few times a second."""

    def __init__(self, callback: ProgressCallback) -> None:
        self._callback = callback
        self._last = -1.0
        self._said_at = float("-inf")

    def part(self, begin: float, end: float) -> ProgressCallback:
        def report(done: float, /) -> None:
            self.say(begin + (end - begin) * min(1.0, max(0.0, done)))

        return report

    def say(self, done: float) -> None:
        now = monotonic()
        if done > self._last and (done >= 1 or now - self._said_at >= _PROGRESS_STEP_S):
            self._last, self._said_at = done, now
            self._callback(done)


class _Readers:
    """The picture readers in use, the least recently used closed first.

    A reader goes forward in time, so overlays read apart from the base, and the two clips of a dissolve apart from each
    other: each dissolve passes from one lane of readers to the other.
    """

    def __init__(self, edl: EDL, paths: dict[str, Path]) -> None:
        self._edl = edl
        self._paths = paths
        self._lanes = _lanes(edl)
        self._open: OrderedDict[tuple[str, int], PictureReader] = OrderedDict()
        self._damaged: dict[str, None] = {}
        self._early: dict[str, None] = {}

    def reader(self, clip: VideoClip) -> PictureReader:
        key = (clip.source, self._lanes[clip.id])
        if key not in self._open:
            while len(self._open) >= _MOST_READERS:
                self._close(next(iter(self._open)))
            source = find_source(self._edl.sources, clip.source)
            self._open[key] = PictureReader(source, self._paths[source.id])
        self._open.move_to_end(key)
        return self._open[key]

    def close(self) -> None:
        for key in tuple(self._open):
            self._close(key)

    def notes(self) -> list[str]:
        """What the creator should know; complete once closed."""
        early = [f"“{name}” ends earlier than it says; its last picture was held." for name in self._early]
        return early + [damage_note(name) for name in self._damaged]

    def _close(self, key: tuple[str, int]) -> None:
        reader = self._open.pop(key)
        name = find_source(self._edl.sources, key[0]).name
        if reader.ended_early:
            self._early[name] = None
        if reader.damaged:
            self._damaged[name] = None
        reader.close()


def _lanes(edl: EDL) -> dict[str, int]:
    """For each clip's id the lane of readers it uses: 0 or 1 on the base track, 2 for overlays."""
    lanes = {clip.id: 2 for clip in edl.overlays}
    lane = 0
    for clip in edl.video:
        lane = 1 - lane if clip.dissolve_in else lane
        lanes[clip.id] = lane
    return lanes


def damage_note(name: str) -> str:
    return f"Parts of “{name}” are damaged; the last good picture or silence stands in for them."


def render(request: RenderRequest, progress: ProgressCallback) -> RenderResult:
    """Render an edit into finished, checked files.

    Args:
        request: The edit, its sources' local files, and the folder to work in; nothing is written elsewhere.
        progress: Told the share done, a few times a second.

    Returns:
        The files in ``request.folder`` and the delivery report.

    Raises:
        MediaRefused: A source is missing, forbidden or holds nothing that decodes.
        DeliveryRejected: The finished file misses a hard limit.
        TransientError: The disk is full, or the encoder or memory failed.
    """
    _require_sources(request)
    steps = _Progress(progress)
    steps.say(0.0)
    with reporting_output():
        started = perf_counter()
        sound, notes = _make_sound(request, steps.part(0.0, _SOUND_DONE))
        sound_s = perf_counter() - started
        video = request.folder / "output.mp4"
        stages, picture_notes = _make_video(request, video, sound, steps.part(_SOUND_DONE, _PICTURE_DONE))
        sound.path.unlink()
        notes = list(dict.fromkeys([*notes, *picture_notes, *_caption_notes(request.edl)]))
        stages = (StageTime(stage="sound", seconds=sound_s), *stages)
        check_progress = steps.part(_PICTURE_DONE, _CHECK_DONE)
        report = check_delivery(video, request.edl, notes=tuple(notes), stages=stages, progress=check_progress)
        require_passed(report.checks)
        result = RenderResult(
            video=video,
            thumbnail=write_thumbnail(video, request.folder / "thumbnail.jpg"),
            srt=_written(request.folder / "captions.srt", to_srt(request.edl)),
            vtt=_written(request.folder / "captions.vtt", to_vtt(request.edl)),
            report=report,
        )
    steps.say(1.0)
    return result


def _require_sources(request: RenderRequest) -> None:
    edl = request.edl
    used = {clip.source for clip in (*edl.video, *edl.overlays)} | {clip.source for t in edl.audio for clip in t.clips}
    missing = used - request.sources.keys()
    if missing:
        names = ", ".join(f"“{find_source(edl.sources, wanted).name}”" for wanted in sorted(missing))
        raise CinemaError(ErrorCode.OBJECT_MISSING, f"The edit needs {names}, which was not handed over.")


def _make_sound(request: RenderRequest, progress: ProgressCallback) -> tuple[EncodedSound, list[str]]:
    path = request.folder / "mix.f32"
    with PcmFile(path, total_samples(request.edl)) as mix:
        damaged = mix_timeline(request.edl, request.sources, mix, lambda done: progress(done / 2))
        bitrate = request.encoder.audio_bitrate
        quietest = quietest_levelled(request.edl)
        sound, notes = master(mix, request.folder, bitrate, quietest, lambda done: progress(0.5 + done / 2))
    path.unlink()
    return sound, [*(damage_note(name) for name in damaged), *notes]


def _make_video(
    request: RenderRequest, path: Path, sound: EncodedSound, progress: ProgressCallback
) -> tuple[tuple[StageTime, ...], list[str]]:
    edl = request.edl
    readers = _Readers(edl, request.sources)
    copier = FrameCopier()
    style = edl.caption_style
    burner = CaptionBurner(edl.captions, style) if style is not None and style.burn_in else None
    compose_s = 0.0
    try:
        with VideoWriter(path, edl.canvas, edl.rate, request.encoder, sound) as writer:
            for stretch in visible_stretches(edl):
                shown = _shown(stretch, request, readers)
                for number in range(stretch.first, stretch.end):
                    started = perf_counter()
                    frame = copier.copy(next(shown), number, 1 / edl.rate)
                    if burner is not None:
                        burner.burn(frame, number)
                    compose_s += perf_counter() - started
                    writer.write(frame)
                    progress((number + 1) / edl.duration)
    finally:
        readers.close()
        for table in request.folder.glob("colour-*.cube"):
            table.unlink()
    stages = (
        StageTime(stage="decode and filter", seconds=compose_s),
        StageTime(stage="encode", seconds=writer.encode_seconds),
    )
    return stages, readers.notes()


def _shown(stretch: Stretch, request: RenderRequest, readers: _Readers) -> Iterator[VideoFrame]:
    """The pictures of a stretch of timeline, frame by frame; their pixels may be shared."""
    base = _layer(stretch.clip, request, readers)
    outgoing = None if stretch.outgoing is None else _layer(stretch.outgoing, request, readers)
    inset = None if stretch.inset is None else _layer(stretch.inset, request, readers)
    return layered(stretch, base, outgoing, inset)


def _layer(clip: VideoClip, request: RenderRequest, readers: _Readers) -> Layer:
    source = find_source(request.edl.sources, clip.source)
    return Layer.of(clip, source, request.edl, readers.reader(clip), request.folder)


def _caption_notes(edl: EDL) -> list[str]:
    burned = edl.caption_style is not None and edl.caption_style.burn_in
    missing = undrawable(edl.captions) if burned else ""
    return [f"The caption font cannot draw {' '.join(missing)}; boxes stand in for them."] if missing else []


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
