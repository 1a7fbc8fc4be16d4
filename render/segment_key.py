"""What pictures and sound of an edit depend on, as keys: the same key always stands for the same content.

Words are in no key: why a clip is where it is, what sources and decisions are called, who directed.

A segment is described relative to itself: by what its frames show, not by where they lie on the timeline, so that it
keeps its key when something before or after it changes.
"""

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from hashlib import sha256
from math import floor
from typing import Any

from render.segments import Segment
from render.version import ENGINE_VERSION
from schemas.edl import EDL, Source, SourceVideo, VideoClip
from schemas.rendering import EncoderSettings
from schemas.timeline import crop_moves

#: What a clip says that is the same for each of its frames.
_OF_EVERY_FRAME = frozenset({"fit", "grade", "place", "motion"})
#: What is told apart below, frame by frame, or does not show.
_TOLD = frozenset(
    {"id", "reason", "source", "start", "duration", "source_in", "source_out", "crop"}
    | {"fade_in", "fade_out", "dissolve_in"}
)
#: What of an edit the sound does not depend on, or is told apart below.
_UNHEARD = frozenset(
    {"director_version", "variant", "title", "canvas", "sources", "video", "overlays", "decisions"}
    | {"captions", "caption_style"}
)


def segment_key(edl: EDL, segment: Segment, encoder: EncoderSettings) -> str:
    """SHA-256, in hex, of all that a segment's picture depends on: what shows, its sources, the encoder, the engine."""
    return _key(
        {
            "engine": ENGINE_VERSION,
            "encoder": encoder.model_dump(mode="json", exclude={"audio_bitrate"}),
            "canvas": edl.canvas.model_dump(mode="json"),
            "rate": str(edl.rate),
            "frames": segment.frames,
            "base": list(_clips(edl, edl.video, segment)),
            "overlays": list(_clips(edl, edl.overlays, segment)),
            "captions": _captions(edl, segment),
        }
    )


def video_key(edl: EDL, encoder: EncoderSettings) -> str:
    """SHA-256, in hex, of all that a finished video depends on: its picture, with what is drawn in, and its sound.

    What lies beside the video follows from the edit's words too: subtitles, and what a report says of them.
    """
    whole = Segment(0, edl.duration)
    return _key({"picture": segment_key(edl, whole, encoder), "sound": sound_key(edl, encoder)})


def sound_key(edl: EDL, encoder: EncoderSettings) -> str:
    """SHA-256, in hex, of all that an edit's whole sound depends on."""
    heard = {clip.source for track in edl.audio for clip in track.clips}
    return _key(
        {
            "engine": ENGINE_VERSION,
            "bitrate": encoder.audio_bitrate,
            "edit": _unnamed(edl.model_dump(mode="json", exclude=set(_UNHEARD))),
            "speech": bool(edl.captions),
            "sources": {
                source.id: source.model_dump(mode="json", exclude={"name", "video"})
                for source in edl.sources
                if source.id in heard
            },
        }
    )


def _key(described: Mapping[str, Any]) -> str:
    return sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _unnamed(node: Any) -> Any:
    """Without the names of clips and of the decisions behind them."""
    if isinstance(node, list):
        return [_unnamed(item) for item in node]
    if isinstance(node, dict):
        return {name: _unnamed(value) for name, value in node.items() if name not in {"id", "reason"}}
    return node


def _clips(edl: EDL, clips: tuple[VideoClip, ...], segment: Segment) -> Iterator[dict[str, Any]]:
    """What each clip shows inside the segment; with what is still seen of the clip before it."""
    sources = {source.id: source for source in edl.sources}
    before: VideoClip | None = None
    for clip in clips:
        if clip.start < segment.end and clip.end > segment.first:
            told = _clip(clip, sources[clip.source], segment, edl.rate)
            if before is not None and segment.first - clip.start < clip.dissolve_in:
                told["dissolve"] = [clip.dissolve_in, _whole(before, sources[before.source], segment.first)]
            yield told
        before = clip


def _clip(clip: VideoClip, source: Source, segment: Segment, rate: Fraction) -> dict[str, Any]:
    begin, stop = max(clip.start, segment.first), min(clip.end, segment.end)
    offset, remaining = begin - clip.start, clip.end - stop
    fields = clip.model_dump(mode="json")
    told: dict[str, Any] = {
        "frames": [begin - segment.first, stop - segment.first],
        **_material(clip, source, (offset, stop - clip.start), rate),
        "crop": _crop(clip, offset),
        **{name: fields[name] for name in _OF_EVERY_FRAME & fields.keys()},
    }
    if offset < clip.fade_in:
        told["fade_in"] = [clip.fade_in, offset]
    if remaining < clip.fade_out:
        told["fade_out"] = [clip.fade_out, clip.end - begin]
    if any(_says_more(clip, name) for name in fields.keys() - _TOLD - _OF_EVERY_FRAME):
        # What is not known here may depend on all of the clip.
        told["whole"] = _whole(clip, source, segment.first)
    return told


def _says_more(clip: VideoClip, name: str) -> bool:
    return bool(getattr(clip, name) != VideoClip.model_fields[name].get_default(call_default_factory=True))


def _material(clip: VideoClip, source: Source, shown: tuple[int, int], rate: Fraction) -> dict[str, Any]:
    """Which moments of the source its clip-relative frames ``shown`` show, as ``render.timeline.source_tick`` says."""
    video = _video(source)
    first, end = shown
    ticks_per_frame = 1 / (rate * video.time_base)
    last_tick = floor(clip.source_in + (end - Fraction(1, 2)) * ticks_per_frame)
    told = {
        "source": source.sha256,
        "stream": video.model_dump(mode="json"),
        "from": str(clip.source_in + first * ticks_per_frame),
    }
    return told if last_tick < clip.source_out else {**told, "held_from": clip.source_out - 1}


def _crop(clip: VideoClip, offset: int) -> list[dict[str, int]]:
    """A crop that stands still is the same anywhere in its clip; of one that moves, every key has a say in its size."""
    if crop_moves(clip.crop):
        return [key.model_dump() | {"frame": key.frame - offset} for key in clip.crop]
    return [key.model_dump(exclude={"frame"}) for key in clip.crop[:1]]


def _whole(clip: VideoClip, source: Source, first: int) -> dict[str, Any]:
    fields = clip.model_dump(mode="json", exclude={"id", "reason", "source"})
    stream = _video(source).model_dump(mode="json")
    return {**fields, "start": clip.start - first, "source": source.sha256, "stream": stream}


def _video(source: Source) -> SourceVideo:
    if source.video is None:
        raise ValueError(f"source {source.id} has no picture")
    return source.video


def _captions(edl: EDL, segment: Segment) -> dict[str, Any] | None:
    """The captions that are drawn into the segment, and how."""
    style = edl.caption_style
    drawn = [caption for caption in edl.captions if caption.start < segment.end and caption.end > segment.first]
    if style is None or not style.burn_in or not drawn:
        return None
    return {
        "style": style.model_dump(mode="json"),
        "shown": [_shifted(caption.model_dump(mode="json"), segment.first) for caption in drawn],
    }


def _shifted(node: Any, first: int) -> Any:
    """With every ``start`` and ``end`` counted from frame ``first``."""
    if isinstance(node, list):
        return [_shifted(item, first) for item in node]
    if isinstance(node, dict):
        return {
            name: value - first if name in {"start", "end"} else _shifted(value, first) for name, value in node.items()
        }
    return node
