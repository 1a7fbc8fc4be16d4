"""What could go wrong where picture and sound change apart, and where there is nothing but the room to hear."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice

from director.heard import HeardPiece, bounds_of
from director.material import Material
from director.room_tone import gaps_between, room_tone_of
from director.seen import SeenFootage, seen_footage
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, SAMPLE_RATE, AudioRole
from schemas.timebase import frame_to_sample, frame_to_us, sample_to_us


def speech_without_sound(edl: EDL, material: Material, sounds: Sequence[HeardPiece]) -> Iterator[DeliveryCheck]:
    """The most of a word that somebody is seen to say while something else is heard, as in a J- or L-cut too long."""
    if not sounds:
        return
    apart = [
        (shown, first, end)
        for shown in seen_footage(edl, material)
        if shown.footage.worded
        for first, end in _unheard(shown, sounds, edl.rate)
    ]
    if not apart:
        return
    worst = max(_said_us(*one) for one in apart)
    tick_us = max(_tick_us(shown) for shown, _, _ in apart)
    yield DeliveryCheck(
        name="speech seen and not heard",
        measured=f"{worst / 1000:.0f}",
        limit="within a frame",
        unit="ms",
        passed=worst <= max(frame_to_us(1, edl.rate), tick_us) + 1,
    )


def _tick_us(shown: SeenFootage) -> int:
    """The least time that a picture's source counts: it can lie no nearer to another one."""
    return int(1_000_000 * shown.footage.clock.time_base)


def _unheard(shown: SeenFootage, heard: Sequence[HeardPiece], rate: Fraction) -> Iterator[tuple[int, int]]:
    """The timeline frames of what is seen on which its own sound is not heard."""
    position = shown.first
    for piece in islice(heard, max(0, bisect_right(heard, shown.first, key=lambda one: one.first) - 1), None):
        if piece.first >= shown.end:
            break
        if piece.footage is not shown.footage or piece.end <= position or not _in_step(shown, piece, rate):
            continue
        if piece.first > position:
            yield position, piece.first
        position = piece.end
    if position < shown.end:
        yield position, shown.end


def _in_step(shown: SeenFootage, piece: HeardPiece, rate: Fraction) -> bool:
    """Whether the sound is of the picture's own time; a row of its own says by how much it is off."""
    seen_us = shown.footage.clock.us(shown.source_frame(piece.first))
    return abs(seen_us - piece.start_us) < max(_SAME_MOMENT * frame_to_us(1, rate), _tick_us(shown))


#: Frames that picture and sound of the same words may be apart and still be taken for each other.
_SAME_MOMENT = 6


def _said_us(shown: SeenFootage, first: int, end: int) -> int:
    """The most of a word that is said in the footage on these timeline frames."""
    footage = shown.footage
    start_us, end_us = (footage.clock.us(shown.source_frame(frame)) for frame in (first, end))
    opening, closing = bounds_of(footage)
    most = 0
    begun = bisect_right(footage.words, shown.source_frame(first), key=lambda word: word.start)
    for word in islice(footage.words, max(0, begun - 1), None):
        if word.start_us >= end_us:
            break
        said = min(word.end_us, end_us, closing) - max(word.start_us, start_us, opening)
        most = max(most, said if word.text else 0)
    return most


def voices_in_room_tone(edl: EDL, material: Material) -> Iterator[DeliveryCheck]:
    """Words in what is laid under the gaps as the sound of an empty room."""
    footage = {one.source.sha256: one for one in material.a_roll}
    digests = {source.id: source.sha256 for source in edl.sources}
    laid = {
        (digests[clip.source], clip.source_in, clip.source_in + frame_to_sample(clip.duration, edl.rate, SAMPLE_RATE))
        for track in edl.audio
        if track.role is AudioRole.ROOM_TONE
        for clip in track.clips
        if digests[clip.source] in footage
    }
    if laid:
        spoken = sum(
            footage[digest].words_within(sample_to_us(first, SAMPLE_RATE), sample_to_us(end, SAMPLE_RATE))
            for digest, first, end in laid
        )
        yield DeliveryCheck(name="words in the room tone", measured=str(spoken), limit="0", passed=not spoken)


def digital_silence(edl: EDL, material: Material) -> Iterator[DeliveryCheck]:
    """The longest time in which nothing at all is heard, where the footage has room tone to lie there."""
    digests = {source.sha256 for source in edl.sources}
    has_tone = room_tone_of(one for one in material.a_roll if one.source.sha256 in digests) is not None
    if not has_tone or not any(track.role is AudioRole.DIALOGUE and track.clips for track in edl.audio):
        return
    clips = sorted((clip for track in edl.audio for clip in track.clips), key=lambda clip: clip.start)
    longest = max((end - start for start, end in gaps_between(clips, edl.duration)), default=0)
    yield DeliveryCheck(
        name="longest time without sound",
        measured=f"{float(longest / edl.rate):.3f}",
        limit="0: the room is heard",
        unit="s",
        passed=not longest,
        hard=False,
    )
