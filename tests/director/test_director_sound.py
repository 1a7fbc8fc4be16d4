"""What is heard: joins, a separate recording, music."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from director import PlanOptions, plan, review
from schemas.edl import EDL, SAMPLE_RATE, AudioClip, AudioRole, Variant
from schemas.facts import Alignment, AssetFacts, Span
from schemas.media import AssetKind, AudioStream
from tests.director.director_footage import audio_stream, recorder, say, talk

pytestmark = pytest.mark.unit

FULL = Variant.CINEMATIC_FULL


def monologue(seconds: int = 60) -> AssetFacts:
    return talk(seconds, say(*((1 + 4.0 * i, f"Glass {i} bends the light.") for i in range(seconds // 4 - 1))))


def clips(edl: EDL, role: AudioRole) -> tuple[AudioClip, ...]:
    return next((track.clips for track in edl.audio if track.role is role), ())


def test_dialogue_stays_with_its_picture() -> None:
    edl = plan([monologue()], FULL, PlanOptions())
    for picture, sound in zip(edl.video, clips(edl, AudioRole.DIALOGUE), strict=True):
        assert picture.start == sound.start
        assert abs(picture.source_in / 90_000 - sound.source_in / SAMPLE_RATE) < 1 / 48_000


def test_joins_crossfade_in_10_to_30_ms_and_the_two_fades_match() -> None:
    dialogue = clips(plan([monologue()], FULL, PlanOptions()), AudioRole.DIALOGUE)
    for before, after in pairwise(dialogue):
        assert before.fade_out == after.fade_in
        assert 0.010 <= after.fade_in / SAMPLE_RATE <= 0.030


def test_an_aligned_recording_replaces_the_camera_sound_at_its_offset() -> None:
    main = monologue()
    edl = plan([main, recorder(main, offset_us=500_000, drift_ppm=0, correlation=0.9)], FULL, PlanOptions())
    dialogue = clips(edl, AudioRole.DIALOGUE)
    assert {clip.source for clip in dialogue} == {"recorder"}
    for picture, sound in zip(edl.video, dialogue, strict=True):
        assert abs(sound.source_in / SAMPLE_RATE - picture.source_in / 90_000 - 0.5) < 0.0001
    assert any(decision.kind == "separate_sound" for decision in edl.decisions)


@pytest.mark.parametrize("drift_ppm", [250.0, -900.0])
def test_drift_never_grows_to_half_a_frame(drift_ppm: float) -> None:
    words = say((1, " ".join(f"glass{i}" for i in range(150))), gap_s=0.1)
    main = talk(70, words)
    edl = plan([main, recorder(main, offset_us=200_000, drift_ppm=drift_ppm, correlation=0.9)], FULL, PlanOptions())
    for clip in clips(edl, AudioRole.DIALOGUE):
        picture = next(one for one in edl.video if one.start <= clip.start < one.end)
        for frame in (clip.start, clip.end):
            at = picture.source_in / 90_000 + (frame - picture.start) / edl.rate
            heard = clip.source_in / SAMPLE_RATE + (frame - clip.start) / edl.rate
            assert abs(heard - (at + 0.2 + at * drift_ppm / 1e6)) < 0.5 / edl.rate


def test_a_recording_that_misses_a_stretch_leaves_the_camera_sound_there() -> None:
    main = monologue()
    edl = plan([main, recorder(main, offset_us=-20_000_000, drift_ppm=0, correlation=0.9)], FULL, PlanOptions())
    assert next(clip.source for clip in clips(edl, AudioRole.DIALOGUE)) == "talk"
    assert [clip.source for clip in clips(edl, AudioRole.DIALOGUE)][-1] == "recorder"


def test_music_lies_low_under_speech_and_fades_out() -> None:
    main = monologue()
    edl = plan([main, recorder(main, offset_us=0, drift_ppm=0, correlation=0.1)], FULL, PlanOptions())
    (bed,) = clips(edl, AudioRole.MUSIC)
    assert bed.duration == edl.duration
    assert min(key.gain for key in bed.gain) == -3400 + 1800
    assert bed.fade_out > 0


def test_sound_that_has_no_place_is_named() -> None:
    main = monologue()
    other = recorder(main, offset_us=0, drift_ppm=0, correlation=0.1, name="interview.wav")
    assert other.sound
    spoken = other.sound.model_copy(update={"speech": main.sound.speech if main.sound else ()})
    edl = plan([main, other.model_copy(update={"sound": spoken})], FULL, PlanOptions())
    assert next(d.sentence for d in edl.decisions if d.kind == "unused_sound").startswith("interview.wav is not used")


def test_sound_that_ends_before_the_picture_is_not_read_past_its_end() -> None:
    main = monologue(20)
    stream = AudioStream(
        index=1, codec="aac", sample_rate=48_000, channels=1, layout="mono", start_us=0, end_us=9_900_000
    )
    edl = plan(
        [main.model_copy(update={"probe": main.probe.model_copy(update={"audio": (stream,)})})], FULL, PlanOptions()
    )
    last = clips(edl, AudioRole.DIALOGUE)[-1]
    assert last.source_in + last.duration * 1600 <= 475_200


def in_noise(facts: AssetFacts, floor_dbfs: float, music: Sequence[Span] = (), pauses_s: float = 0.9) -> AssetFacts:
    """The same with the noise of its room at this level, heard alone for so long; the speech is at -20 LUFS."""
    assert facts.sound
    pause = Span(start_us=0, end_us=round(pauses_s * 1_000_000))
    measured = {"noise_floor_dbfs": floor_dbfs, "music": tuple(music), "silences": (pause,)}
    return facts.model_copy(update={"sound": facts.sound.model_copy(update=measured)})


def test_the_noise_of_a_noisy_room_is_lowered_and_the_reason_is_told() -> None:
    edl = plan([in_noise(monologue(), -48)], FULL, PlanOptions())
    (track,) = edl.audio
    assert track.noise_reduction
    (why,) = [decision for decision in edl.decisions if decision.kind == "noise_reduction"]
    assert "28 dB below the speech" in why.sentence
    assert [one.value for one in why.evidence] == ["-48.0 dBFS", "-20.0 LUFS"]


@pytest.mark.parametrize(
    "facts",
    [
        in_noise(monologue(), -60),
        in_noise(monologue(), -40, [Span(start_us=0, end_us=20_000_000)]),
        in_noise(talk(20), -40),
        in_noise(monologue(), -50, pauses_s=0.2),
        in_noise(monologue(), -32),
    ],
    ids=["clean", "music", "nobody speaks", "no pause", "too near"],
)
def test_what_is_clean_or_music_is_left_as_it_is(facts: AssetFacts) -> None:
    edl = plan([facts], FULL, PlanOptions())
    assert not any(track.noise_reduction for track in edl.audio)


def test_of_two_recordings_only_the_noisy_one_is_changed_and_music_never() -> None:
    noisy = in_noise(talk(20, say((1, "We look at the light.")), ident="noisy", name="noisy.mp4", digest="1"), -45)
    clean = talk(20, say((1, "Then we move on.")), ident="clean", name="clean.mp4", digest="2")
    bed = recorder(clean, offset_us=0, drift_ppm=0, correlation=0.1)
    edl = plan([noisy, clean, in_noise(bed, -30)], FULL, PlanOptions())
    lowered = {clip.source for track in edl.audio if track.noise_reduction for clip in track.clips}
    kept = {clip.source for track in edl.audio if not track.noise_reduction for clip in track.clips}
    assert (lowered, kept) == ({"noisy"}, {"clean", "recorder"})
    assert all(row.passed for row in review(edl, [noisy, clean, bed]))


def test_room_tone_is_as_quiet_as_the_noise_beside_it() -> None:
    main = in_noise(talk(20, say((1, "We look at the light."), (4, "Then we move on."))), -45)
    assert main.sound
    toned = main.sound.model_copy(update={"room_tone": Span(start_us=6_000_000, end_us=7_500_000)})
    silent = talk(5, ident="silent", name="zoom.mp4", digest="f", sound=False)
    edl = plan([main.model_copy(update={"sound": toned}), silent], FULL, PlanOptions())
    tone = clips(edl, AudioRole.ROOM_TONE)
    assert tone
    assert all([key.gain for key in clip.gain] == [-600] for clip in tone)


def test_b_roll_is_seen_and_not_heard() -> None:
    edl = plan([monologue(), talk(10, kind=AssetKind.B_ROLL, ident="city", digest="b")], FULL, PlanOptions())
    assert edl.overlays
    assert {clip.source for clip in clips(edl, AudioRole.DIALOGUE)} == {"talk"}


def test_where_the_recording_has_no_sound_the_room_is_heard() -> None:
    main = talk(20, say((1, "We look at the light."), (4, "Then we move on.")))
    assert main.sound
    early = audio_stream(8)
    heard = main.model_copy(
        update={
            "probe": main.probe.model_copy(update={"audio": (early,)}),
            "sound": main.sound.model_copy(update={"room_tone": Span(start_us=6_000_000, end_us=7_500_000)}),
        }
    )
    silent = talk(5, ident="silent", name="zoom.mp4", digest="f", sound=False)
    edl = plan([heard, silent], FULL, PlanOptions())
    covered = sorted((clip.start, clip.end) for track in edl.audio for clip in track.clips)
    assert {track.role for track in edl.audio} == {AudioRole.DIALOGUE, AudioRole.ROOM_TONE}
    assert covered[0][0] == 0
    assert covered[-1][1] == edl.duration
    assert all(after[0] == before[1] for before, after in pairwise(covered))


def interview() -> tuple[AssetFacts, AssetFacts]:
    """Two A-rolls, 20 s and 24 s long."""
    first = talk(20, say((1, "We look at the light."), (5, "Then we move on.")), ident="first", name="first.mp4")
    second = talk(
        24, say((2, "Here is the other one."), (8, "That was all.")), ident="second", name="second.mp4", digest="b"
    )
    return first, second


def heard_at(edl: EDL, source: str) -> set[tuple[str, float]]:
    """What is heard under the picture of a source, and by how many seconds its time is ahead of the picture's."""
    found = set()
    for clip in edl.video:
        if clip.source == source:
            for sound in clips(edl, AudioRole.DIALOGUE):
                if sound.start == clip.start:
                    found.add((sound.source, round(sound.source_in / SAMPLE_RATE - clip.source_in / 90_000, 3)))
    return found


def aligned_to(recording: AssetFacts, *alignments: tuple[AssetFacts, float, float]) -> AssetFacts:
    """The recording, lying so many seconds behind each of these, and how much alike it is."""
    return recording.model_copy(
        update={
            "alignments": tuple(
                Alignment(
                    reference_sha256=facts.sha256,
                    offset_us=round(offset_s * 1_000_000),
                    drift_ppm=0.0,
                    correlation=correlation,
                )
                for facts, offset_s, correlation in alignments
            )
        }
    )


def test_one_recorder_that_ran_on_is_heard_under_every_a_roll() -> None:
    first, second = interview()
    running = recorder(talk(90), offset_us=0, drift_ppm=0, correlation=0)
    running = aligned_to(running, (first, 5.25, 0.9), (second, 40.5, 0.8))
    edl = plan([first, second, running], FULL, PlanOptions())
    assert heard_at(edl, "first") == {("recorder", 5.25)}
    assert heard_at(edl, "second") == {("recorder", 40.5)}
    assert [d.sentence.split(" and ")[0] for d in edl.decisions if d.kind == "separate_sound"] == [
        "recorder.wav is a better recording of first.mp4",
        "recorder.wav is a better recording of second.mp4",
    ]
    rows = {row.name: row for row in review(edl, [first, second, running])}
    assert all(row.passed for row in rows.values())
    assert float(rows["A/V offset in the edit"].measured) < 0.1
    assert rows["cuts inside a word"].measured == "0"


def test_every_a_roll_is_heard_from_its_own_microphone() -> None:
    first, second = interview()
    mics = [
        aligned_to(
            recorder(talk(60), offset_us=0, drift_ppm=0, correlation=0, ident=f"mic{number}", digest=str(number)),
            (first, 1.5, one),
            (second, 2.5, other),
        )
        for number, (one, other) in enumerate([(0.9, 0.0), (0.0, 0.7)])
    ]
    edl = plan([*mics, second, first], FULL, PlanOptions())
    assert heard_at(edl, "first") == {("mic0", 1.5)}
    assert heard_at(edl, "second") == {("mic1", 2.5)}
    assert not any(decision.kind == "unused_sound" for decision in edl.decisions)


def test_a_recorder_that_began_a_new_file_is_heard_from_both() -> None:
    main = monologue(60)
    before = aligned_to(
        recorder(talk(28), offset_us=0, drift_ppm=0, correlation=0, ident="one", digest="1"), (main, 0.5, 0.9)
    )
    after = aligned_to(
        recorder(talk(40), offset_us=0, drift_ppm=0, correlation=0, ident="two", digest="2"), (main, -30.5, 0.8)
    )
    edl = plan([main, before, after], FULL, PlanOptions())
    sources = [clip.source for clip in clips(edl, AudioRole.DIALOGUE)]
    assert list(dict.fromkeys(sources)) == ["one", "talk", "two"], "the camera is heard where neither was running"


def test_a_recording_of_one_a_roll_is_music_under_none() -> None:
    first, second = interview()
    running = aligned_to(recorder(first, offset_us=0, drift_ppm=0, correlation=0), (first, 0.5, 0.1), (second, 3, 0.9))
    edl = plan([first, second, running], FULL, PlanOptions())
    assert not clips(edl, AudioRole.MUSIC)
    assert heard_at(edl, "first") == {("first", 0.0)}
    assert heard_at(edl, "second") == {("recorder", 3.0)}


def test_of_two_cameras_beside_one_recorder_each_is_held_against_its_own_picture() -> None:
    near, far = (
        talk(20, say((1, said)), ident=name, name=f"{name}.mp4", digest=digest)
        for name, digest, said in (("near", "1", "We look at the light."), ("far", "2", "They see you from here."))
    )
    running = aligned_to(recorder(near, offset_us=0, drift_ppm=0, correlation=0), (near, 1.0, 0.9), (far, 1.2, 0.8))
    edl = plan([near, far, running], FULL, PlanOptions())
    rows = {row.name: row for row in review(edl, [near, far, running])}
    assert float(rows["A/V offset in the edit"].measured) < 0.1
    assert {clip.source for clip in clips(edl, AudioRole.DIALOGUE)} == {"recorder"}


def test_a_second_recording_that_is_not_needed_is_told_for_what_it_is() -> None:
    main = monologue(20)
    close, far = (
        recorder(main, offset_us=0, drift_ppm=0, correlation=alike, ident=name, name=f"{name}.wav", digest=name[0])
        for name, alike in (("close", 0.9), ("far", 0.6))
    )
    edl = plan([main, far, close], FULL, PlanOptions())
    assert {clip.source for clip in clips(edl, AudioRole.DIALOGUE)} == {"close"}
    (told,) = [decision.sentence for decision in edl.decisions if decision.kind == "unused_sound"]
    assert told == "far.wav is not used: another recording of the footage is better, or what it covers is cut"
