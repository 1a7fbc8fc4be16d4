"""What changed between two edits, as a person would tell it, and why: each change with the decision behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction

from schemas.edl import EDL, AudioClip, Caption, Decision, VideoClip
from schemas.timebase import frame_to_us

Clip = VideoClip | AudioClip


@dataclass(frozen=True, slots=True)
class Change:
    """One change: seconds on the timeline where it is to be found (the earlier one's where something is gone)."""

    at_s: float | None
    sentence: str
    reason: str | None = None


def differences(before: EDL, after: EDL) -> tuple[Change, ...]:
    """Changes that turn ``before`` into ``after``: the whole first, then picture, covers, sound and captions in order.

    A clip is the same one when it shows the same part of the same file; then only how it is shown can have changed.
    """
    compared = _Edits(before, after)
    return (
        *compared.of_the_whole(),
        *compared.of_clips("picture", before.video, after.video),
        *compared.of_clips("cover", before.overlays, after.overlays),
        *compared.of_sound(),
        *compared.of_captions(),
    )


class _Edits:
    def __init__(self, before: EDL, after: EDL) -> None:
        self._before = _Edit(before)
        self._after = _Edit(after)

    def of_the_whole(self) -> Iterator[Change]:
        before, after = self._before.edl, self._after.edl
        if before.duration * after.rate != after.duration * before.rate:
            lengths = f"{self._before.seconds(before.duration):.1f} s", f"{self._after.seconds(after.duration):.1f} s"
            yield Change(None, f"lasts {lengths[1]} and not {lengths[0]}")
        for name in ("title", "variant", "rate", "canvas", "director_version"):
            was, now = getattr(before, name), getattr(after, name)
            if was != now:
                yield Change(None, f"{name.replace('_', ' ')} is {_told(now)} and not {_told(was)}")

    def of_clips(self, what: str, before: Sequence[Clip], after: Sequence[Clip]) -> Iterator[Change]:
        was, now = [self._before.part(clip) for clip in before], [self._after.part(clip) for clip in after]
        for kind, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
            if kind == "equal":
                for old, new in zip(before[i:j], after[k:m], strict=True):
                    yield from self._shown_otherwise(what, old, new)
                continue
            yield from (self._gone(what, clip) for clip in before[i:j])
            yield from (self._come(what, clip) for clip in after[k:m])

    def of_sound(self) -> Iterator[Change]:
        before, after = self._before.edl.audio, self._after.edl.audio
        for role in dict.fromkeys(track.role for track in (*before, *after)):
            was, now = (
                [clip for track in tracks if track.role is role for clip in track.clips] for tracks in (before, after)
            )
            yield from self.of_clips(f"{role.replace('_', ' ')} sound", was, now)

    def of_captions(self) -> Iterator[Change]:
        was, now = ([caption.lines for caption in edit.edl.captions] for edit in (self._before, self._after))
        for kind, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
            if kind != "equal":
                old, new = self._before.edl.captions[i:j], self._after.edl.captions[k:m]
                at = self._after.seconds(new[0].start) if new else self._before.seconds(old[0].start)
                yield Change(at, f"caption: {_text(new)} and not {_text(old)}")

    def _gone(self, what: str, clip: Clip) -> Change:
        edit = self._before
        return Change(edit.seconds(clip.start), f"{what} gone: {edit.described(clip)}", edit.why(clip))

    def _come(self, what: str, clip: Clip) -> Change:
        edit = self._after
        return Change(edit.seconds(clip.start), f"{what} new: {edit.described(clip)}", edit.why(clip))

    def _shown_otherwise(self, what: str, old: Clip, new: Clip) -> Iterator[Change]:
        how = [name for name in _HOW if getattr(old, name, None) != getattr(new, name, None)]
        if how:
            at, names = self._after.seconds(new.start), " and ".join(_HOW[name] for name in how)
            yield Change(at, f"{what} {self._after.described(new)}: other {names}", self._after.why(new))


#: What of a clip that shows the same part can change, in a reader's words.
_HOW = {
    "crop": "framing",
    "fit": "fit",
    "place": "place on the canvas",
    "grade": "grade",
    "dissolve_in": "dissolve",
    "gain": "level",
    "fade_in": "fade in",
    "fade_out": "fade out",
}


class _Edit:
    """One of two edits, and how its clips are told."""

    def __init__(self, edl: EDL) -> None:
        self.edl = edl
        self._sources = {source.id: source for source in edl.sources}
        self._decisions = {decision.id: decision for decision in edl.decisions}

    def part(self, clip: Clip) -> tuple[str, int, Fraction]:
        """What identifies a clip in another edit: the file's content, the in point and the length."""
        return self._sources[clip.source].sha256, clip.source_in, clip.duration / self.edl.rate

    def described(self, clip: Clip) -> str:
        return (
            f"{self._sources[clip.source].name} from {self._in_s(clip):.1f} s for {self.seconds(clip.duration):.1f} s"
        )

    def why(self, clip: Clip) -> str:
        decision: Decision = self._decisions[clip.reason]
        return decision.sentence

    def seconds(self, frames: int) -> float:
        return frame_to_us(frames, self.edl.rate) / 1e6

    def _in_s(self, clip: Clip) -> float:
        source = self._sources[clip.source]
        if isinstance(clip, AudioClip) or source.video is None:
            return clip.source_in / self.edl.sample_rate
        return float((clip.source_in - source.video.start_pts) * source.video.time_base)


def _told(value: object) -> str:
    size = getattr(value, "width", None), getattr(value, "height", None)
    return str(value) if None in size else f"{size[0]}x{size[1]}"


def _text(captions: Sequence[Caption]) -> str:
    return f"“{' '.join(line for caption in captions for line in caption.lines)}”" if captions else "nothing"
