"""What a media file is, as read from the file itself and never from its name or type."""

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Literal

from annotated_types import Ge, Gt
from pydantic import AwareDatetime

from schemas.model import Model
from schemas.timebase import Microseconds, Pts, Rate, TimeBase

Pixels = Annotated[int, Gt(0)]


class AssetKind(StrEnum):
    A_ROLL = "a_roll"
    B_ROLL = "b_roll"
    SCREEN = "screen"
    AUDIO = "audio"


class Colour(Model):
    """Colour description by its ITU-T H.273 names as FFmpeg spells them; ``unknown`` where the file says nothing."""

    primaries: str = "unknown"
    transfer: str = "unknown"
    matrix: str = "unknown"
    full_range: bool = False

    @property
    def hdr(self) -> Literal["pq", "hlg"] | None:
        """The HDR transfer of BT.2100, if any."""
        match self.transfer:
            case "smpte2084":
                return "pq"
            case "arib-std-b67":
                return "hlg"
            case _:
                return None


class VideoStream(Model):
    """One picture stream.

    ``coded_*`` are the stored pixels; ``display_*`` are what a viewer sees after pixel aspect, rotation and mirroring,
    and every crop in an EDL is in display pixels. ``rotation`` is clockwise degrees to turn the stored picture upright;
    ``mirrored`` flips it left to right after that turn. ``frame_rate`` is the member of the delivery family that
    shows the stream's frames most evenly; ``measured_rate`` is frames over duration, exact.
    """

    index: Annotated[int, Ge(0)]
    codec: str
    coded_width: Pixels
    coded_height: Pixels
    display_width: Pixels
    display_height: Pixels
    sample_aspect: Rate = Fraction(1)
    rotation: Literal[0, 90, 180, 270] = 0
    mirrored: bool = False
    time_base: TimeBase
    start_pts: Pts
    end_pts: Pts
    frame_rate: Rate
    measured_rate: Rate
    variable_frame_rate: bool
    frame_count: Annotated[int, Gt(0)]
    pixel_format: str
    bit_depth: Annotated[int, Gt(0)] = 8
    interlaced: bool = False
    alpha: bool = False
    colour: Colour = Colour()


class AudioStream(Model):
    """One sound stream. ``start_us`` and ``end_us`` are on the media clock."""

    index: Annotated[int, Ge(0)]
    codec: str
    sample_rate: Annotated[int, Gt(0)]
    channels: Annotated[int, Gt(0)]
    layout: str
    start_us: Microseconds
    end_us: Microseconds


class MediaProbe(Model):
    """A usable media file, measured by reading its packets (a header's word for duration is not believed).

    ``origin`` is the media clock's zero in seconds of the file's own timestamps. ``audio`` holds every decodable sound
    stream; ``dialogue_stream`` is the index into ``audio`` of the one to use. ``recorded_at`` is when the file says it
    was recorded, which a camera with a wrong clock or a program that copied it may have written. ``notes`` says, in
    sentences for the creator, what is unusual about the file and what is done about it.
    """

    container: str
    size_bytes: Annotated[int, Gt(0)]
    origin: Fraction
    duration_us: Annotated[int, Gt(0)]
    video: VideoStream | None
    audio: tuple[AudioStream, ...] = ()
    dialogue_stream: Annotated[int, Ge(0)] | None = None
    recorded_at: AwareDatetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def dialogue(self) -> AudioStream | None:
        return None if self.dialogue_stream is None else self.audio[self.dialogue_stream]
