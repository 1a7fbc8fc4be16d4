"""What a media file is, measured by reading all of its packets and decoding the first frames of each stream."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from analysis.channels import AUDIBLE_DBFS, loudest_level, sample_sound
from analysis.colour import colour_of, declared_colour
from analysis.demuxing import AnyPacket, Damage, decode_packet, open_media, read_packets
from analysis.listening import convertible
from analysis.orientation import Orientation, orientation_of
from analysis.recording_time import recording_time
from analysis.timing import FrameTiming, measure_timing
from schemas.errors import ErrorCode, MediaRefused
from schemas.media import AudioStream, Colour, MediaProbe, VideoStream
from schemas.media_limits import MAX_DURATION_S, MAX_PACKETS, MAX_PIXELS, SAMPLE_RATES, is_sound
from schemas.model import Model
from schemas.progress import ProgressCallback, ignore_progress
from schemas.timebase import MICROSECOND, pts_to_us, round_half_up

#: Streams looked at, in file order; a file with more is hostile or a broadcast archive, and says nothing more.
MAX_VIDEO_STREAMS = 4
MAX_AUDIO_STREAMS = 32
#: Packets tried before a stream counts as undecodable.
TRIED_PACKETS = 300
#: Frames looked at for interlacing; the flag is often missing on the first.
EXAMINED_FRAMES = 3
#: Pixel shapes this near to square are rounding, and beyond this from it are damage.
SQUARE_TOLERANCE = 0.005
MAX_SAMPLE_ASPECT = 10
#: Sound in which gaps take longer than this in all, and whose packets cover less than one part in so many of its span,
#: is damaged: callers may be silent for long, but then recordings say so with packets.
LONGEST_GAPS_S = 120
SPARSEST = 20
#: A header's duration this much longer than the content is worth telling the creator.
SHORT_OF_PROMISE = 0.05
#: As long as this the last picture may be held without a word to the creator.
TOLD_STILL_S = 1

_SKIP_SAMPLES_BYTES = 10


class ProbeParameters(Model):
    """Nothing to choose."""


@dataclass
class _Track:
    """What reading the file has shown of one stream so far."""

    stream: av.VideoStream | av.AudioStream
    declared: Colour = field(default_factory=Colour)
    times: list[int] = field(default_factory=list)
    end: int = 0
    last_duration: int = 0
    last_time: int | None = None
    covered: Fraction = Fraction(0)
    frames: list[av.VideoFrame | av.AudioFrame] = field(default_factory=list)
    damage: Damage = field(default_factory=Damage)

    @property
    def decodes(self) -> bool:
        return bool(self.frames)

    @property
    def wants_frames(self) -> bool:
        enough = EXAMINED_FRAMES if isinstance(self.stream, av.VideoStream) else 1
        return len(self.frames) < enough and self.damage.packets < TRIED_PACKETS

    def read(self, packet: AnyPacket) -> None:
        if self.wants_frames:
            self.frames += [frame for frame in decode_packet(self.stream, packet, self.damage) if _counts(frame)]
        time = packet.dts if packet.pts is None else packet.pts
        if packet.size == 0 or packet.is_discard or time is None:
            return
        if isinstance(self.stream, av.VideoStream):
            self.times.append(time)
        _check_length(packet, time)
        duration = max(0, (packet.duration or 0) - _trimmed_ticks(packet, self.stream))
        self._cover(time)
        if time + duration >= self.end or not self.last_duration:
            self.end, self.last_duration = time + duration, duration

    def _cover(self, time: int) -> None:
        """Add the time since the packet before, as far as one packet can hold it."""
        if self.last_time is not None and self.stream.time_base:
            self.covered += min(Fraction(1), max(Fraction(0), (time - self.last_time) * self.stream.time_base))
        self.last_time = time


def _counts(frame: av.VideoFrame | av.AudioFrame) -> bool:
    """Whether it has a time, and is something that can be shown or heard."""
    return frame.pts is not None and (isinstance(frame, av.VideoFrame) or convertible(frame))


def _check_length(packet: AnyPacket, time: int) -> None:
    """Refuse what goes on for ever before all of it is read."""
    start = packet.stream.start_time
    if start is not None and (time - start) * packet.time_base > MAX_DURATION_S:
        raise _too_long()


def _too_long() -> MediaRefused:
    return MediaRefused(ErrorCode.MEDIA_TOO_LARGE, "The file is longer than 24 hours.")


def _trimmed_ticks(packet: AnyPacket, stream: av.VideoStream | av.AudioStream) -> int:
    """Padding that the encoder added behind the last sample, in ticks of the stream."""
    if isinstance(stream, av.VideoStream) or not packet.has_sidedata("skip_samples"):
        return 0
    data = bytes(packet.get_sidedata("skip_samples"))
    if len(data) < _SKIP_SAMPLES_BYTES or not stream.time_base or not stream.codec_context.sample_rate:
        return 0
    samples = int.from_bytes(data[4:8], "little")
    return round_half_up(Fraction(samples, stream.codec_context.sample_rate) / stream.time_base)


def probe(path: Path, progress: ProgressCallback = ignore_progress) -> MediaProbe:
    """Measure a local file.

    Raises:
        MediaRefused: with the reason in a sentence, for whatever cannot be used.
    """
    size = path.stat().st_size if path.exists() else 0
    with open_media(path) as container:
        notes: list[str] = []
        tracks = _select(container, notes)
        _read_through(container, tracks, size, progress)
        video = next((track for track in tracks if _is_video(track) and track.decodes and track.times), None)
        audio = [track for track in tracks if not _is_video(track) and _can_be_heard(track)]
        notes += _dropped(tracks, [video, *audio])
        if video is None and not audio:
            raise _unusable(tracks)
        return _describe(container, video, audio, notes, size)


def _is_video(track: _Track) -> bool:
    return isinstance(track.stream, av.VideoStream)


def _can_be_heard(track: _Track) -> bool:
    return track.decodes and track.end > _start(track) and not _is_scattered(track)


def _is_scattered(track: _Track) -> bool:
    """Whether time stamps spread a little sound over hours, all of which would have to be listened to."""
    span = _seconds(track, track.end - _start(track))
    return span > LONGEST_GAPS_S and track.covered * SPARSEST < span


def _select(container: InputContainer, notes: list[str]) -> list[_Track]:
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    sounds = list(container.streams.audio)
    if not pictures and not sounds:
        raise MediaRefused(ErrorCode.MEDIA_NO_STREAMS, "The file holds neither picture nor sound.")
    tracks = []
    chosen: list[av.VideoStream | av.AudioStream] = [*pictures[:MAX_VIDEO_STREAMS], *sounds[:MAX_AUDIO_STREAMS]]
    for stream in chosen:
        if not _has_decoder(stream) or not stream.time_base:
            kind = "picture" if isinstance(stream, av.VideoStream) else "sound"
            notes.append(f"Stream {stream.index} ({kind}) is in a format that cannot be decoded here; it is left out.")
            continue
        if isinstance(stream, av.VideoStream):
            _check_size(stream.codec_context.width, stream.codec_context.height)
        elif not _may_be_sound(stream):
            notes.append(
                f"Stream {stream.index} (sound) claims a rate or channels that no recording has; it is left out."
            )
            continue
        stream.codec_context.thread_count = 1
        declared = declared_colour(stream) if isinstance(stream, av.VideoStream) else Colour()
        tracks.append(_Track(stream, declared))
    if not tracks:
        raise MediaRefused(ErrorCode.MEDIA_UNREADABLE, f"Nothing in the file can be used. {' '.join(notes[:3])}")
    return tracks


def _may_be_sound(stream: av.AudioStream) -> bool:
    """Whether its header claims nothing impossible; what it claims nothing of is measured when decoded."""
    context = stream.codec_context
    return is_sound(context.sample_rate or SAMPLE_RATES[0], context.channels or 1)


def _has_decoder(stream: av.stream.Stream) -> bool:
    context: object = stream.codec_context  # None without a decoder, whatever its declared type says
    return context is not None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MediaRefused(
            ErrorCode.MEDIA_TOO_LARGE, f"The picture is {width} by {height} pixels, larger than can be processed."
        )


def _read_through(container: InputContainer, tracks: Sequence[_Track], size: int, progress: ProgressCallback) -> None:
    by_index = {track.stream.index: track for track in tracks}
    told = 0.0
    for number, packet in enumerate(read_packets(container, *(track.stream for track in tracks))):
        if number >= MAX_PACKETS:
            raise MediaRefused(ErrorCode.MEDIA_TOO_LARGE, "The file is cut into more pieces than any real recording.")
        # The empty packets at the end carry their stream, but not its index.
        by_index[packet.stream.index].read(packet)
        done = min(1.0, (packet.pos or 0) / size) if size else 0.0
        if done >= told + 0.01:
            progress(told := done)
    progress(1.0)


def _dropped(tracks: Sequence[_Track], kept: Sequence[_Track | None]) -> list[str]:
    notes = []
    for track in tracks:
        if track in kept:
            continue
        if _is_video(track):
            what = (
                "A further picture stream is"
                if track.decodes and track.times
                else "The picture cannot be decoded and is"
            )
        else:
            trouble = "has damaged time stamps" if track.decodes and _is_scattered(track) else "cannot be decoded"
            what = f"Sound stream {track.stream.index} {trouble} and is"
        notes.append(f"{what} left out.")
    return notes


def _unusable(tracks: Sequence[_Track]) -> MediaRefused:
    if any(isinstance(track.stream, av.VideoStream) and track.stream.width == 0 for track in tracks):
        return MediaRefused(
            ErrorCode.MEDIA_DAMAGED, "The picture cannot be decoded: it is damaged, or larger than can be processed."
        )
    if any(track.damage.packets for track in tracks):
        return MediaRefused(ErrorCode.MEDIA_DAMAGED, "Nothing in the file can be decoded: its contents are damaged.")
    return MediaRefused(ErrorCode.MEDIA_EMPTY, "The file has a header but no picture or sound behind it.")


def _start(track: _Track) -> int:
    """The first tick at which something is really seen or heard."""
    times = [frame.pts for frame in track.frames if frame.pts is not None]
    return min(times)


def _describe(
    container: InputContainer, video: _Track | None, audio: Sequence[_Track], notes: list[str], size: int
) -> MediaProbe:
    starts = [_seconds(track, _start(track)) for track in audio]
    ends = [_seconds(track, track.end) for track in audio]
    timing = None if video is None else _timing(video, max(ends, default=None))
    if video is not None and timing is not None:
        starts.append(_seconds(video, timing.start_pts))
        ends.append(_seconds(video, timing.end_pts))
    origin, length = min(starts), max(ends) - min(starts)
    if length > MAX_DURATION_S:
        raise _too_long()
    sounds = tuple(_audio_stream(track, origin) for track in audio)
    picture = None if video is None or timing is None else _video_stream(video, timing, notes)
    dialogue = _choose_dialogue(container, audio, sounds, origin, notes)
    notes += _notes(container, picture, sounds, length)
    return MediaProbe(
        container=container.format.name,
        size_bytes=size,
        origin=origin,
        duration_us=max(1, round_half_up(length / MICROSECOND)),
        video=picture,
        audio=sounds,
        dialogue_stream=dialogue,
        recorded_at=recording_time(container.metadata),
        notes=tuple(notes),
    )


def _seconds(track: _Track, ticks: int) -> Fraction:
    assert track.stream.time_base is not None
    return ticks * track.stream.time_base


def _timing(track: _Track, heard_until: Fraction | None) -> FrameTiming:
    stream = track.stream
    assert isinstance(stream, av.VideoStream)
    assert stream.time_base is not None
    times = np.array(track.times, np.int64)
    shown = times[times >= _start(track)]
    last_heard = None if heard_until is None else floor(heard_until / stream.time_base)
    return measure_timing(shown, track.last_duration, stream.time_base, stream.guessed_rate or None, last_heard)


def _audio_stream(track: _Track, origin: Fraction) -> AudioStream:
    stream = track.stream
    assert isinstance(stream, av.AudioStream)
    assert stream.time_base is not None
    frame = track.frames[0]
    assert isinstance(frame, av.AudioFrame)
    return AudioStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        sample_rate=frame.sample_rate,
        channels=frame.layout.nb_channels,
        layout=_layout_name(frame.layout),
        start_us=pts_to_us(_start(track), stream.time_base, origin),
        end_us=pts_to_us(track.end, stream.time_base, origin),
    )


def _layout_name(layout: av.AudioLayout) -> str:
    """Plain WAV and AVI files count their channels without naming them."""
    if not layout.name.endswith("channels"):
        return layout.name
    return {1: "mono", 2: "stereo"}.get(layout.nb_channels, layout.name)


def _video_stream(track: _Track, timing: FrameTiming, notes: list[str]) -> VideoStream:
    stream = track.stream
    assert isinstance(stream, av.VideoStream)
    assert stream.time_base is not None
    frames = [frame for frame in track.frames if isinstance(frame, av.VideoFrame)]
    frame = frames[0]
    _check_size(frame.width, frame.height)
    aspect = _sample_aspect(stream, notes)
    if (held_s := _seconds(track, timing.held)) > TOLD_STILL_S:
        notes.append(f"The last picture stands still for {float(held_s):.1f} s.")
    orientation = orientation_of(frame)
    width, height = _display_size(frame, aspect, orientation)
    components = frame.format.components
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        coded_width=frame.width,
        coded_height=frame.height,
        display_width=width,
        display_height=height,
        sample_aspect=aspect,
        rotation=orientation.rotation,
        mirrored=orientation.mirrored,
        time_base=stream.time_base,
        start_pts=timing.start_pts,
        end_pts=timing.end_pts,
        frame_rate=timing.frame_rate,
        measured_rate=timing.measured_rate,
        variable_frame_rate=timing.variable,
        frame_count=timing.frames,
        pixel_format=frame.format.name,
        bit_depth=max((component.bits for component in components), default=8),
        interlaced=any(one.interlaced_frame for one in frames),
        alpha=any(component.is_alpha for component in components) or stream.metadata.get("alpha_mode") == "1",
        colour=colour_of(frame, track.declared),
    )


def _sample_aspect(stream: av.VideoStream, notes: list[str]) -> Fraction:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if aspect <= 0 or abs(aspect - 1) <= SQUARE_TOLERANCE:
        return Fraction(1)
    if not 1 / MAX_SAMPLE_ASPECT <= aspect <= MAX_SAMPLE_ASPECT:
        notes.append("The file names an impossible pixel shape; its pixels are taken as square.")
        return Fraction(1)
    return aspect


def _display_size(frame: av.VideoFrame, aspect: Fraction, orientation: Orientation) -> tuple[int, int]:
    width, height = max(1, round_half_up(frame.width * aspect)), frame.height
    return (height, width) if orientation.swaps_sides else (width, height)


def _choose_dialogue(
    container: InputContainer,
    tracks: Sequence[_Track],
    sounds: Sequence[AudioStream],
    origin: Fraction,
    notes: list[str],
) -> int | None:
    """The first stream that is not silence; the first of all, and a note, where all are silent."""
    for position, (track, sound) in enumerate(zip(tracks, sounds, strict=True)):
        assert isinstance(track.stream, av.AudioStream)
        heard = sample_sound(container, track.stream, origin=origin, duration_us=sound.end_us)
        if loudest_level(heard) > AUDIBLE_DBFS:
            if position > 0:
                notes.append(f"The first sound stream is silent; stream {sound.index} is used instead.")
            return position
    if not sounds:
        return None
    notes.append("The sound is silent throughout.")
    return 0


def _notes(
    container: InputContainer, video: VideoStream | None, audio: Sequence[AudioStream], length: Fraction
) -> list[str]:
    """What is unusual about a usable file and what is done about it, in sentences for the creator."""
    promised = Fraction(container.duration or 0, 1_000_000)
    notes = []
    if promised > length * (1 + Fraction(SHORT_OF_PROMISE)) + Fraction(1, 2):
        notes.append(f"The file claims to last {float(promised):.1f} s, but holds {float(length):.1f} s.")
    if video is None:
        notes.append("The file has sound only.")
    else:
        notes += _picture_notes(video)
        if not audio:
            notes.append("The file has no usable sound.")
    if len(audio) > 1:
        notes.append(f"The file has {len(audio)} sound streams; one of them is used.")
    return notes


def _picture_notes(video: VideoStream) -> list[str]:
    rate = f"{float(video.frame_rate):.3f}".rstrip("0").rstrip(".")
    measured = f"{float(video.measured_rate):.2f}".rstrip("0").rstrip(".")
    said = (
        (video.variable_frame_rate, f"The frame rate varies ({measured} on average); it is evened out to {rate}."),
        (
            not video.variable_frame_rate and abs(video.measured_rate / video.frame_rate - 1) > Fraction(1, 100),
            f"The picture runs at {measured} frames a second; it is delivered at {rate}.",
        ),
        (video.rotation != 0, f"The picture is stored turned; it is shown upright ({video.rotation}° clockwise)."),
        (video.mirrored, "The picture is stored mirrored; it is shown the right way round."),
        (video.sample_aspect != 1, "The pixels are not square; the picture is stretched to its true shape."),
        (video.colour.hdr is not None, "The picture is HDR; it is converted to standard range."),
        (video.interlaced, "The picture is interlaced; it is deinterlaced."),
        (video.alpha, "The picture has transparency, which is left out."),
        (video.frame_count == 1, "The picture is a single frame."),
    )
    return [sentence for holds, sentence in said if holds]
