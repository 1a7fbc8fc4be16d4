"""A clip that another program shortened, lengthened or slipped: the same clip for another part of its source."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from director.interchange.source_frames import first_frame
from schemas.edl import SAMPLE_RATE, AudioClip, CropKey, GainKey, Source, VideoClip
from schemas.invalid_input import InvalidInput
from schemas.timebase import frame_to_sample, round_half_up
from schemas.timeline import crop_at

Key = TypeVar("Key", CropKey, GainKey)


def trimmed_picture(clip: VideoClip, source: Source, rate: Fraction, first: int, duration: int) -> VideoClip:
    """``clip`` with its in point at source frame ``first`` and a length of ``duration`` frames.

    Raises:
        InvalidInput: the source has no picture, or none there.
    """
    video = source.video
    if video is None:
        raise InvalidInput.of(f"clip {clip.id}", "wants a picture of media that has none")
    later = first - first_frame(clip, source, rate)
    if (later, duration) == (0, clip.duration):
        return clip
    source_in = clip.source_in + round_half_up(later / rate / video.time_base)
    source_out = source_in + round_half_up(duration / rate / video.time_base)
    if not (
        video.start_pts <= source_in and source_out <= video.end_pts + round_half_up(1 / (2 * rate) / video.time_base)
    ):
        raise InvalidInput.of(f"clip {clip.id}", f"goes beyond what there is of {source.name}")
    return clip.model_copy(
        update={
            "duration": duration,
            "source_in": source_in,
            "source_out": min(source_out, video.end_pts),
            "crop": _keys(clip.crop, later, duration, lambda frame: _crop(clip, frame)),
            "dissolve_in": min(clip.dissolve_in, duration),
            "fade_in": min(clip.fade_in, duration),
            "fade_out": min(clip.fade_out, duration - min(clip.fade_in, duration)),
        }
    )


def trimmed_sound(clip: AudioClip, source: Source, rate: Fraction, first: int, duration: int) -> AudioClip:
    """``clip`` with its in point at source frame ``first``, to the sample as far as it was moved by whole frames.

    Raises:
        InvalidInput: the source has no sound there.
    """
    later = first - first_frame(clip, source, rate)
    if (later, duration) == (0, clip.duration):
        return clip
    source_in = clip.source_in + frame_to_sample(later, rate, SAMPLE_RATE)
    if source_in < 0:
        raise InvalidInput.of(f"clip {clip.id}", f"goes beyond what there is of {source.name}")
    length = frame_to_sample(duration, rate, SAMPLE_RATE)
    return clip.model_copy(
        update={
            "duration": duration,
            "source_in": source_in,
            "gain": _keys(clip.gain, later, duration, lambda frame: _gain(clip.gain, frame)),
            "fade_in": min(clip.fade_in, length),
            "fade_out": min(clip.fade_out, length),
        }
    )


def _keys(keys: Sequence[Key], later: int, duration: int, at: Callable[[int], Key]) -> tuple[Key, ...]:
    """The keys of what is left, with one at its first frame where a move began before it."""
    kept = [key.model_copy(update={"frame": key.frame - later}) for key in keys if 0 <= key.frame - later < duration]
    begun = any(key.frame < later for key in keys)
    if begun and (not kept or kept[0].frame > 0):
        kept.insert(0, at(later).model_copy(update={"frame": 0}))
    return tuple(kept) if kept or not keys else (keys[0].model_copy(update={"frame": 0}),)


def _crop(clip: VideoClip, frame: int) -> CropKey:
    area = crop_at(clip.crop, frame, clip.motion)
    return CropKey(frame=0, x=round(area.x), y=round(area.y), width=round(area.width), height=round(area.height))


def _gain(keys: tuple[GainKey, ...], frame: int) -> GainKey:
    before = [key for key in keys if key.frame <= frame]
    after = [key for key in keys if key.frame >= frame]
    if not before or not after or before[-1] is after[0]:
        return (before or after)[-1 if before else 0]
    start, end = before[-1], after[0]
    share = Fraction(frame - start.frame, end.frame - start.frame)
    return GainKey(frame=0, gain=round_half_up(start.gain + (end.gain - start.gain) * share))
