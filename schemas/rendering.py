"""What a render is asked for and what it leaves on disk."""

from pathlib import Path
from struct import Struct
from typing import Annotated, Final

from annotated_types import Ge, Gt, Le

from schemas.delivery import DeliveryReport
from schemas.edl import EDL
from schemas.hardware import Hardware
from schemas.model import Model
from schemas.segments import SegmentReport
from schemas.storyboard import StoryboardGrid
from schemas.timebase import Frames


class EncoderSettings(Model):
    """H.264 through x264 and AAC-LC; ``crf`` and ``preset`` are x264's own."""

    crf: Annotated[int, Ge(0), Le(51)] = 20
    preset: str = "veryfast"
    threads: Annotated[int, Ge(0)] = 0
    audio_bitrate: Annotated[int, Gt(0)] = 192_000


#: How many usual lengths of a segment an output must have before it is worth a sound, a join and a process each.
WORTH_SPLITTING = 3


class SegmentLengths(Model):
    """How long outputs are taken apart: ``usual_s`` seconds of video in a segment, 0 to render all in one piece."""

    usual_s: Annotated[int, Ge(0)] = 40

    def count(self, duration_s: float) -> int:
        """About how many segments an output of this length has; 1 where it is not worth taking apart."""
        if not self.usual_s or duration_s <= WORTH_SPLITTING * self.usual_s:
            return 1
        return round(duration_s / self.usual_s)


class RangedFile(Model):
    """A file that lies elsewhere: whoever holds the other end of ``descriptor`` reads any part of it for us.

    A request there is ``RANGE_REQUEST``: the first byte, and how many. The answer is ``RANGE_ANSWER``, how many bytes
    follow, or -1 where they could not be read; why not is known at the other end.
    """

    descriptor: Annotated[int, Ge(0)]
    size_bytes: Annotated[int, Ge(0)]


RANGE_REQUEST: Final = Struct(">QI")
RANGE_ANSWER: Final = Struct(">i")
#: The most that one request may ask for.
RANGE_MOST_BYTES: Final = 1 << 20

#: Where a source's bytes are had.
SourceFile = Path | RangedFile


class RenderRequest(Model):
    """An edit, where each of its sources is read, and the empty folder to work and deliver in.

    ``copies_packets``: what a source already shows as it is wanted may go into the file without being encoded anew.
    """

    edl: EDL
    sources: dict[str, SourceFile]
    folder: Path
    encoder: EncoderSettings = EncoderSettings()
    hardware: Hardware = Hardware()
    copies_packets: bool = True


class RenderResult(Model):
    """The files a render left in its folder, checked."""

    video: Path
    thumbnail: Path
    storyboard: Path
    storyboard_grid: StoryboardGrid
    srt: Path
    vtt: Path
    report: DeliveryReport

    @property
    def files(self) -> tuple[Path, ...]:
        return self.video, self.thumbnail, self.storyboard, self.srt, self.vtt


class SegmentRequest(RenderRequest):
    """Timeline frames ``[first, end)`` of an edit, and the sources that show in them."""

    first: Frames
    end: Frames


class MadePart(Model):
    """The file that holds a part of an output, and what its render had to say."""

    file: Path
    report: SegmentReport

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file,)


class MadeSegment(Model):
    """The picture of timeline frames ``[first, end)``, as it was rendered."""

    file: Path
    first: Frames
    end: Frames


class JoinRequest(RenderRequest):
    """The parts of an edit in timeline order, and what their renders had to say; it needs no sources any more."""

    segments: tuple[MadeSegment, ...]
    sound: Path
    report: SegmentReport
