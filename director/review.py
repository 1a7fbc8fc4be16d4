"""Holds an edit against the facts: what a viewer would call a bad cut, dead air or a lost face, counted."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby, islice

from director.framing import Seen, faces_within
from director.heard import HeardPiece, bounds_of, heard_pieces, uncut
from director.material import Footage, Material, gather
from director.review_insets import faces_behind_insets
from director.review_sound import digital_silence, speech_without_sound, voices_in_room_tone
from director.seen import SeenFootage, seen_footage
from director.speech import Spoken
from director.style import FACE_IN_FRAME_SHARE
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Variant
from schemas.facts import AssetFacts
from schemas.timebase import MICROSECOND, frame_to_us, round_half_up
from schemas.timeline import Area

#: The row that says how far sound and picture of the same recording are apart.
AV_OFFSET = "A/V offset in the edit"
#: The row that says how much of an upright film shows its speaker whole.
FACES_IN_FRAME = "speaker's face in frame"


def review(edl: EDL, assets: Sequence[AssetFacts]) -> tuple[DeliveryCheck, ...]:
    """The rows of the delivery check that only the facts can answer (ARCHITECTURE, "Quality a viewer can measure").

    Args:
        edl: An edit of these assets, by whomever: sources are known again by their content.
        assets: The facts of every asset the edit may use.

    Returns:
        How far sound lies from picture, cuts inside a spoken word, the longest silence in the speech; where picture
        and sound change apart, how much of what is said is seen and not heard; where there is room tone, voices in it,
        and time without any; for an upright canvas, the share of sampled frames whose faces are inside the frame; and
        where there are pictures in the picture, faces that they hide. A row is left out where nothing is known or there
        is nothing to go wrong: no words, no faces, no pace promised.

    Raises:
        OutputRefused: no asset has a picture.
    """
    material = gather(assets)
    sounds = tuple(sorted(heard_pieces(edl, material), key=lambda piece: piece.first))
    pieces = tuple(uncut(sounds, frame_to_us(1, edl.rate)))
    return (
        *_sound_against_picture(edl, sounds),
        *_cuts_inside_words(edl, pieces),
        *_longest_silence(edl, pieces),
        *speech_without_sound(edl, material, sounds),
        *voices_in_room_tone(edl, material),
        *digital_silence(edl, material),
        *_faces_in_frame(edl, material),
        *faces_behind_insets(edl, material),
    )


def _sound_against_picture(edl: EDL, sounds: Sequence[HeardPiece]) -> Iterator[DeliveryCheck]:
    """How far sound and picture that were recorded together are apart, wherever both are on the timeline.

    A picture is placed to a tick of its source, so where ticks are longer than frames, they are the limit.
    """
    offsets = [offset for sound in sounds for offset in _offsets(edl, sound)]
    if not offsets:
        return
    worst = max(abs(offset) for offset in offsets)
    yield DeliveryCheck(
        name=AV_OFFSET,
        measured=f"{worst / 1000:.1f}",
        limit="within a frame",
        unit="ms",
        passed=worst <= max(frame_to_us(1, edl.rate), _longest_tick_us(sounds)) + 1,
    )


def _longest_tick_us(sounds: Sequence[HeardPiece]) -> int:
    return max(round_half_up(sound.footage.clock.time_base / MICROSECOND) for sound in sounds)


def _offsets(edl: EDL, sound: HeardPiece) -> Iterator[int]:
    """Microseconds that the picture of the same footage is ahead, for each clip of it that the sound meets."""
    clock = sound.footage.clock
    shas = {source.id: source.sha256 for source in edl.sources}
    first = bisect_right(edl.video, sound.first, key=lambda clip: clip.start) - 1
    for clip in islice(edl.video, first, None):
        if clip.start >= sound.end:
            return
        if shas[clip.source] == sound.footage.source.sha256:
            meeting = max(clip.start, sound.first)
            shown = (clip.source_in - clock.start_pts) * clock.time_base + clock.start
            shown += (meeting - clip.start) / edl.rate
            heard_us = sound.start_us + frame_to_us(meeting, edl.rate) - frame_to_us(sound.first, edl.rate)
            yield round_half_up(shown / MICROSECOND) - heard_us


def _cuts_inside_words(edl: EDL, pieces: Sequence[HeardPiece]) -> Iterator[DeliveryCheck]:
    """An edge that bites more than a frame off a word; where the source itself begins or ends, nothing is cut."""
    worded = [piece for piece in pieces if piece.footage.worded]
    if not worded:
        return
    frame_us = frame_to_us(1, edl.rate)
    bites = [
        bite
        for footage, group in _by_footage(worded)
        for bite in _bites(footage, group, frame_us)
        if bite > frame_us + 1
    ]
    measured = f"{len(bites)}, the deepest {max(bites) / 1000:.0f} ms" if bites else "0"
    yield DeliveryCheck(name="cuts inside a word", measured=measured, limit="0", passed=not bites)


def _by_footage(pieces: Iterable[HeardPiece]) -> Iterator[tuple[Footage, list[HeardPiece]]]:
    ordered = sorted(pieces, key=lambda piece: piece.footage.source.id)
    for _, group in groupby(ordered, key=lambda piece: piece.footage.source.id):
        members = list(group)
        yield members[0].footage, members


def _bites(footage: Footage, pieces: Sequence[HeardPiece], frame_us: int) -> Iterator[int]:
    words = _SaidWords([word for word in footage.words if word.text])
    opening, closing = bounds_of(footage)
    for piece in pieces:
        if piece.start_us > opening + frame_us:
            yield words.deepest(piece.start_us)
        if piece.end_us < closing - frame_us:
            yield words.deepest(piece.end_us)


class _SaidWords:
    """Words in order of their starts, asked how deep a moment lies in one of them."""

    def __init__(self, words: Sequence[Spoken]) -> None:
        self._words = sorted(words, key=lambda word: word.start_us)
        self._reach = list(accumulate((word.end_us for word in self._words), max))

    def deepest(self, at_us: int) -> int:
        """Microseconds from the moment to the nearer end of the word it is deepest in; 0 outside all words."""
        index = bisect_right(self._words, at_us, key=lambda word: word.start_us)
        deepest = 0
        while index and self._reach[index - 1] > at_us:
            index -= 1
            word = self._words[index]
            deepest = max(deepest, min(at_us - word.start_us, word.end_us - at_us))
        return deepest


def _longest_silence(edl: EDL, pieces: Sequence[HeardPiece]) -> Iterator[DeliveryCheck]:
    """The longest time in the speech in which nobody speaks.

    A hook that is held to its three seconds is held in the silence at its ends, which is then not counted.
    """
    limit_us, spoken = edl.longest_pause_us, [piece for piece in pieces if piece.footage.words]
    if limit_us is None or not spoken:
        return
    silences = [gap for passage in _passages(spoken) for gap in _silences(edl, passage)]
    longest_us = max(silences, default=0)
    yield DeliveryCheck(
        name="longest silence in speech",
        measured=f"{longest_us / 1e6:.3f}",
        limit=f"at most {limit_us / 1e6:.3f} and a frame",
        unit="s",
        passed=longest_us <= limit_us + frame_to_us(1, edl.rate) + 1,
    )


def _passages(pieces: Sequence[HeardPiece]) -> Iterator[list[HeardPiece]]:
    """Pieces that follow each other on the timeline: footage without speech between them is shown for its picture."""
    passage: list[HeardPiece] = []
    for piece in pieces:
        if passage and passage[-1].end != piece.first:
            yield passage
            passage = []
        passage.append(piece)
    if passage:
        yield passage


def _silences(edl: EDL, passage: Sequence[HeardPiece]) -> Iterator[int]:
    heard = [span for piece in passage for span in _heard(piece, edl)]
    if edl.variant is not Variant.HOOK_CUT:
        start, end = (frame_to_us(frame, edl.rate) for frame in (passage[0].first, passage[-1].end))
        heard = [(start, start), *heard, (end, end)]
    reached = list(accumulate((end for _, end in heard), max))
    for before, (start, _) in zip(reached, heard[1:], strict=False):
        yield start - before


def _heard(piece: HeardPiece, edl: EDL) -> Iterator[tuple[int, int]]:
    """When something is said in a piece, on the timeline; the rim of a word that was left out is not."""
    shift = frame_to_us(piece.first, edl.rate) - piece.start_us
    opening, closing = bounds_of(piece.footage)
    words = piece.footage.words
    first = piece.footage.clock.frame_at_or_before(piece.start_us)
    for word in words[max(0, bisect_right(words, first, key=lambda word: word.start) - 1) :]:
        if word.start_us >= piece.end_us:
            return
        start, end = max(word.start_us, piece.start_us), min(word.end_us, piece.end_us)
        recorded_us = min(word.end_us, closing) - max(word.start_us, opening)
        if 2 * (end - start) >= recorded_us:
            yield start + shift, end + shift


def _faces_in_frame(edl: EDL, material: Material) -> Iterator[DeliveryCheck]:
    """Of the frames sampled for faces that a viewer sees of an A-roll, those whose faces are wholly in the frame."""
    if edl.canvas.height <= edl.canvas.width:
        return
    inside = [_holds(area, seen) for shown in seen_footage(edl, material) for seen, area in _framed(shown)]
    if not inside:
        return
    share = sum(inside) / len(inside)
    yield DeliveryCheck(
        name=FACES_IN_FRAME,
        measured=f"{100 * share:.1f}",
        limit=f"at least {100 * FACE_IN_FRAME_SHARE:.0f}",
        unit="% of frames that show a face",
        passed=share >= FACE_IN_FRAME_SHARE,
    )


def _framed(shown: SeenFootage) -> Iterator[tuple[Seen, Area]]:
    """The faces seen, and the part of the picture shown then."""
    begin = shown.source_frame(shown.first) - (shown.first - shown.clip.start)
    for seen in faces_within(shown.footage, shown.source_frame(shown.first), shown.source_frame(shown.end)):
        yield seen, shown.area(seen.frame - begin)


def _holds(area: Area, seen: Seen) -> bool:
    """Whether the faces lie inside the area, to the pixel that rounding may cost."""
    return (
        area.x - 1 <= seen.left
        and seen.right <= area.x + area.width + 1
        and area.y - 1 <= seen.top
        and seen.bottom <= area.y + area.height + 1
    )
