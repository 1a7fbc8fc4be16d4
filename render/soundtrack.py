"""All sound of an edit: mixed on one clock and mastered in one piece, whatever the picture is cut into."""

from time import perf_counter

from render.denoising import add_denoised
from render.master import EncodedSound, master, quietest_levelled
from render.mix import PcmFile, mix_clips
from render.readers import damage_note
from render.timeline import total_samples
from schemas.delivery import StageTime
from schemas.progress import ProgressCallback
from schemas.rendering import RenderRequest


def make_soundtrack(request: RenderRequest, progress: ProgressCallback) -> tuple[EncodedSound, StageTime, list[str]]:
    """Mix and master the edit's sound into a file of packets in the request's folder.

    Returns:
        The sound, how long it took, and notes for the creator.

    Raises:
        MediaRefused: A source cannot be read.
    """
    started = perf_counter()
    path = request.folder / "mix.f32"
    with PcmFile(path, total_samples(request.edl)) as mix:
        damaged = mix_timeline(request, mix, lambda done: progress(done / 2))
        bitrate = request.encoder.audio_bitrate
        quietest = quietest_levelled(request.edl)
        sound, notes = master(mix, request.folder, bitrate, quietest, lambda done: progress(0.5 + done / 2))
    path.unlink()
    took = StageTime(stage="sound", seconds=perf_counter() - started)
    return sound, took, [*(damage_note(name) for name in damaged), *notes]


def mix_timeline(request: RenderRequest, target: PcmFile, progress: ProgressCallback) -> list[str]:
    """Sum every track into ``target``; returns the names of sources whose sound was damaged.

    Tracks whose noise is to be lowered are mixed by themselves first, so that the others keep theirs.
    """
    edl, sources = request.edl, request.sources
    plain = [clip for track in edl.audio if not track.noise_reduction for clip in track.clips]
    damaged = mix_clips(plain, edl, sources, target, progress)
    for number, track in enumerate(edl.audio):
        if track.noise_reduction:
            path = request.folder / f"track-{number}.f32"
            with PcmFile(path, target.samples) as alone:
                damaged += mix_clips(track.clips, edl, sources, alone, progress)
                add_denoised(alone, target)
            path.unlink()
    return list(dict.fromkeys(damaged))
