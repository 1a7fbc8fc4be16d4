"""The picture track of an edit: packets copied where the source already is what is wanted, encoded elsewhere."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import av
from av.container import InputContainer

from render.avc import Configuration, UnsupportedStreamError, parse_configuration, parse_sps, pps_identifier
from render.copying import Copied, CopyPlan, NotCopiedError, plan_copies
from render.encoder import TRACK_OPTIONS
from render.gops import Gop, GopReader
from render.picture_track import PictureTrack, encode_pictures, render_picture
from render.pyav import AnyPacket
from render.timeline import find_source
from schemas.delivery import PictureOrigin, StageTime
from schemas.hardware import NO_DEVICES
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest

_MOST_PARAMETER_SETS = 32
#: x264's own: B-frames, and a B-frame that others refer to.
_ENCODED_FRAMES_AHEAD = 2


def make_picture(request: RenderRequest, path: Path, progress: ProgressCallback) -> tuple[PictureTrack, PictureOrigin]:
    """Write the whole edit's pictures into ``path``, copying what can be copied.

    Returns:
        The track, and how many of its frames were copied or why none was.

    Raises:
        MediaRefused: A source cannot be read or holds nothing that decodes.
        TransientError: The disk is full, or the encoder failed.
    """
    try:
        plan = plan_copies(request)
        return _spliced(request, plan, path, progress)
    except (NotCopiedError, UnsupportedStreamError) as why:
        track = render_picture(request, path, progress)
        return track, PictureOrigin(copied_frames=0, encoded_frames=track.frames, why_encoded=str(why))


def _spliced(
    request: RenderRequest, plan: CopyPlan, path: Path, progress: ProgressCallback
) -> tuple[PictureTrack, PictureOrigin]:
    edl, file = request.edl, request.folder / "encoded.mp4"
    others = plan.others(edl.duration)
    number = _free_parameter_set(plan.configuration)
    try:
        encoded = encode_pictures(_by_x264(request), file, progress, others, number) if others else None
        started = perf_counter()
        _join(request, plan, others, encoded, path)
        took = StageTime(stage="copy", seconds=perf_counter() - started)
    finally:
        file.unlink(missing_ok=True)
    stages, notes = ((), ()) if encoded is None else (encoded.stages, encoded.notes)
    devices = NO_DEVICES if encoded is None else encoded.devices
    track = PictureTrack(path, 0, edl.duration, (*stages, took), notes, devices)
    return track, PictureOrigin(copied_frames=plan.frames, encoded_frames=edl.duration - plan.frames)


def _by_x264(request: RenderRequest) -> RenderRequest:
    """The same with no other encoder: x264's parameter sets can be numbered."""
    return request.model_copy(update={"hardware": request.hardware.for_decoding()})


def _free_parameter_set(configuration: Configuration) -> int:
    """A number that neither kind of the source's parameter sets has.

    Raises:
        NotCopiedError: All are taken.
    """
    used = {parse_sps(unit).identifier for unit in configuration.sps}
    used |= {pps_identifier(unit) for unit in configuration.pps}
    free = sorted(set(range(_MOST_PARAMETER_SETS)) - used)
    if not free:
        raise NotCopiedError("the source uses every parameter set")
    return free[0]


def _join(
    request: RenderRequest, plan: CopyPlan, others: tuple[range, ...], encoded: PictureTrack | None, path: Path
) -> None:
    edl = request.edl
    source = find_source(edl.sources, plan.source)
    with (
        GopReader(source, request.sources[plan.source]) as copied,
        av.open(f"file:{path}", "w", format="mp4", container_options=TRACK_OPTIONS) as output,
    ):
        video = output.add_stream_from_template(copied.stream)
        video.time_base = 1 / edl.rate
        packets = _Packets(copied, encoded, edl.rate)
        video.codec_context.extradata = packets.configuration(plan.configuration).to_bytes()
        position = -max(plan.frames_ahead, _ENCODED_FRAMES_AHEAD)
        for packet, shown in packets.in_order(plan.copied, others):
            packet.pts, packet.dts, packet.duration, packet.time_base = shown, position, 1, 1 / edl.rate
            packet.stream = video
            position += 1
            output.mux(packet)
        packets.close()


class _Packets:
    """Copied and encoded packets in timeline order, with the frame each is shown at."""

    def __init__(self, copied: GopReader, encoded: PictureTrack | None, rate: Fraction) -> None:
        self._copied = copied
        self._rate = rate
        self._first = 0 if encoded is None else encoded.first
        self._encoded: InputContainer | None = None if encoded is None else av.open(f"file:{encoded.path}")
        self._groups: Iterator[Gop] = iter(())

    def close(self) -> None:
        if self._encoded is not None:
            self._encoded.close()

    def configuration(self, copied: Configuration) -> Configuration:
        """What a decoder needs for both kinds.

        Raises:
            NotCopiedError: One decoder cannot do both.
        """
        if self._encoded is None:
            return copied
        encoded = bytes(self._encoded.streams.video[0].codec_context.extradata or b"")
        try:
            return copied.joined(parse_configuration(encoded))
        except UnsupportedStreamError as error:
            raise NotCopiedError(f"source and encoder have {error}") from error

    def in_order(self, copied: tuple[Copied, ...], others: tuple[range, ...]) -> Iterator[tuple[AnyPacket, int]]:
        encoded = iter(()) if self._encoded is None else self._encoded.demux()
        starts: list[Copied | range] = [*copied, *others]
        for piece in sorted(starts, key=lambda piece: piece.start if isinstance(piece, range) else piece.first):
            if isinstance(piece, range):
                for _ in piece:
                    packet = next(encoded)
                    yield packet, self._first + round((packet.pts or 0) * packet.time_base * self._rate)
            else:
                gop = self._group(piece.tick).beginning(piece.end - piece.first)
                shown = {time: piece.first + number for number, time in enumerate(gop.times)}
                for packet in gop.packets:
                    yield packet, shown[packet.pts or 0]

    def _group(self, tick: int) -> Gop:
        """The group that begins at ``tick``: the next one where the source goes on, else after a seek."""
        gop = next(self._groups, None)
        if gop is None or gop.times[:1] != (tick,):
            self._groups = self._copied.gops(tick)
            gop = next((gop for gop in self._groups if gop.times[:1] == (tick,)), None)
        if gop is None:
            raise UnsupportedStreamError("packets that are there only once")
        return gop
