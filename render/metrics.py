"""The dashboard numbers of a finished output, from its edit."""

from itertools import pairwise

from render.loudness import Loudness
from render.timeline import find_source
from schemas.delivery import RenderMetrics, StageTime
from schemas.edl import EDL
from schemas.media import AssetKind
from schemas.timeline import Stretch, visible_stretches


def metrics(edl: EDL, loudness: Loudness, stages: tuple[StageTime, ...]) -> RenderMetrics:
    duration_s = float(edl.duration / edl.rate)
    stretches = visible_stretches(edl)
    cuts = sum(_is_cut(edl, before, after) for before, after in pairwise(stretches))
    words = sum(len(line.split()) for caption in edl.captions for line in caption.lines)
    b_roll = sum(s.end - s.first for s in stretches if find_source(edl.sources, s.clip.source).kind is AssetKind.B_ROLL)
    return RenderMetrics(
        duration_s=duration_s,
        cuts_per_minute=cuts * 60 / duration_s,
        mean_shot_s=duration_s / (cuts + 1),
        b_roll_share=b_roll / edl.duration,
        words_per_minute=words * 60 / duration_s,
        removed_s=_removed_s(edl, duration_s),
        integrated_lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
        stages=stages,
    )


def _is_cut(edl: EDL, before: Stretch, after: Stretch) -> bool:
    """Whether a viewer sees a change: another source or framing, or a jump in time of more than a frame."""
    a, b = before.clip, after.clip
    if a.source != b.source or a.crop != b.crop or a.fit != b.fit:
        return True
    video = find_source(edl.sources, a.source).video
    if video is None:
        return True
    shown_until = a.source_in + (before.end - a.start) / (edl.rate * video.time_base)
    shown_from = b.source_in + (after.first - b.start) / (edl.rate * video.time_base)
    return abs(shown_from - shown_until) * video.time_base * edl.rate > 1


def _removed_s(edl: EDL, duration_s: float) -> float:
    """How much shorter the edit is than the main footage it was cut from."""
    used = {clip.source for clip in edl.video}
    main = [s.video for s in edl.sources if s.id in used and s.kind is not AssetKind.B_ROLL and s.video is not None]
    footage_s = sum(float((video.end_pts - video.start_pts) * video.time_base) for video in main)
    return max(0.0, footage_s - duration_s)
