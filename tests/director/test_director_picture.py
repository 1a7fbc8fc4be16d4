"""What is in the frame, and what lies over it."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest

from director import PlanOptions, plan, review, with_captions
from schemas.edl import EDL, Caption, CropKey, Fit, Look, Motion, Variant
from schemas.facts import (
    Activity,
    AssetFacts,
    ChangedRegion,
    FaceTrack,
    Picture,
    Region,
    Span,
)
from schemas.jobs import EditStyle, Pace
from schemas.media import AssetKind
from tests.director.director_footage import face_track, lit, say, talk, video_stream

pytestmark = pytest.mark.unit

FACE = 0.15


def speech(seconds: int) -> Sequence[tuple[float, str]]:
    return [(1 + 4.0 * i, f"Light number {i} falls from the window.") for i in range((seconds - 2) // 4)]


def walking(positions: Sequence[tuple[float, float]]) -> FaceTrack:
    return face_track(*((at, left, 0.3) for at, left in positions), size=FACE)


def reel(seconds: int, *tracks: FaceTrack, width: int = 1920, height: int = 1080) -> EDL:
    facts = talk(seconds, say(*speech(seconds)), video=video_stream(seconds, width=width, height=height), tracks=tracks)
    return plan([facts], Variant.VERTICAL_REEL, PlanOptions())


def left_edge(keys: Sequence[CropKey], frame: int) -> Fraction:
    """Where the crop lies at a clip-relative frame, by the EDL's rule."""
    before = [key for key in keys if key.frame <= frame] or [keys[0]]
    after = [key for key in keys if key.frame >= frame] or [keys[-1]]
    first, last = before[-1], after[0]
    if first.frame == last.frame or first.frame > frame or last.frame < frame:
        return Fraction(first.x if first.frame <= frame else last.x)
    return first.x + Fraction((last.x - first.x) * (frame - first.frame), last.frame - first.frame)


def share_inside(edl: EDL, tracks: Sequence[FaceTrack], width: int = 1920) -> float:
    inside, seen = 0, 0
    for clip in edl.video:
        first = round(clip.source_in / 90_000 * edl.rate)
        for sample in (sample for track in tracks for sample in track.samples):
            frame = int(sample.at_us * edl.rate / 1_000_000) - first
            if not 0 <= frame < clip.duration:
                continue
            seen += 1
            if not clip.crop:
                inside += 1
                continue
            x = left_edge(clip.crop, frame)
            inside += x <= sample.left * width and (sample.left + sample.width) * width <= x + clip.crop[0].width
    return inside / seen


PATHS = {
    "still": [(t / 2, 0.6) for t in range(80)],
    "pan": [(t / 2, 0.1 + 0.006 * t) for t in range(80)],
    "two places": [(t / 2, 0.1 if t < 40 else 0.7) for t in range(80)],
    "restless": [(t / 2, 0.1 if t % 4 < 2 else 0.7) for t in range(80)],
    "at the edge": [(t / 2, 0.85) for t in range(80)],
}


@pytest.mark.parametrize("path", PATHS)
def test_the_speaker_stays_in_the_upright_frame(path: str) -> None:
    track = walking(PATHS[path])
    edl = reel(40, track)
    assert share_inside(edl, [track]) >= 0.95
    assert (edl.canvas.width, edl.canvas.height) == (1080, 1920)


@pytest.mark.parametrize("path", PATHS)
def test_the_crop_does_not_swing(path: str) -> None:
    edl = reel(40, walking(PATHS[path]))
    positions = [key.x for clip in edl.video for key in clip.crop if clip.crop]
    widths = {clip.crop[0].width for clip in edl.video if clip.crop}
    if len(widths) > 1:
        positions = [round(left_edge(clip.crop, 0)) for clip in edl.video if clip.crop[0].width == max(widths)]
    steps = [after - before for before, after in pairwise(positions) if after != before]
    reversals = sum((one < 0) != (other < 0) for one, other in pairwise(steps))
    assert reversals <= max(1, Fraction(13, 100) * edl.duration / edl.rate)


@pytest.mark.parametrize("size", [FACE, 0.55 * FACE], ids=["as near", "farther off"])
def test_two_speakers_too_far_apart_are_both_shown(size: float) -> None:
    other = face_track(*((t / 2, 0.75, 0.3) for t in range(60)), size=size)
    edl = reel(30, walking([(t / 2, 0.1) for t in range(60)]), other)
    assert {clip.fit for clip in edl.video} == {Fit.BLURRED}


def test_of_two_speakers_the_one_who_speaks_is_shown_and_held_until_the_other_does() -> None:
    left = face_track(*((t / 2, 0.1, 0.3) for t in range(80)), size=FACE, speaking=[(0, 10), (21, 30)])
    right = face_track(*((t / 2, 0.75, 0.3) for t in range(80)), size=FACE, speaking=[(11, 20), (31, 40)])
    edl = reel(40, left, right)
    assert {clip.fit for clip in edl.video} == {Fit.FILL}
    for clip in edl.video:
        at = clip.source_in / 90_000
        middle = clip.crop[0].x + clip.crop[0].width / 2
        if not any(abs(at - turn) < 4 for turn in (10, 20, 30)):
            assert (middle < 960) == (at < 10 or 20 < at < 30)


def test_a_passer_by_does_not_move_the_frame() -> None:
    speaker = walking([(t / 2, 0.4) for t in range(60)])
    edl = reel(30, speaker, face_track((8.0, 0.9, 0.2), (8.5, 0.9, 0.2), size=0.04))
    assert {clip.fit for clip in edl.video} == {Fit.FILL}
    assert share_inside(edl, [speaker]) == 1


def test_without_a_face_the_middle_is_shown() -> None:
    clip = reel(10).video[0]
    assert clip.fit is Fit.FILL
    assert abs(clip.crop[0].x + clip.crop[0].width / 2 - 960) <= 1


def test_a_crop_fills_the_frame_exactly() -> None:
    for clip in reel(40, walking(PATHS["still"])).video:
        for key in clip.crop:
            assert abs(key.width * 1920 - key.height * 1080) <= 1920


def test_eyes_come_near_the_upper_third_where_there_is_room() -> None:
    edl = reel(10, face_track(*((t / 2, 0.4, 0.3) for t in range(20)), size=FACE), width=1080, height=2160)
    key = edl.video[0].crop[0]
    eyes = (0.3 + 0.4 * FACE) * 2160
    assert abs((eyes - key.y) / key.height - 1 / 3) < 0.02


def test_a_portrait_picture_is_whole_on_a_wide_canvas() -> None:
    facts = talk(10, say((1, "Hello there.")), video=video_stream(10, width=540, height=960))
    edl = plan([facts], Variant.CINEMATIC_FULL, PlanOptions())
    assert edl.video[0].fit is Fit.BLURRED
    assert edl.video[0].crop == ()


def test_of_a_portrait_picture_the_part_with_the_speaker_is_shown_as_large_as_the_face_allows() -> None:
    def shown(top: float) -> tuple[CropKey, ...]:
        track = face_track(*((t / 2, 0.4, top) for t in range(20)), size=0.3)
        facts = talk(10, say((1, "Hello there.")), video=video_stream(10, width=540, height=960), tracks=[track])
        return plan([facts], Variant.CINEMATIC_FULL, PlanOptions()).video[0].crop

    (part,) = shown(0.2)
    assert (part.width, part.height) == (540, 675)
    assert part.y <= 0.2 * 960
    assert part.y + part.height >= 0.5 * 960


def close_up(top: float) -> EDL:
    tracks = [face_track(*((t / 2, 0.3, top) for t in range(40)), size=0.4)]
    facts = talk(20, say(*speech(20)), video=video_stream(20, width=1080, height=1920), tracks=tracks)
    return plan([facts], Variant.VERTICAL_REEL, PlanOptions())


def test_captions_stand_beside_a_screen_that_is_shown_whole() -> None:
    lines = list(speech(44))
    lines[6] = (25.0, "Now you can see the whole list of it.")
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b")
    edl = plan([talk(44, say(*lines)), screen], Variant.VERTICAL_REEL, PlanOptions())
    screens = [clip for clip in edl.overlays if clip.source == "rec"]
    assert {clip.fit for clip in screens} == {Fit.BLURRED}
    top_of_screen = (1920 - 1080 * 9 / 16) / 2
    over_it = [one for one in edl.captions for clip in screens if clip.start <= one.start and one.end <= clip.end]
    assert over_it
    assert edl.caption_style
    assert all(edl.caption_style.top < (one.bottom or 1920) <= top_of_screen for one in over_it)
    decisions = [one.sentence for one in edl.decisions if one.kind == "caption_place"]
    assert any("above the picture" in sentence for sentence in decisions)


def test_captions_stand_above_a_face_whose_mouth_they_would_cover_and_else_at_the_foot() -> None:
    close = close_up(top=0.28)
    assert close.caption_style is not None
    places = {caption.bottom for caption in close.captions}
    assert len(places) == 1
    assert (places.pop() or 0) <= 0.28 * 1920
    assert [decision.kind for decision in close.decisions].count("caption_place") == 1
    assert {caption.bottom for caption in close_up(top=0.05).captions} == {None}
    own = (Caption(start=0, end=40, lines=("Words of my own.",)),)
    assert with_captions(close, own).captions[0].bottom == close.captions[0].bottom


def with_b_roll(seconds: int = 120) -> list[AssetFacts]:
    city = talk(14, kind=AssetKind.B_ROLL, ident="city", name="window.mp4", digest="b", shots=[5])
    desk = talk(9, kind=AssetKind.B_ROLL, ident="desk", name="desk.mp4", digest="c")
    return [talk(seconds, say(*speech(seconds))), city, desk]


def test_b_roll_hides_jump_cuts_but_not_the_opening_line() -> None:
    edl = plan(with_b_roll(), Variant.CINEMATIC_FULL, PlanOptions())
    joins = [clip.start for clip in edl.video[1:]]
    assert edl.overlays
    assert all(any(clip.start < join < clip.end for join in joins) for clip in edl.overlays)
    opening = next(caption.end for caption in edl.captions if caption.lines[-1].endswith("."))
    assert edl.overlays[0].start >= opening - edl.rate
    assert edl.overlays[0].start >= 7 * 0.35 * edl.rate
    assert edl.overlays[-1].end < edl.duration


def test_a_new_scene_is_seen_before_b_roll_hides_a_jump_in_it() -> None:
    _, *covers = with_b_roll()
    scenes = [6.2 + 8 * at for at in range(13)]
    edl = plan([talk(120, say(*speech(120)), shots=scenes), *covers], Variant.CINEMATIC_FULL, PlanOptions())
    changes = [after.start for before, after in pairwise(edl.video) if before.source_out == after.source_in]
    assert len(changes) == len(scenes)
    hiding = {one.id for one in edl.decisions if ".mp4 hides " in one.sentence}
    starts = [clip.start for clip in edl.overlays if clip.reason in hiding]
    assert starts
    assert not any(0 <= start - change < 2.5 * edl.rate for start in starts for change in changes)


def test_nobody_is_hidden_who_begins_to_speak() -> None:
    left = [(6.0 * at, 6.0 * at + 3) for at in range(0, 20, 2)]
    right = [(6.0 * at, 6.0 * at + 3) for at in range(1, 20, 2)]
    both = [
        face_track(*((at / 2, place, 0.2) for at in range(240)), speaking=speaking)
        for place, speaking in ((0.1, left), (0.7, right))
    ]
    lines = [(6.0 * at, f"Light number {at} is falling in.") for at in range(20)]
    facts = talk(120, say(*lines), tracks=both)
    city = talk(60, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="b")
    edl = plan([facts, city], Variant.CINEMATIC_FULL, PlanOptions())
    hiding = {one.id for one in edl.decisions if ".mp4 hides " in one.sentence}
    alone = plan([facts.model_copy(update={"faces": None}), city], Variant.CINEMATIC_FULL, PlanOptions())
    assert not any(clip.reason in hiding for clip in edl.overlays)
    assert any(".mp4 hides " in one.sentence for one in alone.decisions)


def test_no_stretch_of_b_roll_comes_back_within_30_s() -> None:
    edl = plan(with_b_roll(), Variant.CINEMATIC_FULL, PlanOptions())
    for index, clip in enumerate(edl.overlays):
        for later in edl.overlays[index + 1 :]:
            same = clip.source == later.source
            again = same and later.source_in < clip.source_out and clip.source_in < later.source_out
            assert not again or later.start - clip.end >= 30 * edl.rate


def test_no_shot_of_b_roll_comes_back_within_30_s_though_it_be_another_part_of_it() -> None:
    city = talk(60, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="b")
    edl = plan([talk(120, say(*speech(120))), city], Variant.CINEMATIC_FULL, PlanOptions())
    assert len(edl.overlays) > 1
    assert all(after.start - before.end >= 30 * edl.rate for before, after in pairwise(edl.overlays))


def test_covers_alternate_between_subjects_where_there_are_several() -> None:
    places = [f"{name}_{number}.mp4" for name in ("harbour", "forest") for number in (1, 2)]
    covers = [
        talk(9, kind=AssetKind.B_ROLL, ident=f"b{number}", name=name, digest=str(number))
        for number, name in enumerate(places)
    ]
    edl = plan([talk(120, say(*speech(120))), *covers], Variant.CINEMATIC_FULL, PlanOptions())
    shown = [next(source.name for source in edl.sources if source.id == clip.source) for clip in edl.overlays]
    assert len(shown) > 2
    assert all(one.split("_")[0] != other.split("_")[0] for one, other in pairwise(shown))


@pytest.mark.parametrize("pace", Pace)
def test_captions_change_with_the_pictures_that_cover_a_cut(pace: Pace) -> None:
    edl = plan(with_b_roll(), Variant.CINEMATIC_FULL, PlanOptions(pace=pace))
    hiding = {one.id for one in edl.decisions if ".mp4 hides " in one.sentence}
    covers = [cover for cover in edl.overlays if cover.reason in hiding]
    assert covers
    for cover in covers:
        assert not any(caption.start < cover.start < caption.end for caption in edl.captions)
        assert not any(0 < caption.start - cover.start < edl.rate / 2 for caption in edl.captions)


def test_a_caption_stays_where_b_roll_begins_in_the_midst_of_its_words() -> None:
    edl = plan(with_b_roll(), Variant.CINEMATIC_FULL, PlanOptions())
    over = [(one, cap) for one in edl.overlays for cap in edl.captions if cap.start < one.start < cap.end]
    assert over
    assert all(caption.end - cover.start >= edl.rate / 2 for cover, caption in over)


def test_b_roll_leads_the_join_by_a_few_frames() -> None:
    edl = plan(with_b_roll(), Variant.CINEMATIC_FULL, PlanOptions())
    joins = [clip.start for clip in edl.video[1:]]
    reasons = {decision.id: decision.sentence for decision in edl.decisions}
    hiding = [clip for clip in edl.overlays if "hides" in reasons[clip.reason]]
    assert hiding
    for clip in hiding:
        assert any(4 <= join - clip.start <= 15 for join in joins)


@pytest.mark.parametrize(
    ("line", "phrase"),
    [
        ("Then the harbour wakes up in the morning.", "Then"),
        ("We look on for a while and then the harbour wakes up.", "harbour"),
    ],
    ids=["with its phrase", "far into it"],
)
def test_b_roll_comes_a_few_frames_before_what_asks_for_it(line: str, phrase: str) -> None:
    lines = list(speech(44))
    lines[5] = (21.0, line)
    harbour = talk(20, kind=AssetKind.B_ROLL, ident="sea", name="harbours_dawn.mp4", digest="b")
    edl = plan([talk(44, say(*lines)), harbour], Variant.CINEMATIC_FULL, PlanOptions())
    asked = [d for d in edl.decisions if "spoken of" in d.sentence]
    assert len(asked) == 1
    assert "“harbour”, said here" in asked[0].sentence
    spoken = next(word.start for caption in edl.captions for word in caption.words if word.text == phrase)
    assert asked[0].start is not None
    assert 4 <= spoken - asked[0].start <= 15


def test_a_screen_is_shown_where_the_talk_is_about_it_and_not_to_hide_cuts() -> None:
    lines = list(speech(44))
    lines[6] = (25.0, "Now you can see the whole list of it.")
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b")
    city = talk(30, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="c")
    edl = plan([talk(44, say(*lines)), screen, city], Variant.CINEMATIC_FULL, PlanOptions())
    shown = [clip for clip in edl.overlays if clip.source == "rec"]
    assert len(shown) == 1
    word = next(word.start for caption in edl.captions for word in caption.words if word.text == "you")
    assert shown[0].start <= word < shown[0].end


def test_a_screen_is_left_where_the_sentence_about_it_ends() -> None:
    about, on = "Here you can see the whole list of it.", " ".join(f"word{number}" for number in range(40)) + "."
    lines = [*list(speech(24))[:5], (22.0, about), (25.1, on)]
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b")
    city = talk(30, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="c")
    edl = plan([talk(50, say(*lines)), screen, city], Variant.CINEMATIC_FULL, PlanOptions())
    (shown,) = [clip for clip in edl.overlays if clip.source == "rec"]
    said_by = next(word.end for caption in edl.captions for word in caption.words if word.text == "it.")
    assert 0 <= shown.end - said_by <= 2
    (why,) = [decision.sentence for decision in edl.decisions if decision.id == shown.reason]
    assert why == "rec.mov shows what is spoken of; the speaker points to it"


def test_a_screen_that_nobody_speaks_of_is_said_to_be_left_out() -> None:
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b")
    city = talk(30, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="c")
    edl = plan([talk(44, say(*speech(44))), screen, city], Variant.CINEMATIC_FULL, PlanOptions())
    assert {clip.source for clip in edl.overlays} == {"city"}
    (said,) = [decision.sentence for decision in edl.decisions if decision.kind == "unused_picture"]
    assert said == (
        "rec.mov is not shown: no place was free where words ask for a screen, or for what its name and tags say"
    )


def test_only_usable_stretches_of_b_roll_are_shown() -> None:
    facts = with_b_roll()
    steady = Span(start_us=6_000_000, end_us=9_500_000)
    facts[1] = facts[1].model_copy(update={"picture": Picture(step_us=500_000, samples=(), usable=(steady,))})
    edl = plan(facts, Variant.CINEMATIC_FULL, PlanOptions())
    shown = [clip for clip in edl.overlays if clip.source == "city"]
    assert shown
    assert all(clip.source_in >= 6 * 90_000 and clip.source_out <= 9.5 * 90_000 for clip in shown)


def test_footage_that_is_already_cut_is_not_covered_for_want_of_change() -> None:
    words = say(*((1 + 2.6 * i, f"Light number {i} falls from above.") for i in range(30)), gap_s=0.07)
    city = talk(30, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="b")
    still = plan([talk(80, words), city], Variant.CINEMATIC_FULL, PlanOptions(pace=Pace.RELAXED))
    cut = plan([talk(80, words, shots=range(5, 80, 5)), city], Variant.CINEMATIC_FULL, PlanOptions(pace=Pace.RELAXED))
    assert any("something new" in decision.sentence for decision in still.decisions)
    assert not any("something new" in decision.sentence for decision in cut.decisions)


def test_uncovered_jump_cuts_change_size_visibly() -> None:
    track = face_track(*((t / 2, 0.42, 0.25) for t in range(80)), size=FACE)
    edl = plan([talk(40, say(*speech(40)), tracks=[track])], Variant.CINEMATIC_FULL, PlanOptions())
    sizes = [clip.crop[0].width if clip.crop else 1920 for clip in edl.video]
    assert all(max(a, b) >= 1.1 * min(a, b) for a, b in pairwise(sizes))


def test_the_hook_shows_only_the_speaker() -> None:
    assert plan(with_b_roll(), Variant.HOOK_CUT, PlanOptions()).overlays == ()


def test_b_roll_alone_makes_a_film_and_nothing_else() -> None:
    edl = plan(with_b_roll()[1:], Variant.CINEMATIC_FULL, PlanOptions())
    assert edl.duration == 23 * 30


@pytest.mark.parametrize("tagged", [0, 1])
def test_footage_is_shown_where_its_words_are_said(tagged: int) -> None:
    told = [{"description": "The old window at dawn"}, {"tags": ("window",)}][tagged]
    covers = [
        talk(20, name=f"c{number}.mp4", ident=f"c{number}", kind=AssetKind.B_ROLL, digest="bc"[number], sound=False)
        for number in (0, 1)
    ]
    covers[tagged] = covers[tagged].model_copy(update=told)
    edl = plan([talk(90, say(*speech(90))), *covers], Variant.CINEMATIC_FULL, PlanOptions())
    shown = {source.id: source.name for source in edl.sources}
    assert shown[edl.overlays[0].source] == f"c{tagged}.mp4"
    reasons = {decision.id: decision.sentence for decision in edl.decisions}
    assert "“window”, said here" in reasons[edl.overlays[0].reason]


def two_rooms() -> list[AssetFacts]:
    first = talk(20, say((1, "The kitchen is warm and bright.")), ident="kitchen", name="1 kitchen.mp4", digest="a")
    second = talk(20, say((2, "The cellar stays cold all year.")), ident="cellar", name="2 cellar.mp4", digest="b")
    return [first, second]


def test_the_next_speaker_is_heard_a_few_frames_before_being_seen() -> None:
    edl = plan(two_rooms(), Variant.CINEMATIC_FULL, PlanOptions())
    seen = next(clip.start for clip in edl.video if clip.source == "cellar")
    heard = next(clip.start for clip in edl.audio[0].clips if clip.source == "cellar")
    assert 4 <= seen - heard <= 15
    assert all(row.passed for row in review(edl, two_rooms()))
    assert any(decision.kind == "split_edit" for decision in edl.decisions)


def test_a_question_is_heard_to_its_end_over_whoever_answers_it() -> None:
    asking = talk(20, say((1, "Is the kitchen warm and bright?")), ident="kitchen", name="1 kitchen.mp4", digest="a")
    footage = [asking, two_rooms()[1]]
    edl = plan(footage, Variant.CINEMATIC_FULL, PlanOptions())
    seen = next(clip.start for clip in edl.video if clip.source == "cellar")
    heard = next(clip.start for clip in edl.audio[0].clips if clip.source == "cellar")
    assert 4 <= heard - seen <= 15
    assert all(row.passed for row in review(edl, footage))
    (why,) = [decision for decision in edl.decisions if decision.kind == "split_edit"]
    assert (why.start, why.end) == (seen, heard)
    assert "heard over who answers" in why.sentence


def test_where_the_speaker_goes_on_the_next_one_is_seen_while_the_last_words_are_heard() -> None:
    line = "The kitchen is warm and bright."
    stops = len(line.split()) * 0.35 + 1.1
    first = talk(20, say((1, line)), ident="kitchen", name="1 kitchen.mp4", digest="a", shots=[stops])
    footage = [first, two_rooms()[1]]
    edl = plan(footage, Variant.CINEMATIC_FULL, PlanOptions())
    seen = next(clip.start for clip in edl.video if clip.source == "cellar")
    heard = next(clip.start for clip in edl.audio[0].clips if clip.source == "cellar")
    assert 4 <= heard - seen <= 15


def test_a_picture_that_begins_with_its_words_is_cut_with_its_sound() -> None:
    stops, starts = 6 * 0.35 + 1.1, 2.0
    footage = [
        talk(20, say((1, "The kitchen is warm and bright.")), ident="kitchen", digest="a", shots=[stops]),
        talk(20, say((starts, "The cellar stays cold.")), ident="cellar", digest="b", shots=[starts - 0.05]),
    ]
    edl = plan(footage, Variant.CINEMATIC_FULL, PlanOptions())
    assert not any(decision.kind == "split_edit" for decision in edl.decisions)


def test_shots_are_brought_to_one_light_and_given_the_look() -> None:
    bright, dark = two_rooms()
    edl = plan([lit(bright, 0.5), lit(dark, 0.42, warmth=-0.02)], Variant.CINEMATIC_FULL, style_of("cinematic"))
    grades = {clip.source: clip.grade for clip in edl.video}
    kitchen, cellar = grades["kitchen"], grades["cellar"]
    assert kitchen
    assert cellar
    assert kitchen.look is cellar.look is Look.CINEMA
    changed = [grade for grade in (kitchen, cellar) if grade.exposure_millistops]
    assert len(changed) == 1
    assert (cellar.exposure_millistops > 0) != (kitchen.exposure_millistops < 0)
    assert cellar.warmth > 0 or kitchen.warmth < 0


def test_the_natural_style_shows_the_picture_as_it_was_shot() -> None:
    bright, dark = two_rooms()
    edl = plan([lit(bright, 0.5), lit(dark, 0.2)], Variant.CINEMATIC_FULL, PlanOptions(style=EditStyle.NATURAL))
    assert {clip.grade for clip in edl.video} == {None}


def style_of(name: str) -> PlanOptions:
    return PlanOptions(style=EditStyle(name))


def test_a_long_shot_slowly_comes_nearer_in_the_cinematic_style_alone() -> None:
    words = say((1, " ".join(["light"] * 30) + "."), gap_s=0.05)
    moves = [
        [clip for clip in plan([talk(14, words)], Variant.CINEMATIC_FULL, style_of(name)).video if len(clip.crop) > 1]
        for name in ("natural", "cinematic", "punchy")
    ]
    assert [len(one) for one in moves] == [0, 1, 0]
    clip = moves[1][0]
    assert clip.motion is Motion.SMOOTH
    assert clip.crop[-1].width < clip.crop[0].width <= 1.1 * clip.crop[-1].width


@pytest.mark.parametrize(("busy", "face_left"), [(False, 0.1), (True, 0.1), (False, 0.42)])
def test_a_calm_screen_lies_beside_the_speaker(busy: bool, face_left: float) -> None:
    lines = list(speech(44))
    lines[6] = (25.0, "Now you can see the whole list of it.")
    face = face_track(*((t / 2, face_left, 0.3) for t in range(88)), size=FACE)
    change = ChangedRegion(
        start_us=1_000_000,
        end_us=20_000_000 if busy else 1_500_000,
        region=Region(left=0.1, top=0.1, width=0.5, height=0.5),
        share=0.2,
    )
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b").model_copy(
        update={"activity": Activity(step_us=100_000, changes=(change,))}
    )
    edl = plan([talk(44, say(*lines), tracks=[face]), screen], Variant.CINEMATIC_FULL, PlanOptions())
    shown = next(
        clip for clip in edl.overlays if "spoken of" in next(d.sentence for d in edl.decisions if d.id == clip.reason)
    )
    if busy:
        assert shown.place is None
        return
    assert shown.place
    faces = (face_left * 1920, (face_left + FACE) * 1920)
    assert shown.place.x >= faces[1] or shown.place.x + shown.place.width <= faces[0]
    shares = next(decision.shares for decision in edl.decisions if decision.id == shown.reason)
    assert not {share.part for share in shares} & {"jump_hidden", "speaker_hidden"}


def framed_alike(left: float, exposure: float = 0.5) -> list[AssetFacts]:
    """Two recordings of one speaker from one place, whose face is ``left`` of the width farther right in the second."""
    takes = []
    for number, at in enumerate((0.4, 0.4 + left)):
        face = face_track(*((t / 2, at, 0.2) for t in range(24)), size=FACE)
        words = say((0.5, "Light is falling from the window in front of this house, as it did in all those years."))
        facts = talk(8, words, ident=f"take{number}", name=f"{number}.mp4", digest=str(number), tracks=[face])
        takes.append(lit(facts, exposure if number else 0.5))
    return takes


def test_a_second_take_of_the_same_view_shows_closer() -> None:
    edl = plan(framed_alike(0.1), Variant.CINEMATIC_FULL, PlanOptions(style=EditStyle.NATURAL))
    first, second = edl.video
    assert [len(track.clips) for track in edl.audio[:1]] == [2]
    assert not first.crop
    assert second.crop[0].width <= 1920 / 1.1
    why = next(one for one in edl.decisions if one.id == second.reason)
    assert why.kind == "punch_in"
    assert second.start == first.duration == edl.audio[0].clips[1].start


@pytest.mark.parametrize(("left", "exposure"), [(0.2, 0.5), (0.1, 0.7)])
def test_another_view_is_no_jump(left: float, exposure: float) -> None:
    edl = plan(framed_alike(left, exposure), Variant.CINEMATIC_FULL, PlanOptions(style=EditStyle.NATURAL))
    assert not any(one.kind == "punch_in" for one in edl.decisions)


def test_a_cover_ends_where_another_recording_begins() -> None:
    """Who begins to speak there is seen to."""
    words = say((0.5, "Light falls from the window, and so it did in all those years that nobody saw it."))
    before = talk(8, words, ident="one", name="1.mp4", digest="1")
    asking = say((0.5, "Take a look at my screen."), (3.0, "Light falls in."))
    middle = talk(4.5, asking, ident="two", name="2.mp4", digest="2")
    after = talk(8, words, ident="three", name="3.mp4", digest="3", video=video_stream(8, width=1280, height=720))
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b")
    edl = plan([before, middle, after, screen], Variant.CINEMATIC_FULL, PlanOptions())
    (cover,) = edl.overlays
    begins = next(clip.start for clip in edl.video if clip.source == "three")
    assert cover.start < begins
    assert cover.end == begins


@pytest.mark.parametrize("words", range(6, 10))
def test_nothing_flashes_by_between_a_cover_and_a_cut(words: int) -> None:
    opening, middle = (" ".join(["Light"] * (number - 1) + ["falls."]) for number in (14, words))
    said = say((1, opening), (8, middle), (22, "Absolutely so."))
    city = talk(6, kind=AssetKind.B_ROLL, ident="city", name="city.mp4", digest="b")
    edl = plan([talk(23, said), city], Variant.CINEMATIC_FULL, PlanOptions())
    (cover,) = edl.overlays
    cuts = [clip.start for clip in edl.video]
    assert not any(0 < cut - cover.end < 0.6 * edl.rate for cut in cuts)


def test_a_reason_says_how_many_jumps_are_hidden() -> None:
    edl = plan(with_b_roll(), Variant.CINEMATIC_FULL, PlanOptions(pace=Pace.FAST))
    joins = [clip.start for clip in edl.video[1:]]
    for clip in edl.overlays:
        why = next(one for one in edl.decisions if one.id == clip.reason)
        hidden = sum(share.thousandths for share in why.shares if share.part == "jump_hidden") / 400
        under = sum(clip.start < join < clip.end for join in joins)
        assert hidden == under
        told = "hides a jump cut" if under == 1 else f"hides {under} jump cuts"
        assert told in why.sentence or "spoken of" in why.sentence
