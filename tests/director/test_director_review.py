"""The review finds what a viewer would complain of, in edits that anybody may have made."""

from fractions import Fraction

import pytest

from director import PlanOptions, plan, review
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, SAMPLE_RATE, AudioClip, CropKey, Variant, VideoClip
from schemas.facts import AssetFacts
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


def test_what_nobody_knows_is_not_claimed() -> None:
    footage = talk(8)
    rows = review(plan([footage], Variant.CINEMATIC_FULL, PlanOptions()), [footage])
    assert [check.name for check in rows] == ["A/V offset in the edit"]
