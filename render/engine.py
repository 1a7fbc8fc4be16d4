"""The whole render: sound and picture side by side, then the file, its check, thumbnail, storyboard and captions."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from av import VideoFrame

from render.assembly import assemble
from render.correction import correct_index
from render.delivery import check_delivery, require_passed
from render.failures import reporting_output
from render.gathering import avoid_gathers
from render.master import EncodedSound
from render.picture_track import PictureTrack
from render.shaping import undrawable
from render.soundtrack import make_soundtrack
from render.splicing import make_picture
from render.steps import Steps, Stopped
from render.storyboard import StoryboardMaker
from render.subtitles import to_srt, to_vtt
from render.thumbnail import Thumbnail
from render.timeline import find_source
from schemas.delivery import Correction, PictureOrigin, StageTime
from schemas.edl import EDL
from schemas.errors import CinemaError, DeliveryRejected, ErrorCode
from schemas.hardware import NO_DEVICES, RenderPath
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest, RenderResult

#: Shares of the whole that each part takes, for the progress shown; the rest is the thumbnail and captions.
SHARES = {"sound": 0.08, "picture": 0.8, "check": 0.11}

_Picture = tuple[PictureTrack, PictureOrigin]
_Soundtrack = tuple[EncodedSound, StageTime, list[str]]


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
    steps = Steps(progress, SHARES)
    steps.say(0.0)
    with reporting_output():
        result = _made_and_proven(request, steps)
    steps.say(1.0)
    return result


def _made_and_proven(request: RenderRequest, steps: Steps) -> RenderResult:
    """The finished files; should packets that were copied not pass the check, all of it is encoded, once."""
    made = make_video(request, steps)
    try:
        return prove_video(request, made, steps)
    except DeliveryRejected as rejected:
        if made.picture is None or not made.picture.copied_frames:
            raise
        before = rejected.message
    encoding = request.model_copy(update={"copies_packets": False})
    made = make_video(encoding, steps)
    correction = Correction(name="copied pictures", before=before, after="All pictures were encoded anew.")
    return prove_video(encoding, replace(made, corrections=(*made.corrections, correction)), steps)


@dataclass(frozen=True)
class MadeVideo:
    """A finished file that nobody has looked at yet, what making it took, and notes for the creator."""

    path: Path
    stages: tuple[StageTime, ...]
    notes: tuple[str, ...]
    corrections: tuple[Correction, ...] = ()
    devices: RenderPath = NO_DEVICES
    picture: PictureOrigin | None = None


def make_video(request: RenderRequest, steps: Steps) -> MadeVideo:
    """Make the file to deliver: the picture, the sound beside it, and both in one MP4."""
    avoid_gathers()
    (picture, origin), (sound, sound_time, sound_notes) = _made_side_by_side(request, steps)
    video = request.folder / "output.mp4"
    assembly_time = _assembled(picture, sound, request.edl, video)
    return MadeVideo(
        path=video,
        stages=(sound_time, *picture.stages, assembly_time),
        notes=tuple(dict.fromkeys([*sound_notes, *picture.notes, *caption_notes(request.edl)])),
        corrections=sound.corrections,
        devices=picture.devices,
        picture=origin,
    )


def prove_video(request: RenderRequest, made: MadeVideo, steps: Steps) -> RenderResult:
    """Check the file as it lies on the disk, and write what goes beside it.

    Raises:
        DeliveryRejected: It misses a hard limit.
    """
    edl, folder = request.edl, request.folder
    corrections = (*made.corrections, *correct_index(made.path))
    thumbnail, storyboard = Thumbnail(edl.duration), StoryboardMaker(edl.duration, edl.rate)

    def watch(frame: VideoFrame, number: int) -> None:
        thumbnail.offer(frame, number)
        storyboard.offer(frame, number)

    report = check_delivery(
        made.path,
        edl,
        notes=made.notes,
        corrections=corrections,
        devices=made.devices,
        picture=made.picture,
        stages=made.stages,
        progress=steps.part("check"),
        watch=watch,
    )
    require_passed(report.checks)
    return RenderResult(
        video=made.path,
        thumbnail=thumbnail.write(folder / "thumbnail.jpg"),
        storyboard=folder / "storyboard.jpg",
        storyboard_grid=storyboard.write(folder / "storyboard.jpg"),
        srt=_written(folder / "captions.srt", to_srt(edl)),
        vtt=_written(folder / "captions.vtt", to_vtt(edl)),
        report=report,
    )


def _require_sources(request: RenderRequest) -> None:
    edl = request.edl
    used = {clip.source for clip in (*edl.video, *edl.overlays)} | {clip.source for t in edl.audio for clip in t.clips}
    missing = used - request.sources.keys()
    if missing:
        names = ", ".join(f"“{find_source(edl.sources, wanted).name}”" for wanted in sorted(missing))
        raise CinemaError(ErrorCode.OBJECT_MISSING, f"The edit needs {names}, which was not handed over.")


def _made_side_by_side(request: RenderRequest, steps: Steps) -> tuple[_Picture, _Soundtrack]:
    """Picture and sound, the sound on a thread beside; where one fails, the other ends soon after."""

    def stop_picture(sound: Future[_Soundtrack]) -> None:
        if sound.exception() is not None:
            steps.stop()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="sound") as beside:
        sound = beside.submit(make_soundtrack, request, steps.part("sound"))
        sound.add_done_callback(stop_picture)
        try:
            picture = make_picture(request, request.folder / "picture.mp4", steps.part("picture"))
        except Stopped:
            sound.result()  # raises what made the picture stop
            raise
        except BaseException:
            steps.stop()
            raise
        return picture, sound.result()


def _assembled(picture: PictureTrack, sound: EncodedSound, edl: EDL, video: Path) -> StageTime:
    started = perf_counter()
    assemble([picture], edl.rate, sound, video)
    picture.path.unlink()
    sound.path.unlink()
    return StageTime(stage="assemble", seconds=perf_counter() - started)


def caption_notes(edl: EDL) -> list[str]:
    burned = edl.caption_style is not None and edl.caption_style.burn_in
    missing = undrawable([line for caption in edl.captions for line in caption.lines]) if burned else ""
    return [f"The caption fonts cannot draw {' '.join(missing)}; boxes stand in for them."] if missing else []


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
