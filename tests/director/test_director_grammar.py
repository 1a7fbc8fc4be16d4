"""The linter and the diff: what an editor is told of a timeline, and of two."""

from collections.abc import Sequence
from fractions import Fraction

import opentimelineio as otio
import pytest

from director import PlanOptions, differences, plan, with_captions
from director.grammar import Cutting, cutting_of, cutting_of_otio, lint
from director.grammar.cutting import Heard, Shot
from schemas.edl import EDL, Caption, CropKey, Variant
from schemas.invalid_input import InvalidInput
from schemas.jobs import Pace
from schemas.media import AssetKind
from tests.director.director_footage import say, talk

pytestmark = pytest.mark.unit

RATE = Fraction(25)


def shots(*lengths_s: float, source: str = "talk", size: float | None = 1.0) -> tuple[Shot, ...]:
    """Shots one after the other, each a second further on in its source."""
    made: list[Shot] = []
    at = 0
    for number, length in enumerate(lengths_s):
        frames = round(length * RATE)
        made.append(Shot(source, at, at + frames, Fraction(at) / RATE + number, size, cover=False))
        at += frames
    return tuple(made)


def cutting(seen: Sequence[Shot], heard: Sequence[Heard] = (), captions: Sequence[Caption] = ()) -> Cutting:
    return Cutting(RATE, tuple(seen), tuple(heard), tuple(captions), upright=False)


def broken(found: Cutting) -> set[str]:
    return {finding.rule for finding in lint(found).findings}


def other_sizes(seen: Sequence[Shot]) -> list[Shot]:
    return [
        Shot(s.source, s.start, s.end, s.source_in, 1.0 if at % 2 else 1 / 1.12, s.cover) for at, s in enumerate(seen)
    ]


class TestLint:
    def test_a_timeline_that_breaks_nothing_has_the_full_score(self) -> None:
        assert lint(cutting(other_sizes(shots(2, 8, 4, 7, 3, 6, 5)))).score == 100

    def test_a_jump_cut_is_found_at_its_frame_and_a_punch_in_hides_it(self) -> None:
        bare = lint(cutting(shots(5, 5)))
        assert [(f.rule, f.frame) for f in bare.findings] == [("jump cut", 125)]
        assert not broken(cutting(other_sizes(shots(5, 5))))

    def test_a_clip_cut_in_two_where_it_runs_on_is_no_cut(self) -> None:
        one, two = (
            Shot("talk", 0, 50, Fraction(0), 1.0, cover=False),
            Shot("talk", 50, 99, Fraction(2), 1.0, cover=False),
        )
        assert not broken(cutting([one, two]))

    def test_shots_too_long_too_even_and_too_short_are_told(self) -> None:
        assert "shot length" in broken(cutting(other_sizes(shots(20, 22, 18, 30, 25, 21))))
        assert "rhythm" in broken(cutting(other_sizes(shots(5, 5, 5, 5, 5, 5))))
        assert "glimpse" in broken(cutting(other_sizes(shots(5, 0.2, 5))))

    def test_a_cover_over_the_opening_and_one_shown_again_are_told(self) -> None:
        first = Shot("city", 20, 70, Fraction(0), 1.0, cover=True)
        again = Shot("city", 300, 350, Fraction(1), 1.0, cover=True)
        base = Shot("talk", 70, 300, Fraction(3), 1.0, cover=False)
        heard = Heard("talk", 0, 350, Fraction(0), fades_in=True, fades_out=True)
        assert {"covered opening", "repeated cover"} <= broken(cutting([first, base, again], [heard]))

    def test_sound_that_stumbles_over_the_cut_is_told_and_a_j_cut_is_not(self) -> None:
        seen = [
            Shot("a", 0, 100, Fraction(0), 1.0, cover=False),
            Shot("b", 100, 200, Fraction(0), 1.0, cover=False),
        ]

        def joined_at(frame: int) -> set[str]:
            faded = {"fades_in": True, "fades_out": True}
            return broken(
                cutting(
                    seen, [Heard("a", 0, frame, Fraction(0), **faded), Heard("b", frame, 200, Fraction(0), **faded)]
                )
            )

        assert "split edit" in joined_at(98)
        assert not {"split edit"} & (joined_at(100) | joined_at(92))

    def test_a_join_without_fades_is_told(self) -> None:
        heard = [
            Heard("a", 0, 100, Fraction(0), fades_in=True, fades_out=False),
            Heard("a", 100, 200, Fraction(9), fades_in=True, fades_out=True),
        ]
        assert "hard join" in broken(cutting(shots(8), heard))

    def test_captions_are_held_to_the_guide(self) -> None:
        captions = [
            Caption(start=0, end=50, lines=("x" * 43,)),
            Caption(start=51, end=60, lines=("Far too much text for so little time",)),
        ]
        assert {"caption line", "caption time", "caption speed"} <= broken(cutting(shots(8), captions=captions))


class TestOtherPrograms:
    def timeline(self, *tracks: Sequence[tuple[str, int, int]]) -> str:
        """Tracks of clips as (name, first source frame, frames)."""
        made = otio.schema.Timeline("theirs")
        for number, clips in enumerate(tracks):
            track = otio.schema.Track(f"V{number}", kind=otio.schema.TrackKind.Video)
            for name, first, frames in clips:
                of = otio.opentime.TimeRange(*(otio.opentime.RationalTime(value, 25) for value in (first, frames)))
                track.append(otio.schema.Clip(name, source_range=of) if name else otio.schema.Gap(source_range=of))
            made.tracks.append(track)
        text: str = made.to_json_string()
        return text

    def test_a_timeline_of_any_program_can_be_held_against_the_grammar(self) -> None:
        found = cutting_of_otio(self.timeline([("talk", 0, 125), ("talk", 500, 125)]))
        assert [(f.rule, f.frame) for f in lint(found).findings] == [("jump cut", 125)]

    def test_an_upper_track_hides_what_lies_below_it(self) -> None:
        below, above = [("talk", 0, 125), ("talk", 500, 125)], [("", 0, 100), ("city", 0, 50)]
        found = cutting_of_otio(self.timeline(below, above))
        assert [(s.source, s.start, s.end, s.source_in * RATE) for s in found.shots] == [
            ("talk", 0, 100, 0),
            ("city", 100, 150, 0),
            ("talk", 150, 250, 525),
        ]
        assert not broken(found)

    def test_a_timeline_without_picture_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="no clip of picture"):
            cutting_of_otio(self.timeline())


def edit(pace: Pace = Pace.NATURAL) -> EDL:
    words = say(*((1 + 4.0 * i, f"Glass {i} bends the light.") for i in range(6)))
    city = talk(20, kind=AssetKind.B_ROLL, ident="city", digest="b", name="city.mp4")
    return plan([talk(26, words), city], Variant.CINEMATIC_FULL, PlanOptions(title="Glass", pace=pace))


class TestDifferences:
    def test_an_edit_does_not_differ_from_itself(self) -> None:
        assert differences(edit(), edit()) == ()

    def test_another_pace_is_told_with_the_reasons_of_its_cuts(self) -> None:
        changes = differences(edit(), edit(Pace.FAST))
        assert changes[0].sentence.startswith("lasts ")
        assert any(change.sentence.startswith("picture new: talk.mp4") and change.reason for change in changes)

    def test_a_changed_caption_is_told_with_both_texts(self) -> None:
        before = edit()
        first = before.captions[0].model_copy(update={"lines": ("Other words.",), "words": ()})
        (change,) = differences(before, with_captions(before, (first, *before.captions[1:])))
        assert change.sentence == f"caption: “Other words.” and not “{' '.join(before.captions[0].lines)}”"

    def test_a_clip_that_is_only_framed_otherwise_stays_the_same_clip(self) -> None:
        before = edit()
        key = CropKey(frame=0, x=10, y=0, width=960, height=540)
        video = (before.video[0].model_copy(update={"crop": (key,)}), *before.video[1:])
        (change,) = differences(before, before.model_copy(update={"video": video}))
        assert change.sentence.endswith("other framing")


def test_our_own_edits_are_cut_by_the_grammar_but_for_what_the_footage_denies() -> None:
    assert not broken(cutting_of(edit())) & {"hard join", "glimpse", "covered opening", "repeated cover", "split edit"}
