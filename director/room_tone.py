"""The sound of the room under everything that has none: a gap is never digital silence (EDITING, "Cutting")."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from director.ledger import Ledger
from director.material import Footage
from director.style import JOIN_FADE_US, ROOM_TONE_LOWERED_MB, ROOM_TONE_MARGIN_US, SHORTEST_ROOM_TONE_US
from schemas.edl import SAMPLE_RATE, AudioClip, AudioRole, AudioTrack, Evidence, GainKey
from schemas.facts import Span
from schemas.timebase import frame_to_sample, sample_to_us, us_to_frame, us_to_sample

#: Timeline frames ``[start, end)``.
Gap = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RoomTone:
    """Quiet of a footage, as its sound has it: ``frames`` from sample ``first`` on can be laid end to end."""

    footage: Footage
    span: Span

    @property
    def first(self) -> int:
        return us_to_sample(self.span.start_us + ROOM_TONE_MARGIN_US, SAMPLE_RATE)

    @property
    def frames(self) -> int:
        return us_to_frame(self.span.duration_us - 2 * ROOM_TONE_MARGIN_US, self.footage.clock.rate)

    @property
    def is_usable(self) -> bool:
        """Whether it is long enough not to be heard to repeat, lies within the sound, and nothing is said in it."""
        audio = self.footage.source.audio
        if audio is None or self.span.duration_us < SHORTEST_ROOM_TONE_US or self.frames < 1:
            return False
        last = self.first + frame_to_sample(self.frames + 1, self.footage.clock.rate, SAMPLE_RATE)
        start_us, end_us = (sample_to_us(at, SAMPLE_RATE) for at in (self.first, last))
        return last <= audio.samples and not self.footage.words_within(start_us, end_us)


def room_tone_of(footage: Iterable[Footage]) -> RoomTone | None:
    """The longest room tone among the footage that can be used."""
    measured = ((one, one.facts.sound.room_tone) for one in footage if one.facts.sound is not None)
    tones = (RoomTone(one, span) for one, span in measured if span is not None)
    return max((tone for tone in tones if tone.is_usable), key=lambda tone: tone.span.duration_us, default=None)


def gaps_between(clips: Sequence[AudioClip], duration: int) -> Iterator[Gap]:
    """Where none of the clips, which are in order of their starts, is heard."""
    reached = 0
    for clip in clips:
        if clip.start > reached:
            yield reached, clip.start
        reached = max(reached, clip.end)
    if reached < duration:
        yield reached, duration


def room_tone(
    tone: RoomTone, gaps: Sequence[Gap], duration: int, ledger: Ledger, *, lowered: bool
) -> AudioTrack | None:
    """A track of room tone under the gaps of an edit of ``duration`` frames, ``None`` where there are none.

    ``lowered`` is whether the noise of the dialogue beside it is.
    """
    if not gaps:
        return None
    rate = tone.footage.clock.rate
    reason = _record(tone, sum(end - start for start, end in gaps), duration, ledger)
    pieces = [piece for gap in gaps for piece in _pieces(gap, tone.frames)]
    clips = tuple(
        AudioClip(
            id=f"r{number:05d}",
            source=tone.footage.source.id,
            start=start,
            duration=end - start,
            source_in=tone.first,
            gain=(GainKey(frame=0, gain=-ROOM_TONE_LOWERED_MB),) if lowered else (),
            fade_in=_fade(start, end, rate),
            fade_out=_fade(start, end, rate),
            reason=reason,
        )
        for number, (start, end) in enumerate(pieces, start=1)
    )
    return AudioTrack(role=AudioRole.ROOM_TONE, clips=clips)


def _record(tone: RoomTone, frames: int, duration: int, ledger: Ledger) -> str:
    seconds = float(frames / tone.footage.clock.rate)
    return ledger.record(
        "room_tone",
        f"The room tone of {tone.footage.facts.name} lies under {seconds:.1f} s that have no sound",
        Evidence(
            fact="room tone",
            value=f"{tone.span.duration_us / 1e6:.2f} s",
            source=tone.footage.source.id,
            start_us=tone.span.start_us,
            end_us=tone.span.end_us,
        ),
        worth={"room_heard": frames / duration},
    )


def _fade(start: int, end: int, rate: Fraction) -> int:
    samples = frame_to_sample(end, rate, SAMPLE_RATE) - frame_to_sample(start, rate, SAMPLE_RATE)
    return min(us_to_sample(JOIN_FADE_US, SAMPLE_RATE), samples // 2)


def _pieces(gap: Gap, length: int) -> Iterator[Gap]:
    start, end = gap
    while start < end:
        yield start, min(end, start + length)
        start += length
