"""The review finds what a viewer would complain of, in edits that anybody may have made."""

from fractions import Fraction

import pytest

from director import PlanOptions, plan, review
from director.material import source_of
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, SAMPLE_RATE, AudioClip, CropKey, Place, Variant, VideoClip
from schemas.facts import AssetFacts, Span, Word
from schemas.media import AssetKind
from tests.director.director_footage import face_track, recorder, say, talk

pytestmark = pytest.mark.unit

RATE = Fraction(30)

#: Two lines, three seconds of silence between them.
LINES = say((1.0, "Light is what you paint with."), (7.0, "So find it before you film."))


def talk_of_two_lines(**more: object) -> AssetFacts:
    still = [(at / 2, 0.45, 0.2) for at in range(24)]
    return talk(12, LINES, tracks=[face_track(*still)], **more)  # type: ignore[arg-type]


def row(rows: tuple[DeliveryCheck, ...], name: str) -> DeliveryCheck:
    return next(check for check in rows if check.name == name)


def recut(edl: EDL, *ranges: tuple[float, float]) -> EDL:
    """The same footage, but with these seconds of it kept, picture and sound."""
    video, audio, at = [], [], 0
    for number, (start, end) in enumerate(ranges):
        frames = round((end - start) * RATE)
        picture = edl.video[0].model_copy(
            update={
                "id": f"v{number}",
                "start": at,
                "duration": frames,
                "source_in": round(start * 90_000),
                "source_out": round(start * 90_000) + frames * 3000,
                "crop": (),
            }
        )
        sound = (
            edl.audio[0]
            .clips[0]
            .model_copy(
                update={
                    "id": f"a{number}",
                    "start": at,
                    "duration": frames,
                    "source_in": round(start * SAMPLE_RATE),
                    "fade_in": 0,
                    "fade_out": 0,
                }
            )
        )
        video.append(VideoClip.model_validate(picture.model_dump()))
        audio.append(AudioClip.model_validate(sound.model_dump()))
        at += frames
    track = edl.audio[0].model_copy(update={"clips": tuple(audio)})
    fields = {"duration": at, "video": tuple(video), "audio": (track,), "overlays": (), "captions": ()}
    return EDL.model_validate(edl.model_copy(update=fields).model_dump())


def test_an_edit_of_the_directors_passes() -> None:
    footage = talk_of_two_lines()
    rows = review(plan([footage], Variant.VERTICAL_REEL, PlanOptions()), [footage])
    assert [check.name for check in rows] == [
        "A/V offset in the edit",
        "cuts inside a word",
        "longest silence in speech",
        "speaker's face in frame",
    ]
    assert all(check.passed and check.hard for check in rows)


def test_a_cut_in_the_middle_of_a_word_is_found_with_its_depth() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    # "Light" lasts from 1.0 to 1.3 s.
    found = row(review(recut(edl, (1.15, 3.4), (6.9, 9.3)), [footage]), "cuts inside a word")
    assert not found.passed
    assert found.measured == "1, the deepest 150 ms"


def test_sound_that_is_not_of_its_picture_is_found_however_it_got_there() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    late = [clip.model_copy(update={"source_in": clip.source_in - 4800}) for clip in edl.audio[0].clips[1:]]
    track = edl.audio[0].model_copy(update={"clips": (edl.audio[0].clips[0], *late)})
    found = row(review(edl.model_copy(update={"audio": (track,)}), [footage]), "A/V offset in the edit")
    assert (found.passed, found.measured) == (False, "100.0")


def test_a_cut_within_a_frame_of_a_word_is_none() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    assert row(review(recut(edl, (1.0 + 1 / 30, 3.4), (6.9, 9.3)), [footage]), "cuts inside a word").passed


def test_a_word_of_which_only_the_moment_is_known_ends_a_silence() -> None:
    words = tuple(Word(start_us=at, end_us=at, text="so", probability=0.5) for at in (300_000, 600_000))
    footage = talk(1, words)
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    assert row(review(edl, [footage]), "longest silence in speech").passed


def test_clips_that_run_on_in_the_source_are_no_cut() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    assert row(review(recut(edl, (0.8, 1.1), (1.1, 3.4), (6.9, 9.3)), [footage]), "cuts inside a word").passed


def test_where_the_recording_itself_starts_and_ends_nothing_is_cut() -> None:
    words = say((0.0, "Already speaking when it starts and until it"), word_s=0.4, gap_s=0.0)
    footage = talk(3.0, words)
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    assert row(review(recut(edl, (0.0, 3.0)), [footage]), "cuts inside a word").passed


def test_silence_that_the_pace_does_not_allow_is_found_and_measured() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    # The first line's last word ends at 3.05 s; the second line starts at 7.0 s.
    found = row(review(recut(edl, (0.9, 9.3)), [footage]), "longest silence in speech")
    assert not found.passed
    assert found.measured == "3.950"


def test_silence_before_the_first_word_counts_too() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    found = row(review(recut(edl, (0.0, 3.2), (6.9, 9.3)), [footage]), "longest silence in speech")
    assert (found.passed, found.measured) == (False, "1.000")


def test_a_separate_recording_is_judged_by_the_words_of_the_footage_it_belongs_to() -> None:
    footage = talk_of_two_lines()
    separate = recorder(footage, offset_us=400_000, drift_ppm=0.0, correlation=0.9)
    edl = plan([footage, separate], Variant.CINEMATIC_FULL, PlanOptions())
    assert {clip.source for clip in edl.audio[0].clips} == {separate.asset_id}
    assert all(check.passed for check in review(edl, [footage, separate]))
    # The recording runs 0.4 s late, so that its 1.55 s is the footage's 1.15 s: inside "Light".
    bitten = row(review(recut(edl, (1.55, 3.8)), [footage, separate]), "cuts inside a word")
    assert not bitten.passed


def test_a_speaker_outside_an_upright_frame_is_found() -> None:
    footage = talk_of_two_lines()
    edl = plan([footage], Variant.VERTICAL_REEL, PlanOptions())
    beside = CropKey(frame=0, x=0, y=0, width=607, height=1080)
    moved = [clip.model_copy(update={"crop": (beside,)}) for clip in edl.video]
    found = row(review(edl.model_copy(update={"video": tuple(moved)}), [footage]), "speaker's face in frame")
    assert (found.passed, found.measured) == (False, "0.0")


def two_rooms() -> list[AssetFacts]:
    """One says a line and keeps still, then the other."""
    first = talk(20, say((1, "The kitchen is warm.")), ident="kitchen", name="1 kitchen.mp4", digest="a")
    second = talk(20, say((2, "The cellar stays cold.")), ident="cellar", name="2 cellar.mp4", digest="b")
    return [first, second]


def with_cut_at(edl: EDL, frame: int) -> EDL:
    """The same with the picture cut at another frame, and the sound where it was."""
    before, after = edl.video
    moved = frame - after.start
    ends = before.model_copy(update={"duration": frame, "source_out": before.source_out + 3000 * moved, "crop": ()})
    begins = after.model_copy(
        update={
            "start": frame,
            "duration": after.duration - moved,
            "source_in": after.source_in + 3000 * moved,
            "crop": (),
        }
    )
    return EDL.model_validate(edl.model_copy(update={"video": (ends, begins)}).model_dump())


def test_a_split_edit_that_shows_somebody_speak_unheard_is_found() -> None:
    footage = two_rooms()
    edl = plan(footage, Variant.CINEMATIC_FULL, PlanOptions())
    name = "speech seen and not heard"
    assert row(review(edl, footage), name).passed
    one, other = edl.audio[0].clips
    early = with_cut_at(edl, other.start - 20)
    assert row(review(early, footage), name).passed, "nobody speaks in the cellar yet"
    lines = [
        one.model_copy(update={"duration": one.duration - 20}),
        other.model_copy(
            update={"start": other.start - 20, "duration": other.duration + 20, "source_in": other.source_in - 32_000}
        ),
    ]
    track = edl.audio[0].model_copy(update={"clips": tuple(lines)})
    cut_short = row(review(edl.model_copy(update={"audio": (track,)}), footage), name)
    assert not cut_short.passed, "the kitchen's last word is seen and no longer heard"


def with_room_tone(facts: AssetFacts) -> AssetFacts:
    assert facts.sound
    tone = Span(start_us=6_000_000, end_us=7_500_000)
    return facts.model_copy(update={"sound": facts.sound.model_copy(update={"room_tone": tone})})


def test_room_tone_with_somebody_in_it_is_found() -> None:
    footage = [with_room_tone(two_rooms()[0]), talk(5, ident="silent", digest="f", sound=False)]
    edl = plan(footage, Variant.CINEMATIC_FULL, PlanOptions())
    rows = review(edl, footage)
    assert row(rows, "words in the room tone").passed
    assert row(rows, "longest time without sound").passed
    dialogue, tone = edl.audio
    spoken = [clip.model_copy(update={"source_in": SAMPLE_RATE}) for clip in tone.clips]
    loud = edl.model_copy(update={"audio": (dialogue, tone.model_copy(update={"clips": tuple(spoken)}))})
    assert not row(review(loud, footage), "words in the room tone").passed
    bare = row(review(edl.model_copy(update={"audio": (dialogue,)}), footage), "longest time without sound")
    assert (bare.passed, bare.hard) == (False, False)


@pytest.mark.parametrize(("x", "passed"), [(0, True), (700, False)])
def test_a_picture_in_the_picture_over_a_face_is_found(x: int, passed: bool) -> None:
    footage = talk_of_two_lines()
    screen = talk(12, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="c")
    edl = plan([footage], Variant.CINEMATIC_FULL, PlanOptions())
    over = edl.video[0].model_copy(
        update={
            "id": "o1",
            "source": "rec",
            "duration": 30,
            "source_in": 0,
            "source_out": 90_000,
            "crop": (),
            "place": Place(x=x, y=200, width=480, height=270),
        }
    )
    fields = {"sources": (*edl.sources, source_of("rec", screen)), "overlays": (over,)}
    placed = EDL.model_validate(edl.model_copy(update=fields).model_dump())
    assert row(review(placed, [footage, screen]), "faces behind an inset").passed is passed


def test_what_nobody_knows_is_not_claimed() -> None:
    footage = talk(8)
    rows = review(plan([footage], Variant.CINEMATIC_FULL, PlanOptions()), [footage])
    assert [check.name for check in rows] == ["A/V offset in the edit"]
