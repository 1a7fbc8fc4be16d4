"""An edit changed as a person would change it."""

from typing import TypeVar

from schemas.edl import EDL, SAMPLE_RATE, AudioClip, Caption, CropKey, VideoClip
from schemas.timebase import frame_to_sample, round_half_up
from schemas.timeline import crop_at

Clip = TypeVar("Clip", VideoClip, AudioClip)


def beginning_at(edl: EDL, frame: int) -> EDL:
    """The same edit without its first frames."""
    sources = {source.id: source for source in edl.sources}

    def picture(clip: VideoClip) -> VideoClip:
        cut, video = max(0, frame - clip.start), sources[clip.source].video
        assert video is not None
        if not cut:
            return moved(clip)
        into = round_half_up(cut / edl.rate / video.time_base)
        now = crop_at(clip.crop, cut, clip.motion) if clip.crop else None
        later = tuple(key.model_copy(update={"frame": key.frame - cut}) for key in clip.crop if key.frame > cut)
        first = () if now is None else (CropKey(frame=0, x=now.x, y=now.y, width=now.width, height=now.height),)
        changes = {"source_in": clip.source_in + into, "duration": clip.duration - cut, "crop": (*first, *later)}
        return moved(clip.model_copy(update={**changes, "fade_in": 0}))

    def sound(clip: AudioClip) -> AudioClip:
        cut = max(0, frame - clip.start)
        if not cut:
            return moved(clip)
        into = frame_to_sample(cut, edl.rate, SAMPLE_RATE)
        gain = tuple(key.model_copy(update={"frame": max(0, key.frame - cut)}) for key in clip.gain[-1:])
        changes = {"source_in": clip.source_in + into, "duration": clip.duration - cut, "gain": gain}
        return moved(clip.model_copy(update={**changes, "fade_in": 0}))

    def moved(clip: Clip) -> Clip:
        return clip.model_copy(update={"start": max(0, clip.start - frame)})

    tracks = tuple(
        track.model_copy(update={"clips": tuple(sound(clip) for clip in track.clips if clip.end > frame)})
        for track in edl.audio
    )
    return EDL.model_validate(
        {
            **dict(edl),
            "duration": edl.duration - frame,
            "video": tuple(picture(clip) for clip in edl.video if clip.end > frame),
            "overlays": tuple(picture(clip) for clip in edl.overlays if clip.end > frame),
            "audio": tracks,
            "captions": tuple(
                Caption(start=max(0, caption.start - frame), end=caption.end - frame, lines=caption.lines)
                for caption in edl.captions
                if caption.end > frame
            ),
        }
    )
