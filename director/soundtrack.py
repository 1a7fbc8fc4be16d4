"""What is heard: dialogue tied to the picture, a better recording where there is one, music under speech."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from director.ledger import Ledger
from director.material import Footage, Material, SoundTrack
from director.noise import noisy_sources
from director.placing import Placed, PlacedWord
from director.room_tone import gaps_between, room_tone, room_tone_of
from director.script import Stretch
from director.style import (
    DUCK_PAUSE_US,
    DUCK_RAMP_US,
    JOIN_FADE_US,
    MUSIC_ALONE_MB,
    MUSIC_FADE_US,
    MUSIC_UNDER_SPEECH_MB,
    SHORTEST_FADE_US,
)
from schemas.edl import SAMPLE_RATE, AudioClip, AudioRole, AudioTrack, Evidence, GainKey, Source
from schemas.facts import Alignment, AssetFacts
from schemas.timebase import frame_to_sample, frame_to_us, us_to_frame, us_to_sample

#: Gains an EDL can hold, in millibels.
_GAIN_RANGE = (-10_000, 4_000)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Sound of one source from ``sample`` on, for timeline frames ``[start, end)``.

    ``clear_before`` and ``clear_after`` are the frames of quiet next to its ends.
    """

    source: Source
    sample: int
    start: int
    end: int
    reason: str
    clear_before: int
    clear_after: int


def soundtrack(
    material: Material, placed: Sequence[Placed], words: Sequence[PlacedWord], reasons: Sequence[str], ledger: Ledger
) -> tuple[tuple[AudioTrack, ...], tuple[Source, ...]]:
    """The audio tracks of an edit and the sources they use. ``reasons`` are the decisions behind the stretches."""
    better = _BetterRecordings(material, ledger)
    pieces: list[_Piece] = []
    for one, reason in zip(placed, reasons, strict=True):
        pieces.extend(better.of(one) or _from_camera(one, reason))
    rate, duration = material.rate, placed[-1].end
    tracks: list[AudioTrack] = []
    sources = {piece.source.id: piece.source for piece in pieces}
    if pieces:
        dialogue = tuple(_clips(pieces, rate))
        noisy = noisy_sources(_facts_of(sources, material, placed), ledger)
        tracks += _by_noise(dialogue, noisy)
        tone = room_tone_of(one.stretch.footage for one in placed)
        gaps = list(gaps_between(dialogue, duration))
        lowered = tone is not None and tone.footage.source.id in noisy
        under = room_tone(tone, gaps, duration, ledger, lowered=lowered) if tone else None
        if tone and under:
            tracks.append(under)
            sources[tone.footage.source.id] = tone.footage.source
    bed = next((track for track in material.sounds if track.is_music), None)
    music = _music(bed, duration, words, rate, ledger) if bed else None
    if bed and music:
        tracks.append(AudioTrack(role=AudioRole.MUSIC, clips=(music,)))
        sources[bed.source.id] = bed.source
    for track in material.sounds:
        if track.source.id not in sources:
            _note_unused(track, ledger)
    return tuple(tracks), tuple(sources.values())


def _facts_of(sources: Mapping[str, Source], material: Material, placed: Sequence[Placed]) -> Mapping[str, AssetFacts]:
    """What is known of the sources of dialogue, in their order."""
    filmed = {one.stretch.footage.source.id: one.stretch.footage.facts for one in placed}
    recorded = {track.source.id: track.facts for track in material.sounds}
    known = {**recorded, **filmed}
    return {ident: known[ident] for ident in sources}


def _by_noise(dialogue: Sequence[AudioClip], noisy: frozenset[str]) -> list[AudioTrack]:
    """The dialogue on a track of its own for what is clean, and for what has its noise lowered."""
    clean = tuple(clip for clip in dialogue if clip.source not in noisy)
    lowered = tuple(clip for clip in dialogue if clip.source in noisy)
    tracks = (
        AudioTrack(role=AudioRole.DIALOGUE, clips=clean),
        AudioTrack(role=AudioRole.DIALOGUE, noise_reduction=True, clips=lowered),
    )
    return [track for track in tracks if track.clips]


class _BetterRecordings:
    """The separate recordings of each footage, the best aligned first, and the decisions to use them."""

    def __init__(self, material: Material, ledger: Ledger) -> None:
        self._sounds = material.sounds
        self._ledger = ledger
        self._beside: dict[str, tuple[tuple[SoundTrack, Alignment], ...]] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def of(self, one: Placed) -> tuple[_Piece, ...]:
        """The sound of a stretch from the best recording that covers all of it; nothing where none does."""
        footage = one.stretch.footage
        for track, alignment in self._of(footage):
            pieces = _from_recording(one, track, alignment)
            if pieces:
                key = footage.source.id, track.source.id
                if key not in self._reasons:
                    self._reasons[key] = _record_better(footage, track, alignment, self._ledger)
                return tuple(replace(piece, reason=self._reasons[key]) for piece in pieces)
        return ()

    def _of(self, footage: Footage) -> tuple[tuple[SoundTrack, Alignment], ...]:
        if footage.source.id not in self._beside:
            beside = [(track, found) for track in self._sounds if (found := track.beside(footage)) is not None]
            best_first = sorted(beside, key=lambda pair: -pair[1].correlation)
            self._beside[footage.source.id] = tuple(best_first)
        return self._beside[footage.source.id]


def _record_better(footage: Footage, track: SoundTrack, alignment: Alignment, ledger: Ledger) -> str:
    return ledger.record(
        "separate_sound",
        f"{track.facts.name} is a better recording of {footage.facts.name} and replaces its sound where it covers it",
        Evidence(fact="correlation", value=f"{alignment.correlation:.3f}", source=track.source.id),
        Evidence(fact="offset", value=f"{alignment.offset_us} us", source=track.source.id),
        Evidence(fact="drift", value=f"{alignment.drift_ppm:.3f} ppm", source=track.source.id),
        worth={"clearer": alignment.correlation},
    )


def _from_camera(one: Placed, reason: str) -> tuple[_Piece, ...]:
    """The camera's own sound of a stretch, as far as it goes."""
    stretch = one.stretch
    source, clock = stretch.footage.source, stretch.footage.clock
    if source.audio is None:
        return ()
    sample = clock.sample(stretch.start)
    late = max(0, (-sample * clock.rate / SAMPLE_RATE).__ceil__())
    start = one.start + late
    sample = max(0, clock.sample(stretch.start + late))
    end = min(one.end, start + ((source.audio.samples - sample) * clock.rate / SAMPLE_RATE).__floor__())
    if start >= end:
        return ()
    return (_Piece(source, sample, start, end, reason, stretch.clear_before, stretch.clear_after),)


def _from_recording(one: Placed, track: SoundTrack, alignment: Alignment) -> tuple[_Piece, ...]:
    """A stretch of the separate recording, split where its drift would reach half a frame; empty if not covered.

    The reason is still to be given.
    """
    stretch, audio = one.stretch, track.source.audio
    if audio is None:
        return ()
    rate = stretch.footage.clock.rate
    cuts = [stretch.start, *_drift_splits(stretch, abs(alignment.drift_ppm)), stretch.end]
    pieces = []
    for number, (first, end) in enumerate(pairwise(cuts)):
        at = _in_recording(stretch, (first, end), alignment)
        start, stop = one.on_timeline(first), one.on_timeline(end)
        length = frame_to_sample(stop, rate, SAMPLE_RATE) - frame_to_sample(start, rate, SAMPLE_RATE)
        if at < 0 or at + length > audio.samples:
            return ()
        before = stretch.clear_before if number == 0 else 0
        after = stretch.clear_after if end == stretch.end else 0
        pieces.append(_Piece(track.source, at, start, stop, "", before, after))
    return tuple(pieces)


def _in_recording(stretch: Stretch, part: tuple[int, int], alignment: Alignment) -> int:
    """The recording's sample at the start of a part, so placed that the part is exact in its middle."""
    clock = stretch.footage.clock
    middle = (clock.us(part[0]) + clock.us(part[1])) // 2
    shift = alignment.offset_us + round(middle * alignment.drift_ppm / 1_000_000)
    return clock.sample(part[0]) + us_to_sample(shift, SAMPLE_RATE)


def _drift_splits(stretch: Stretch, drift_ppm: float) -> Iterator[int]:
    """Frames to split at: with parts exact in their middle, the error at their ends stays under half a frame.

    Splits fall between words, in the last pause within reach.
    """
    if drift_ppm * stretch.frames < 1_000_000 * 0.9:
        return
    most = max(1, int(900_000 / drift_ppm))
    pauses = [before.end for before, after in pairwise(stretch.words) if not after.glued and before.end < after.start]
    position, index = stretch.start, 0
    while stretch.end - position > most:
        split = position + most
        while index < len(pauses) and pauses[index] <= split:
            index += 1
        if index and pauses[index - 1] > position:
            split = pauses[index - 1]
        yield split
        position = split


def _clips(pieces: Sequence[_Piece], rate: Fraction) -> Iterator[AudioClip]:
    """Clips with fades at their ends; where two meet, the fades cross in the quiet beside the cut."""
    for number, piece in enumerate(pieces):
        length = _length(piece, rate)
        before = pieces[number - 1] if number else None
        meets_before = before is not None and before.end == piece.start
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        room = piece.sample if meets_before else length // 2
        fade_in = min(_fade(piece.clear_before, rate), room, length)
        if before is not None and meets_before:
            fade_in = min(fade_in, _length(before, rate))
        fade_out = _fade(piece.clear_after, rate)
        if after is not None and after.start == piece.end:
            fade_out = min(_fade(after.clear_before, rate), after.sample, _length(after, rate))
        yield AudioClip(
            id=f"a{number + 1:05d}",
            source=piece.source.id,
            start=piece.start,
            duration=piece.end - piece.start,
            source_in=piece.sample,
            fade_in=fade_in,
            fade_out=min(fade_out, length),
            reason=piece.reason,
        )


def _length(piece: _Piece, rate: Fraction) -> int:
    return frame_to_sample(piece.end, rate, SAMPLE_RATE) - frame_to_sample(piece.start, rate, SAMPLE_RATE)


def _fade(clear_frames: int, rate: Fraction) -> int:
    """A join fade in samples that stays inside the quiet beside the cut."""
    quiet_us = frame_to_us(max(0, clear_frames), rate)
    return us_to_sample(min(JOIN_FADE_US, max(SHORTEST_FADE_US, quiet_us)), SAMPLE_RATE)


def _music(
    bed: SoundTrack, duration: int, words: Sequence[PlacedWord], rate: Fraction, ledger: Ledger
) -> AudioClip | None:
    """The bed from its start, as long as it and the edit last, down under speech and out at the end."""
    audio, sound = bed.source.audio, bed.facts.sound
    if audio is None or sound is None or sound.integrated_lufs is None:
        return None
    length = min(duration, (audio.samples * rate / SAMPLE_RATE).__floor__())
    if length < 1:
        return None
    samples = frame_to_sample(length, rate, SAMPLE_RATE)
    reason = ledger.record(
        "music",
        f"{bed.facts.name} plays as music, lowered while someone speaks",
        Evidence(fact="loudness", value=f"{sound.integrated_lufs:.1f} LUFS", source=bed.source.id),
        worth={"bed": 1},
        start=0,
        end=length,
    )
    return AudioClip(
        id="m00001",
        source=bed.source.id,
        start=0,
        duration=length,
        source_in=0,
        gain=tuple(_ducking(words, length, rate, sound.integrated_lufs)),
        fade_out=min(us_to_sample(MUSIC_FADE_US, SAMPLE_RATE), samples),
        reason=reason,
    )


def _ducking(words: Sequence[PlacedWord], length: int, rate: Fraction, lufs: float) -> Iterator[GainKey]:
    """Gain keys that hold the bed low from each word to the next, and let it rise in long pauses."""
    loudness = round(lufs * 100)
    low, high = (
        min(max(level - loudness, _GAIN_RANGE[0]), _GAIN_RANGE[1]) for level in (MUSIC_UNDER_SPEECH_MB, MUSIC_ALONE_MB)
    )
    ramp = max(1, us_to_frame(DUCK_RAMP_US, rate))
    keys: dict[int, int] = {}
    for start, end in _spoken_passages(words, max(us_to_frame(DUCK_PAUSE_US, rate), 2 * ramp + 2)):
        keys.setdefault(max(0, start - ramp), high)
        keys[start] = low
        keys[end] = low
        keys[end + ramp] = high
    if not keys:
        keys[0] = high
    for frame in sorted(keys):
        if frame < length:
            yield GainKey(frame=frame, gain=keys[frame])


def _spoken_passages(words: Sequence[PlacedWord], pause: int) -> list[tuple[int, int]]:
    passages: list[tuple[int, int]] = []
    for word in words:
        if passages and word.start - passages[-1][1] <= pause:
            passages[-1] = passages[-1][0], max(passages[-1][1], word.end)
        else:
            passages.append((word.start, word.end))
    return passages


def _note_unused(track: SoundTrack, ledger: Ledger) -> None:
    closest = max((alignment.correlation for alignment in track.facts.alignments), default=None)
    correlation = "not measured" if closest is None else f"{closest:.3f}"
    why = (
        "another recording of the footage is better, or what it covers is cut"
        if track.is_aligned
        else "it is neither a recording of this footage nor music for it"
    )
    ledger.record(
        "unused_sound",
        f"{track.facts.name} is not used: {why}",
        Evidence(fact="correlation", value=correlation),
        worth={"left_out": 1},
    )
