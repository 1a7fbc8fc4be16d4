"""An output rendered in parts: its sound, the segments of its picture, and the file joined of them.

What comes out is what :func:`render.render` makes in one piece: every picture is composed from the whole edit, so that
it does not know in which segment it is, and the sound is never cut.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import av
import av.error

from render.assembly import assemble
from render.engine import MadeVideo, caption_notes, prove_video
from render.failures import reporting_output
from render.gathering import avoid_gathers
from render.picture_track import PictureTrack, render_picture
from render.sound_file import read_sound, write_sound
from render.soundtrack import make_soundtrack
from render.steps import Steps
from schemas.delivery import StageTime
from schemas.errors import DeliveryRejected, ErrorCode
from schemas.progress import ProgressCallback
from schemas.rendering import JoinRequest, MadePart, MadeSegment, RenderRequest, RenderResult, SegmentRequest
from schemas.segments import SegmentReport

#: Shares of joining, for the progress shown: copying packets against decoding the whole file for its check.
_SHARES = {"join": 0.05, "check": 0.94}


def render_segment(request: SegmentRequest, progress: ProgressCallback) -> MadePart:
    """Render the picture of a segment into a silent MP4 that begins with a keyframe.

    Args:
        request: The edit, the frames wanted, the local files of the sources they show, and the folder to work in.
        progress: Told the share done, a few times a second.

    Raises:
        MediaRefused: A source is forbidden or holds nothing that decodes.
        TransientError: The disk is full, or the encoder or memory failed.
    """
    avoid_gathers()
    steps = Steps(progress, {"picture": 1.0})
    with reporting_output():
        file = request.folder / "segment.mp4"
        made = render_picture(request, file, steps.part("picture"), range(request.first, request.end))
    return MadePart(file=file, report=SegmentReport(notes=made.notes, stages=made.stages, path=made.devices))


def render_sound(request: RenderRequest, progress: ProgressCallback) -> MadePart:
    """Mix, master and encode the sound of a whole edit into an MP4 without a picture.

    Raises:
        MediaRefused: A source is forbidden or holds nothing that decodes.
        TransientError: The disk is full, or the encoder or memory failed.
    """
    avoid_gathers()
    steps = Steps(progress, {"sound": 1.0})
    with reporting_output():
        sound, time, notes = make_soundtrack(request, steps.part("sound"))
        file = request.folder / "sound.mp4"
        write_sound(sound, file)
        sound.path.unlink()
    return MadePart(file=file, report=SegmentReport(notes=tuple(notes), stages=(time,), corrections=sound.corrections))


def join(request: JoinRequest, progress: ProgressCallback) -> RenderResult:
    """Join the parts of an edit by copying their packets, and check the finished file as any other.

    Args:
        request: The parts, each as one of the functions above has made it.
        progress: Told the share done, a few times a second.

    Raises:
        DeliveryRejected: The parts do not belong together, or the finished file misses a hard limit.
        TransientError: The disk is full.
    """
    avoid_gathers()
    steps = Steps(progress, _SHARES)
    started = perf_counter()
    with reporting_output():
        video = request.folder / "output.mp4"
        _join(request, video)
        steps.part("join")(1.0)
        joined = StageTime(stage="assemble", seconds=perf_counter() - started)
        notes = tuple(dict.fromkeys([*request.report.notes, *caption_notes(request.edl)]))
        stages = (*_summed(request.report.stages), joined)
        made = MadeVideo(video, stages, notes, request.report.corrections, request.report.path)
        result = prove_video(request, made, steps)
    steps.say(1.0)
    return result


def _join(request: JoinRequest, video: Path) -> None:
    try:
        _require_alike(request.segments)
        sound = read_sound(request.sound, request.folder, request.encoder.audio_bitrate)
        tracks = [PictureTrack(made.file, made.first, made.end - made.first) for made in request.segments]
        assemble(tracks, request.edl.rate, sound, video)
    except (av.error.InvalidDataError, ValueError) as error:
        raise DeliveryRejected(ErrorCode.DELIVERY_CHECK_FAILED, "The parts of the video cannot be joined.") from error
    sound.path.unlink()


def _require_alike(segments: Sequence[MadeSegment]) -> None:
    """One set of parameters stands in the header for all segments.

    Raises:
        ValueError: They were encoded differently.
    """
    if len({_parameters(made) for made in segments}) != 1:
        raise ValueError("the segments were encoded differently")


def _parameters(made: MadeSegment) -> bytes:
    with av.open(f"file:{made.file}", format="mp4") as container:
        return container.streams.video[0].codec_context.extradata or b""


def _summed(stages: Sequence[StageTime]) -> Sequence[StageTime]:
    """One time for each stage, in the order in which they first come."""
    total: dict[str, float] = {}
    for stage in stages:
        total[stage.stage] = total.get(stage.stage, 0.0) + stage.seconds
    return [StageTime(stage=name, seconds=seconds) for name, seconds in total.items()]
