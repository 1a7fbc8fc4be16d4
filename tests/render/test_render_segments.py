"""Where edits are taken apart, and which segments a change touches."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.segment_key import segment_key, sound_key, video_key
from render.segments import MOST_SEGMENTS, Segment, segments_of
from schemas.edl import EDL, AudioClip, Caption, CaptionStyle, VideoClip
from schemas.rendering import EncoderSettings, SegmentLengths
from tests.exploring import EXPLORED
from tests.render.render_media import audio_clip, edit, imagined, video_clip

pytestmark = pytest.mark.unit

RATE = Fraction(30)
LENGTHS = SegmentLengths(usual_s=10)
LEAST, MOST = 150, 450
ENCODER = EncoderSettings()
TALK = imagined()

#: A change touches the segment it is in; where seams move with it, those up to the next seam that stays.
MOST_TOUCHED = 5

Shots = list[tuple[int, int]]


def cut(shots: Shots, **more: object) -> EDL:
    """An edit of one talk: each shot is its first frame in the source and its length in frames."""
    clips: list[VideoClip] = []
    sounds: list[AudioClip] = []
    for first, length in shots:
        start = clips[-1].end if clips else 0
        clips.append(video_clip(TALK, start, length, first, RATE, **more))
        sounds.append(audio_clip(TALK, start, length, first, RATE))
    return edit([TALK], clips, sounds)


def keys(edl: EDL) -> list[str]:
    return [segment_key(edl, segment, ENCODER) for segment in segments_of(edl, LENGTHS)]


def shots_of(lengths: list[int], seed: int) -> Shots:
    """Shots in the order of the talk, with something left out between each and the next."""
    random, at, shots = Random(seed), 0, []
    for length in lengths:
        at += random.randrange(1, 60)
        shots.append((at, length))
        at += length
    return shots


talks = st.builds(shots_of, st.lists(st.integers(10, 400), min_size=20, max_size=120), st.integers(0, 2**32))


@given(talks)
@settings(max_examples=60 * EXPLORED)
def test_segments_cover_the_edit_and_have_a_length_worth_a_process(shots: Shots) -> None:
    edl = cut(shots)
    segments = segments_of(edl, LENGTHS)
    assert [segments[0].first, segments[-1].end] == [0, edl.duration]
    assert all(before.end == after.first for before, after in pairwise(segments))
    if len(segments) > 1:
        assert all(LEAST <= segment.frames <= MOST for segment in segments)


@given(talks, st.data())
@settings(max_examples=60 * EXPLORED)
def test_a_change_of_one_clip_leaves_all_segments_but_a_few_as_they_were(shots: Shots, data: st.DataObject) -> None:
    before = keys(cut(shots))
    number = data.draw(st.integers(0, len(shots) - 1))
    first, length = shots[number]
    changed = data.draw(
        st.sampled_from([[], [(first, length + 7)], [(first + 3, length)], [(first, 60), (first + 100, length)]])
    )
    after = keys(cut([*shots[:number], *changed, *shots[number + 1 :]]))
    assert len(set(after) - set(before)) <= MOST_TOUCHED


def test_something_new_at_the_beginning_leaves_what_follows_as_it_was() -> None:
    shots = shots_of([90] * 200, seed=1)
    before, after = keys(cut(shots)), keys(cut([(20_000, 77), *shots]))
    assert len(before) > 40
    assert before[-35:] == after[-35:]


def test_a_cut_inside_one_long_shot_leaves_its_other_segments_as_they_were() -> None:
    before = keys(cut([(1, 30_000)]))
    after = keys(cut([(1, 15_000), (15_040, 15_000)]))
    assert len(before) > 60
    assert len(set(after) - set(before)) <= MOST_TOUCHED


def test_short_outputs_and_those_of_an_operator_who_wants_none_are_in_one_piece() -> None:
    assert segments_of(cut([(0, 900)]), LENGTHS) == (Segment(0, 900),)
    assert len(segments_of(cut([(0, 901)]), LENGTHS)) > 1
    assert segments_of(cut([(0, 90_000)]), SegmentLengths(usual_s=0)) == (Segment(0, 90_000),)


def test_very_long_outputs_have_few_segments_all_the_same() -> None:
    assert 30 < len(segments_of(cut([(0, 200_000)]), LENGTHS)) <= 2 * MOST_SEGMENTS


def test_seams_lie_at_cuts_and_never_in_a_fade() -> None:
    shots = shots_of([60] * 100, seed=2)
    edl = cut(shots, fade_in=20, fade_out=20)
    starts = {clip.start for clip in edl.video}
    assert all(segment.first in starts for segment in segments_of(edl, LENGTHS))


def test_a_caption_belongs_to_the_segments_it_is_drawn_in_and_to_none_when_it_is_not_drawn() -> None:
    shots = shots_of([100] * 40, seed=3)

    def captioned(text: str, *, burn_in: bool) -> EDL:
        style = CaptionStyle(burn_in=burn_in, left=0, top=0, right=320, bottom=180, font_size=20)
        captions = tuple(
            Caption(start=40 * n, end=40 * n + 30, lines=(text if n == 50 else "same",)) for n in range(99)
        )
        return cut(shots).model_copy(update={"captions": captions, "caption_style": style})

    one, other = keys(captioned("one", burn_in=True)), keys(captioned("other", burn_in=True))
    assert len(one) > 6
    assert sum(a != b for a, b in zip(one, other, strict=True)) == 1
    assert keys(captioned("one", burn_in=False)) == keys(captioned("other", burn_in=False)) == keys(cut(shots))


def test_the_title_and_the_names_of_clips_files_and_decisions_show_nowhere() -> None:
    edl = cut(shots_of([100] * 20, seed=4))
    renamed = edl.model_copy(
        update={
            "title": "Another",
            "director_version": "next",
            "sources": tuple(source.model_copy(update={"name": "final.mp4"}) for source in edl.sources),
            "video": tuple(clip.model_copy(update={"id": f"x{clip.id}", "reason": "d2"}) for clip in edl.video),
        }
    )
    assert keys(renamed) == keys(edl)
    assert sound_key(renamed, ENCODER) == sound_key(edl, ENCODER)
    assert video_key(renamed, ENCODER) == video_key(edl, ENCODER)


def test_a_picture_that_changes_leaves_the_sound_and_a_sound_that_changes_leaves_the_picture() -> None:
    shots = shots_of([100] * 20, seed=5)
    edl, graded = cut(shots), cut(shots, fade_in=5)
    louder = edl.model_copy(update={"audio": graded.audio[:0]})
    assert keys(graded) != keys(edl)
    assert sound_key(graded, ENCODER) == sound_key(edl, ENCODER)
    assert keys(louder) == keys(edl)
    assert sound_key(louder, ENCODER) != sound_key(edl, ENCODER)
    assert len({video_key(one, ENCODER) for one in (edl, graded, louder)}) == 3


@pytest.mark.parametrize("change", [{"crf": 30}, {"preset": "slow"}])
def test_another_encoder_makes_other_segments(change: dict[str, object]) -> None:
    edl = cut([(0, 900)])
    whole = Segment(0, 900)
    assert segment_key(edl, whole, ENCODER) != segment_key(edl, whole, ENCODER.model_copy(update=change))
    assert sound_key(edl, ENCODER) == sound_key(edl, ENCODER.model_copy(update=change))
