"""Holds an edit against the facts: what a viewer would call a bad cut, dead air or a lost face, counted."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, islice

from director.framing import Seen, faces_within
from director.material import Footage, Material, gather
from director.speech import Spoken
from director.style import FACE_IN_FRAME_SHARE
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, SAMPLE_RATE, AudioClip, AudioRole, Variant, VideoClip
from schemas.facts import Alignment, AssetFacts
from schemas.timebase import MICROSECOND, frame_to_sample, frame_to_us, round_half_up, sample_to_us
from schemas.timeline import Area, crop_at, visible_stretches

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
        How far sound lies from picture, cuts inside a spoken word, the longest silence in the speech, and, for an
        upright canvas, the share of sampled frames whose faces are inside the frame. A row is left out where nothing is
        known: no words, no faces, or no pace promised.

    Raises:
        OutputRefused: no asset has a picture.
    """
    material = gather(assets)
    sounds = tuple(_sounds(edl, material))
    pieces = tuple(_uncut(sounds, frame_to_us(1, edl.rate)))
    return (
        *_sound_against_picture(edl, sounds),
        *_cuts_inside_words(edl, pieces),
        *_longest_silence(edl, pieces),
        *_faces_in_frame(edl, material),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Uncut sound of an A-roll: ``[start_us, end_us)`` of its media clock, on timeline frames ``[first, end)``."""

    footage: Footage
    start_us: int
    end_us: int
    first: int
    end: int


def _sounds(edl: EDL, material: Material) -> Iterator[_Piece]:
    """The dialogue of an edit, clip by clip, as far as it is of A-roll."""
    sources = {source.id: source.sha256 for source in edl.sources}
    recorded = _recordings(material)
    for clip in _dialogue(edl):
        if sources[clip.source] in recorded:
            yield _piece(clip, edl, *recorded[sources[clip.source]])


def _uncut(sounds: Iterable[_Piece], frame_us: int) -> Iterator[_Piece]:
    """The same, with clips that run on in the source joined."""
    current: _Piece | None = None
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


def _recordings(material: Material) -> Mapping[str, tuple[Footage, Alignment | None]]:
    """By content: the A-roll whose sound a recording carries, and how it lies against it where it is a separate one."""
    filmed = {footage.source.sha256: footage for footage in material.a_roll}
    found: dict[str, tuple[Footage, Alignment | None]] = {digest: (footage, None) for digest, footage in filmed.items()}
    for track in material.sounds:
        alignment = track.facts.alignment
        if alignment is not None and track.is_aligned and alignment.reference_sha256 in filmed:
            found.setdefault(track.source.sha256, (filmed[alignment.reference_sha256], alignment))
    return found


def _piece(clip: AudioClip, edl: EDL, footage: Footage, alignment: Alignment | None) -> _Piece:
    samples = frame_to_sample(clip.end, edl.rate, SAMPLE_RATE) - frame_to_sample(clip.start, edl.rate, SAMPLE_RATE)
    start, end = (sample_to_us(at, SAMPLE_RATE) for at in (clip.source_in, clip.source_in + samples))
    if alignment is not None:
        start, end = (_in_reference(at, alignment) for at in (start, end))
    return _Piece(footage, start, end, clip.start, clip.end)


def _in_reference(track_us: int, alignment: Alignment) -> int:
    return round((track_us - alignment.offset_us) / (1 + alignment.drift_ppm / 1_000_000))


def _runs_on(before: _Piece, after: _Piece, frame_us: int) -> bool:
    return (
        before.footage is after.footage
        and before.end == after.first
        and abs(after.start_us - before.end_us) <= frame_us
    )


def _sound_against_picture(edl: EDL, sounds: Sequence[_Piece]) -> Iterator[DeliveryCheck]:
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


def _longest_tick_us(sounds: Sequence[_Piece]) -> int:
    return max(round_half_up(sound.footage.clock.time_base / MICROSECOND) for sound in sounds)


def _offsets(edl: EDL, sound: _Piece) -> Iterator[int]:
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


def _cuts_inside_words(edl: EDL, pieces: Sequence[_Piece]) -> Iterator[DeliveryCheck]:
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


def _by_footage(pieces: Iterable[_Piece]) -> Iterator[tuple[Footage, list[_Piece]]]:
    ordered = sorted(pieces, key=lambda piece: piece.footage.source.id)
    for _, group in groupby(ordered, key=lambda piece: piece.footage.source.id):
        members = list(group)
        yield members[0].footage, members


def _bites(footage: Footage, pieces: Sequence[_Piece], frame_us: int) -> Iterator[int]:
    words = _SaidWords([word for word in footage.words if word.text])
    opening, closing = _bounds(footage)
    for piece in pieces:
        if piece.start_us > opening + frame_us:
            yield words.deepest(piece.start_us)
        if piece.end_us < closing - frame_us:
            yield words.deepest(piece.end_us)


def _bounds(footage: Footage) -> tuple[int, int]:
    """Where the footage has picture and sound, in microseconds."""
    clock, audio = footage.clock, footage.source.audio
    sound_us = sample_to_us(audio.samples, SAMPLE_RATE) if audio else 0
    return clock.us(0), min(clock.us(clock.frames), sound_us)


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


def _longest_silence(edl: EDL, pieces: Sequence[_Piece]) -> Iterator[DeliveryCheck]:
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


def _passages(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces that follow each other on the timeline: footage without speech between them is shown for its picture."""
    passage: list[_Piece] = []
    for piece in pieces:
        if passage and passage[-1].end != piece.first:
            yield passage
            passage = []
        passage.append(piece)
    if passage:
        yield passage


def _silences(edl: EDL, passage: Sequence[_Piece]) -> Iterator[int]:
    heard = [span for piece in passage for span in _heard(piece, edl)]
    if edl.variant is not Variant.HOOK_CUT:
        start, end = (frame_to_us(frame, edl.rate) for frame in (passage[0].first, passage[-1].end))
        heard = [(start, start), *heard, (end, end)]
    reached = list(accumulate((end for _, end in heard), max))
    for before, (start, _) in zip(reached, heard[1:], strict=False):
        yield start - before


def _heard(piece: _Piece, edl: EDL) -> Iterator[tuple[int, int]]:
    """When something is said in a piece, on the timeline; the rim of a word that was left out is not."""
    shift = frame_to_us(piece.first, edl.rate) - piece.start_us
    opening, closing = _bounds(piece.footage)
    words = piece.footage.words
    first = piece.footage.clock.frame_at_or_before(piece.start_us)
    for word in words[max(0, bisect_right(words, first, key=lambda word: word.start) - 1) :]:
        if word.start_us >= piece.end_us:
            return
        start, end = max(word.start_us, piece.start_us), min(word.end_us, piece.end_us)
        recorded_us = min(word.end_us, closing) - max(word.start_us, opening)
        if 2 * (end - start) > recorded_us:
            yield start + shift, end + shift


def _faces_in_frame(edl: EDL, material: Material) -> Iterator[DeliveryCheck]:
    """Of the frames sampled for faces that a viewer sees of an A-roll, those whose faces are wholly in the frame."""
    if edl.canvas.height <= edl.canvas.width:
        return
    inside = [
        _holds(area, seen)
        for clip, frame_range, footage in _shown(edl, material)
        for seen, area in _framed(clip, frame_range, footage)
    ]
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


def _shown(edl: EDL, material: Material) -> Iterator[tuple[VideoClip, tuple[int, int], Footage]]:
    """What is seen of A-roll: the clip, its frames that are seen, and the footage."""
    footage = {one.source.sha256: one for one in material.a_roll}
    sources = {source.id: source.sha256 for source in edl.sources}
    for seen in visible_stretches(edl):
        if sources[seen.clip.source] in footage:
            frames = seen.first - seen.clip.start, seen.end - seen.clip.start
            yield seen.clip, frames, footage[sources[seen.clip.source]]


def _framed(clip: VideoClip, frames: tuple[int, int], footage: Footage) -> Iterator[tuple[Seen, Area]]:
    """The faces seen in clip-relative ``frames``, and the part of the picture shown then."""
    clock, video = footage.clock, footage.source.video
    if video is None:
        return
    whole = Area(0, 0, video.display_width, video.display_height)
    begin = round_half_up((clip.source_in - video.start_pts) * video.time_base * clock.rate)
    for seen in faces_within(footage, begin + frames[0], begin + frames[1]):
        yield seen, crop_at(clip.crop, seen.frame - begin, clip.motion) if clip.crop else whole


def _holds(area: Area, seen: Seen) -> bool:
    """Whether the faces lie inside the area, to the pixel that rounding may cost."""
    return (
        area.x - 1 <= seen.left
        and seen.right <= area.x + area.width + 1
        and area.y - 1 <= seen.top
        and seen.bottom <= area.y + area.height + 1
    )
