"""What of the facts is heard in an edit: the dialogue, clip by clip, as times of the footage it was recorded with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from director.material import Footage, Material
from schemas.edl import EDL, SAMPLE_RATE, AudioClip, AudioRole
from schemas.facts import Alignment
from schemas.timebase import frame_to_sample, frame_to_us, sample_to_us


@dataclass(frozen=True, slots=True)
class HeardPiece:
    """Uncut sound of an A-roll: ``[start_us, end_us)`` of its media clock, on timeline frames ``[first, end)``."""

    footage: Footage
    start_us: int
    end_us: int
    first: int
    end: int


def heard_pieces(edl: EDL, material: Material) -> Iterator[HeardPiece]:
    """The dialogue of an edit, clip by clip, as far as it is of A-roll."""
    sources = {source.id: source.sha256 for source in edl.sources}
    recorded = _recordings(material)
    for clip in _dialogue(edl):
        of = [_piece(clip, edl, footage, alignment) for footage, alignment in recorded.get(sources[clip.source], ())]
        if of:
            yield of[0] if len(of) == 1 else max(of, key=lambda piece: (_is_recorded(piece, edl), _shown(piece, edl)))


def _is_recorded(piece: HeardPiece, edl: EDL) -> bool:
    """Whether a piece lies in the time of its footage: a recorder that ran on was beside another one before and after.

    Where a picture is placed it is rounded to a frame.
    """
    opening, closing = bounds_of(piece.footage)
    frame_us = frame_to_us(1, edl.rate)
    return opening - frame_us <= piece.start_us and piece.end_us <= closing + frame_us


def _shown(piece: HeardPiece, edl: EDL) -> int:
    """The frames of a piece on which its footage is the picture: of cameras that ran side by side it is one's sound."""
    digests = {source.id: source.sha256 for source in edl.sources}
    return sum(
        max(0, min(clip.end, piece.end) - max(clip.start, piece.first))
        for clip in edl.video
        if digests[clip.source] == piece.footage.source.sha256
    )


def uncut(sounds: Iterable[HeardPiece], frame_us: int) -> Iterator[HeardPiece]:
    """The same, with clips that run on in the source joined."""
    current: HeardPiece | None = None
    for piece in sounds:
        if current is not None and _runs_on(current, piece, frame_us):
            current = replace(current, end_us=piece.end_us, end=piece.end)
            continue
        if current is not None:
            yield current
        current = piece
    if current is not None:
        yield current


def _dialogue(edl: EDL) -> Iterator[AudioClip]:
    for track in edl.audio:
        if track.role is AudioRole.DIALOGUE:
            yield from track.clips


def _recordings(material: Material) -> Mapping[str, Sequence[tuple[Footage, Alignment | None]]]:
    """By content: the A-roll whose sound a recording carries, and how it lies against it where it is a separate one."""
    found: dict[str, Sequence[tuple[Footage, Alignment | None]]] = {
        footage.source.sha256: [(footage, None)] for footage in material.a_roll
    }
    for track in material.sounds:
        beside = [(one, alignment) for one in material.a_roll if (alignment := track.beside(one)) is not None]
        if beside:
            found.setdefault(track.source.sha256, beside)
    return found


def _piece(clip: AudioClip, edl: EDL, footage: Footage, alignment: Alignment | None) -> HeardPiece:
    samples = frame_to_sample(clip.end, edl.rate, SAMPLE_RATE) - frame_to_sample(clip.start, edl.rate, SAMPLE_RATE)
    start, end = (sample_to_us(at, SAMPLE_RATE) for at in (clip.source_in, clip.source_in + samples))
    if alignment is not None:
        start, end = (alignment.in_reference(at) for at in (start, end))
    return HeardPiece(footage, start, end, clip.start, clip.end)


def _runs_on(before: HeardPiece, after: HeardPiece, frame_us: int) -> bool:
    return (
        before.footage is after.footage
        and before.end == after.first
        and abs(after.start_us - before.end_us) <= frame_us
    )


def bounds_of(footage: Footage) -> tuple[int, int]:
    """Where the footage has picture and sound, in microseconds."""
    clock, audio = footage.clock, footage.source.audio
    sound_us = sample_to_us(audio.samples, SAMPLE_RATE) if audio else 0
    return clock.us(0), min(clock.us(clock.frames), sound_us)
