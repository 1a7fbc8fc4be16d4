"""Facts made by hand: a speaker who says given sentences at given times."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from schemas.facts import (
    Alignment,
    AssetFacts,
    CameraMove,
    Faces,
    FaceSample,
    FaceTrack,
    Picture,
    PictureMeasures,
    ShotPicture,
    Shots,
    Sound,
    Span,
    Transcript,
    Word,
)
from schemas.media import AssetKind, AudioStream, MediaProbe, VideoStream

SECOND = 1_000_000


def video_stream(
    seconds: float, *, width: int = 1920, height: int = 1080, rate: Fraction = Fraction(30), start_pts: int = 0
) -> VideoStream:
    ticks = round(seconds * 90_000)
    return VideoStream(
        index=0,
        codec="h264",
        coded_width=width,
        coded_height=height,
        display_width=width,
        display_height=height,
        time_base=Fraction(1, 90_000),
        start_pts=start_pts,
        end_pts=start_pts + ticks,
        frame_rate=rate,
        measured_rate=rate,
        variable_frame_rate=False,
        frame_count=max(1, int(seconds * rate)),
        pixel_format="yuv420p",
    )


def audio_stream(seconds: float) -> AudioStream:
    return AudioStream(
        index=1, codec="aac", sample_rate=48_000, channels=2, layout="stereo", start_us=0, end_us=int(seconds * SECOND)
    )


def say(*lines: tuple[float, str], word_s: float = 0.3, gap_s: float = 0.05) -> tuple[Word, ...]:
    """Words of each line, from its start on, each ``word_s`` long and ``gap_s`` apart."""
    words = []
    for start, text in lines:
        for number, token in enumerate(text.split()):
            at = round((start + number * (word_s + gap_s)) * SECOND)
            words.append(Word(start_us=at, end_us=at + round(word_s * SECOND), text=token, probability=0.9))
    return tuple(words)


def voice_of(words: Sequence[Word]) -> tuple[Span, ...]:
    return tuple(Span(start_us=word.start_us, end_us=word.end_us) for word in words)


def face_track(
    *samples: tuple[float, float, float], size: float = 0.15, speaking: Sequence[tuple[float, float]] = ()
) -> FaceTrack:
    """A face of ``size`` (share of the width) at (seconds, left, top), that speaks from and to these seconds."""
    return FaceTrack(
        speaking=tuple(Span(start_us=round(a * SECOND), end_us=round(b * SECOND)) for a, b in speaking),
        samples=tuple(
            FaceSample(
                at_us=round(at * SECOND),
                left=left,
                top=top,
                width=size,
                height=size,
                eyes_y=min(1.0, top + 0.4 * size),
                score=0.9,
            )
            for at, left, top in samples
        ),
    )


def talk(
    seconds: float,
    words: Sequence[Word] = (),
    *,
    name: str = "talk.mp4",
    ident: str = "talk",
    kind: AssetKind = AssetKind.A_ROLL,
    video: VideoStream | None = None,
    sound: bool = True,
    tracks: Sequence[FaceTrack] = (),
    shots: Sequence[float] = (),
    digest: str = "a",
) -> AssetFacts:
    """A piece of footage and what was measured in it."""
    audio = (audio_stream(seconds),) if sound else ()
    bounds = [0.0, *shots, seconds]
    return AssetFacts(
        asset_id=ident,
        name=name,
        kind=kind,
        sha256=digest * 64,
        probe=MediaProbe(
            container="mp4",
            size_bytes=1000,
            origin=Fraction(0),
            duration_us=round(seconds * SECOND),
            video=video or video_stream(seconds),
            audio=audio,
            dialogue_stream=0 if sound else None,
        ),
        transcript=Transcript(model="test", language="en", language_probability=1.0, words=tuple(words)),
        shots=Shots(
            shots=tuple(Span(start_us=round(a * SECOND), end_us=round(b * SECOND)) for a, b in pairwise(bounds))
        ),
        faces=Faces(detector="test", step_us=500_000, tracks=tuple(tracks)),
        sound=Sound(integrated_lufs=-20.0, true_peak_dbtp=-3.0, noise_floor_dbfs=-60.0, speech=voice_of(words))
        if sound
        else None,
    )


def recorder(
    main: AssetFacts,
    *,
    offset_us: int,
    drift_ppm: float,
    correlation: float,
    ident: str = "recorder",
    name: str = "recorder.wav",
    digest: str = "d",
) -> AssetFacts:
    """A separate audio file that was measured against ``main``; with little correlation it is music."""
    seconds = main.probe.duration_us / SECOND + 2
    return AssetFacts(
        asset_id=ident,
        name=name,
        kind=AssetKind.AUDIO,
        sha256=digest * 64,
        probe=MediaProbe(
            container="wav",
            size_bytes=1000,
            origin=Fraction(0),
            duration_us=round(seconds * SECOND),
            video=None,
            audio=(audio_stream(seconds),),
            dialogue_stream=0,
        ),
        sound=Sound(integrated_lufs=-18.0, true_peak_dbtp=-1.0, noise_floor_dbfs=-60.0),
        alignments=(
            Alignment(reference_sha256=main.sha256, offset_us=offset_us, drift_ppm=drift_ppm, correlation=correlation),
        ),
    )


def lit(facts: AssetFacts, exposure: float, warmth: float = 0.0) -> AssetFacts:
    """The footage, measured to look the same from its start to its end."""
    measures = PictureMeasures(
        exposure=exposure,
        shadows=0.1,
        highlights=0.9,
        warmth=warmth,
        tint=0.0,
        saturation=0.2,
        sharpness=0.5,
        move_x=0.0,
        move_y=0.0,
        motion=0.0,
        shake=0.0,
    )
    whole = ShotPicture(start_us=0, end_us=facts.probe.duration_us, measures=measures, camera=CameraMove.STILL)
    return facts.model_copy(update={"picture": Picture(step_us=500_000, samples=(), shots=(whole,))})
