"""Facts of every kind, as hypothesis strategies: wild ones, and those of an untidy but real talk."""

from fractions import Fraction

from hypothesis import Phase
from hypothesis import strategies as st

from director import PlanOptions
from schemas.edl import CaptionLook
from schemas.facts import (
    Activity,
    Alignment,
    AssetFacts,
    CameraMove,
    ChangedRegion,
    EmbeddedFrame,
    EmbeddedPassage,
    EmbeddingSpace,
    Faces,
    FaceSample,
    FaceTrack,
    ImageEmbeddings,
    Picture,
    PictureMeasures,
    Region,
    ShotPicture,
    Shots,
    Sound,
    Span,
    SpeechEmbeddings,
    Transcript,
    Word,
)
from schemas.jobs import CaptionChoice, EditStyle, Pace
from schemas.media import AssetKind, AudioStream, MediaProbe, VideoStream
from tests.director.director_footage import face_track, recorder, talk, video_stream

#: Without the phase that explains failures, which traces every line of every example.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)

LONGEST_US = 150_000_000
times = st.integers(0, LONGEST_US)
texts = st.sampled_from(
    [
        "so",
        "you",
        "never",
        "Word.",
        "um",
        "why?",
        "camera,",
        "the",
        "…",
        "",
        "\x00",
        "漢字",
        "x" * 200,
        "again",
        "7",
        "a-",
    ]
)


@st.composite
def spans(draw: st.DrawFn, longest_us: int = 3_000_000) -> Span:
    start = draw(times)
    return Span(start_us=start, end_us=start + draw(st.integers(0, longest_us)))


@st.composite
def running_words(draw: st.DrawFn) -> tuple[Word, ...]:
    """Words as a recogniser gives them, roughly in order, sometimes touching or overlapping."""
    position = draw(st.integers(0, 5_000_000))
    words = []
    for _ in range(draw(st.integers(0, 60))):
        position = max(
            0, position + draw(st.sampled_from([-300_000, 0, 0, 20_000, 80_000, 300_000, 600_000, 3_000_000]))
        )
        length = draw(st.sampled_from([0, 10_000, 150_000, 300_000, 450_000, 900_000, 4_000_000]))
        words.append(Word(start_us=position, end_us=position + length, text=draw(texts), probability=0.5))
        position += length
    return tuple(words)


@st.composite
def wild_words(draw: st.DrawFn) -> tuple[Word, ...]:
    found = draw(st.lists(st.tuples(spans(), texts), max_size=20))
    return tuple(Word(start_us=s.start_us, end_us=s.end_us, text=text, probability=1.0) for s, text in found)


unit = st.floats(0, 1, allow_nan=False)


@st.composite
def face_samples(draw: st.DrawFn) -> FaceSample:
    return FaceSample(
        at_us=draw(times),
        left=draw(unit),
        top=draw(unit),
        width=draw(unit),
        height=draw(unit),
        eyes_y=draw(unit),
        score=draw(unit),
    )


@st.composite
def videos(draw: st.DrawFn) -> VideoStream:
    time_base = draw(st.sampled_from([Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 30), Fraction(1)]))
    start = draw(st.integers(0, 40))
    rate = draw(st.sampled_from([Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(1), Fraction(997, 37)]))
    seconds = draw(st.one_of(st.fractions(0, 1, max_denominator=120), st.fractions(1, 140, max_denominator=30)))
    width, height = draw(
        st.sampled_from([(1920, 1080), (540, 960), (640, 640), (16, 16), (1920, 200), (641, 361), (1, 1)])
    )
    return VideoStream(
        index=0,
        codec="h264",
        coded_width=width,
        coded_height=height,
        display_width=width,
        display_height=height,
        time_base=time_base,
        start_pts=start,
        end_pts=start + int(seconds / time_base),
        frame_rate=rate,
        measured_rate=rate,
        variable_frame_rate=draw(st.booleans()),
        frame_count=1,
        pixel_format="yuv420p",
    )


@st.composite
def probes(draw: st.DrawFn) -> MediaProbe:
    """A container with or without a picture and sound, of lengths that need not agree."""
    start_us = draw(st.integers(0, 2_000_000))
    sound = AudioStream(
        index=1,
        codec="aac",
        sample_rate=48_000,
        channels=1,
        layout="mono",
        start_us=start_us,
        end_us=start_us + draw(times),
    )
    has_sound = draw(st.booleans())
    return MediaProbe(
        container="mp4",
        size_bytes=1,
        origin=Fraction(0),
        duration_us=LONGEST_US,
        video=draw(st.none() | videos()),
        audio=(sound,) if has_sound else (),
        dialogue_stream=0 if has_sound else None,
    )


transcripts = st.builds(
    lambda words, fillers: Transcript(model="m", words=words, fillers=tuple(fillers)),
    running_words() | wild_words(),
    st.lists(spans(600_000), max_size=4),
)
shot_lists = st.builds(lambda found: Shots(shots=tuple(found)), st.lists(spans(), max_size=5))
face_tracks = st.builds(
    lambda samples, speaking: FaceTrack(samples=tuple(samples), speaking=tuple(speaking)),
    st.lists(face_samples(), max_size=6),
    st.lists(spans(), max_size=3),
)
faces_found = st.builds(
    lambda tracks: Faces(detector="d", step_us=1, tracks=tuple(tracks)), st.lists(face_tracks, max_size=3)
)
sounds = st.builds(
    lambda speech, silences, lufs, room_tone: Sound(
        integrated_lufs=lufs,
        true_peak_dbtp=None,
        noise_floor_dbfs=None,
        speech=tuple(speech),
        silences=tuple(silences),
        room_tone=room_tone,
    ),
    st.lists(spans(60_000_000), max_size=6),
    st.lists(spans(), max_size=6),
    st.none() | st.floats(-70, 0),
    st.none() | spans(),
)
measures = st.builds(
    ShotPicture,
    start_us=st.just(0),
    end_us=st.just(LONGEST_US),
    measures=st.builds(
        PictureMeasures,
        exposure=unit,
        shadows=unit,
        highlights=unit,
        warmth=st.floats(-1, 1),
        tint=st.floats(-1, 1),
        saturation=unit,
        sharpness=unit,
        move_x=st.just(0.0),
        move_y=st.just(0.0),
        motion=st.just(0.0),
        shake=st.just(0.0),
    ),
    camera=st.just(CameraMove.STILL),
)
pictures = st.builds(
    lambda usable, shots: Picture(step_us=500_000, samples=(), usable=tuple(usable), shots=tuple(shots)),
    st.lists(spans(20_000_000), max_size=3),
    st.lists(measures, max_size=2),
)
activities = st.builds(
    lambda changes: Activity(
        step_us=100_000,
        changes=tuple(
            ChangedRegion(
                start_us=span.start_us, end_us=span.end_us, region=Region(left=0, top=0, width=1, height=1), share=0.5
            )
            for span in changes
        ),
    ),
    st.lists(spans(), max_size=3),
)
alignments = st.builds(
    Alignment,
    reference_sha256=st.sampled_from(["0" * 64, "1" * 64]),
    offset_us=st.integers(-3_000_000, 3_000_000),
    drift_ppm=st.floats(-2000, 2000),
    correlation=unit,
)


vectors = st.binary(min_size=2, max_size=2) | st.binary(min_size=1, max_size=3)
spaces = st.builds(
    EmbeddingSpace, model=st.sampled_from(["m", "n"]), unrelated=st.floats(-1, 1), related=st.floats(-1, 1)
)
image_embeddings = st.builds(
    lambda space, frames: ImageEmbeddings(space=space, frames=tuple(frames)),
    st.none() | spaces,
    st.lists(st.builds(EmbeddedFrame, at_us=times, vector=vectors), max_size=4),
)
speech_embeddings = st.builds(
    lambda space, found: SpeechEmbeddings(
        space=space,
        passages=tuple(
            EmbeddedPassage(start_us=span.start_us, end_us=span.end_us, vector=vector) for span, vector in found
        ),
    ),
    st.none() | spaces,
    st.lists(st.tuples(spans(), vectors), max_size=4),
)


@st.composite
def assets(draw: st.DrawFn, number: int) -> AssetFacts:
    return AssetFacts(
        asset_id=draw(st.sampled_from(["same", f"id-{number}", "bad id!"])),
        name=draw(st.sampled_from(["talk.mp4", "", ".mov", "city camera.mp4"])),
        kind=draw(st.sampled_from(AssetKind)),
        sha256=str(number) * 64,
        probe=draw(probes()),
        transcript=draw(st.none() | transcripts),
        shots=draw(st.none() | shot_lists),
        faces=draw(st.none() | faces_found),
        sound=draw(st.none() | sounds),
        picture=draw(st.none() | pictures),
        activity=draw(st.none() | activities),
        alignments=tuple(draw(st.lists(alignments, max_size=3))),
        image_embeddings=draw(st.none() | image_embeddings),
        speech_embeddings=draw(st.none() | speech_embeddings),
    )


@st.composite
def projects(draw: st.DrawFn) -> list[AssetFacts]:
    return [draw(assets(number)) for number in range(draw(st.integers(0, 3)))]


@st.composite
def plan_options(draw: st.DrawFn) -> PlanOptions:
    count = draw(st.integers(1, 4))
    return PlanOptions(
        pace=draw(st.sampled_from(Pace)),
        number=draw(st.integers(1, count)),
        count=count,
        style=draw(st.sampled_from(EditStyle)),
        captions=draw(st.none() | st.sampled_from(CaptionChoice)),
        caption_look=draw(st.sampled_from(CaptionLook)),
    )


#: What may follow a word, in seconds; long words and overlaps happen.
GAPS = (0.0, 0.0, 0.01, 0.04, 0.1, 0.2, 0.3, 0.5, 0.9, 2.5, -0.2)
LENGTHS = (0.05, 0.2, 0.3, 0.35, 0.5, 0.5, 0.9, 3.0)


@st.composite
def talks(draw: st.DrawFn) -> list[AssetFacts]:
    """A long enough talk with untidy words, faces that walk about, B-roll, a screen, a recorder and music."""
    rng = draw(st.randoms(use_true_random=False))
    vocabulary = ["you", "never", "this", "so", "um", "camera,", "seven", "light", "why?", "ends.", "Done.", "again"]
    position, words = rng.uniform(0, 4), []
    while position < rng.choice([20, 60, 130, 130]):
        length = rng.choice(LENGTHS)
        start = int(position * 1e6)
        words.append(
            Word(start_us=start, end_us=start + int(length * 1e6), text=rng.choice(vocabulary), probability=0.9)
        )
        position = max(0.0, position + length + rng.choice(GAPS))
    seconds = max(word.end_us for word in words) / 1e6 + rng.uniform(-2, 3)
    rate = rng.choice([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)])
    size = rng.choice([(1920, 1080), (1280, 720), (1080, 1920), (720, 720)])
    left = rng.uniform(0, 0.8)
    faces = [(i / 2, min(0.85, max(0.0, left + rng.gauss(0, 0.02) + 0.3 * (i // 40 % 2))), 0.2) for i in range(200)]
    shots = sorted(rng.uniform(0.1, seconds - 0.1) for _ in range(rng.choice([0, 3])))
    video = video_stream(seconds, width=size[0], height=size[1], rate=rate, start_pts=rng.choice([0, 7, 90_001]))
    turns = [(at, at + rng.uniform(0.2, 4)) for at in (rng.uniform(0, seconds) for _ in range(rng.choice([0, 5])))]
    main = talk(seconds, words, video=video, tracks=[face_track(*faces, speaking=turns)], shots=shots)
    main = _with_quiet_and_fillers(main, [rng.uniform(0, seconds) for _ in range(rng.choice([0, 8]))])
    others = [
        talk(20, ident="city", name="camera.mp4", kind=AssetKind.B_ROLL, digest="b", shots=[4, 9]),
        talk(
            30, ident="screen", name="screen.mov", kind=AssetKind.SCREEN, digest="c", video=video_stream(30, width=1000)
        ),
        recorder(main, offset_us=rng.randint(-900_000, 900_000), drift_ppm=rng.uniform(-400, 400), correlation=0.8),
        recorder(main, offset_us=0, drift_ppm=0, correlation=0.1, ident="bed", name="bed.mp3", digest="e"),
    ]
    return [main, *(one for one in others if rng.random() < 0.5)]


def _with_quiet_and_fillers(main: AssetFacts, at: list[float]) -> AssetFacts:
    """The talk with sounds of hesitation at these seconds, and a second of room tone from its start."""
    if main.transcript is None or main.sound is None:
        return main
    fillers = tuple(Span(start_us=int(1e6 * second), end_us=int(1e6 * second) + 350_000) for second in sorted(at))
    tone = Span(start_us=0, end_us=1_000_000)
    return main.model_copy(
        update={
            "transcript": main.transcript.model_copy(update={"fillers": fillers}),
            "sound": main.sound.model_copy(update={"room_tone": tone}),
        }
    )
