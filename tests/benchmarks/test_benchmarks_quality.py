"""Edits are judged against what was really said."""

from fractions import Fraction
from itertools import pairwise

import pytest

from benchmarks.quality.captions import caption_figures, mouth_figures
from benchmarks.quality.cutting import cut_figures, takes_figures
from benchmarks.quality.hearing import word_figures
from benchmarks.quality.limits import LIMITS, judged_table
from benchmarks.quality.truth import TrueWord
from benchmarks.quality.wholeness import Wholeness, wholeness
from director import PlanOptions, plan
from schemas.edl import (
    EDL,
    SAMPLE_RATE,
    AudioClip,
    AudioRole,
    AudioTrack,
    Canvas,
    Caption,
    CaptionWord,
    Decision,
    Source,
    SourceAudio,
    SourceVideo,
    Variant,
    VideoClip,
)
from schemas.facts import AssetFacts, Transcript, Word
from schemas.media import AssetKind, AudioStream, MediaProbe
from tests.director.director_footage import face_track, say, video_stream
from tests.director.director_footage import talk as footage

pytestmark = pytest.mark.unit

RATE = 25


def said(*words: tuple[str, float, float], abandoned: int = 0) -> list[TrueWord]:
    return [
        TrueWord(text=text, start_s=start, end_s=end, sentence=0, abandoned=index < abandoned)
        for index, (text, start, end) in enumerate(words)
    ]


def edit(*kept: tuple[float, float]) -> EDL:
    """An edit of the talk that keeps these seconds of it, one after the other."""
    sound: list[AudioClip] = []
    at = 0
    for index, (start, end) in enumerate(kept):
        frames = round((end - start) * RATE)
        source_in = round(start * SAMPLE_RATE)
        sound.append(AudioClip(id=f"s{index}", source="a", start=at, duration=frames, source_in=source_in, reason="r"))
        at += frames
    seconds = Fraction(at, RATE)
    picture = VideoClip(
        id="p", source="a", start=0, duration=at, source_in=0, source_out=int(seconds * 1000), reason="r"
    )
    video = SourceVideo(
        stream_index=0,
        time_base=Fraction(1, 1000),
        start_pts=0,
        end_pts=100_000,
        frame_rate=Fraction(RATE),
        display_width=1920,
        display_height=1080,
    )
    source = Source(
        id="a",
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        sha256="0" * 64,
        origin=Fraction(0),
        video=video,
        audio=SourceAudio(stream_index=1, samples=100 * SAMPLE_RATE),
    )
    return EDL(
        director_version="test",
        variant=Variant.CINEMATIC_FULL,
        title="",
        rate=Fraction(RATE),
        canvas=Canvas(width=1920, height=1080),
        duration=at,
        sources=(source,),
        video=(picture,),
        audio=(AudioTrack(role=AudioRole.DIALOGUE, clips=tuple(sound)),),
        decisions=(Decision(id="r", kind="story", sentence="Kept."),),
    )


WORDS = said(("one", 1.0, 1.4), ("two", 2.0, 2.4), ("three", 5.0, 5.4))
TALK = {"talk": 0.0}


def test_cuts_in_silence_with_short_gaps_are_clean() -> None:
    figures = cut_figures(edit((0.8, 1.52), (1.88, 2.52), (4.88, 5.6)), WORDS, TALK)
    assert figures["cuts.count"] == 2
    assert figures["cuts.inside_words"] == 0
    assert figures["cuts.dead_air_over_pace"] == 0
    assert figures["cuts.longest_gap_s"] == pytest.approx(0.24)


def test_a_cut_inside_a_word_is_counted_with_its_depth() -> None:
    figures = cut_figures(edit((0.8, 2.28), (4.88, 5.6)), WORDS, TALK)
    assert figures["cuts.inside_words"] == 1
    assert figures["cuts.deepest_inside_word_ms"] == pytest.approx(120)


def test_silence_left_in_is_counted() -> None:
    figures = cut_figures(edit((0.8, 5.6)), WORDS, TALK)
    assert figures["cuts.count"] == 0
    assert figures["cuts.dead_air_over_pace"] == 2
    assert figures["cuts.longest_gap_s"] == pytest.approx(2.6)


def test_clips_that_run_on_in_the_source_are_no_cut() -> None:
    figures = cut_figures(edit((0.8, 2.2), (2.2, 5.6)), WORDS, TALK)
    assert figures["cuts.count"] == 0
    assert figures["cuts.inside_words"] == 0


def test_words_are_looked_for_where_a_later_recording_has_them() -> None:
    figures = cut_figures(edit((1.8, 2.52), (2.88, 3.52), (5.88, 6.6)), WORDS, {"talk": 1.0})
    assert figures["cuts.inside_words"] == 0


def test_takes_are_judged_by_the_words_that_stay() -> None:
    words = said(("one", 1.0, 1.4), ("two", 2.0, 2.4), ("three", 5.0, 5.4), abandoned=2)
    figures = takes_figures(edit((1.8, 2.6)), words, TALK)
    assert figures == {"takes.abandoned_words_kept": 1, "takes.good_words_lost": 1}


def captioned(text: str, spoken_s: float, shown_s: float, length_s: float) -> EDL:
    """An edit with one caption from its start on, whose words are spoken evenly."""
    tokens, frames = text.split(), round(spoken_s * RATE)
    bounds = [frames * at // len(tokens) for at in range(len(tokens) + 1)]
    spoken = tuple(CaptionWord(text=t, start=a, end=b) for t, (a, b) in zip(tokens, pairwise(bounds), strict=True))
    shown = Caption(start=0, end=round(shown_s * RATE), lines=(text,), words=spoken)
    return edit((0, length_s)).model_copy(update={"captions": (shown,)})


@pytest.mark.parametrize(
    ("captions", "unavoidable", "avoidable"),
    [
        (captioned("The camera never lies.", spoken_s=1, shown_s=2, length_s=5), 0, 0),
        (captioned("The camera never lies.", spoken_s=0.5, shown_s=0.5, length_s=5), 0, 1),
        (captioned("The camera never lies to anybody here.", spoken_s=1, shown_s=1.2, length_s=1.2), 1, 0),
    ],
    ids=["within the guide", "not held into the silence after it", "spoken faster than can be read"],
)
def test_captions_that_break_the_guide_are_told_from_those_that_had_to(
    captions: EDL, unavoidable: int, avoidable: int
) -> None:
    figures = caption_figures([captions])
    assert figures["captions.out_of_guide"] == unavoidable + avoidable
    assert figures["captions.unavoidably_out_of_guide"] == unavoidable
    assert figures["captions.avoidably_out_of_guide"] == avoidable


def test_captions_beside_a_cut_are_counted() -> None:
    shown = captioned("The camera never lies.", spoken_s=1, shown_s=2, length_s=5)
    cut = shown.model_copy(update={"video": (*parted(shown.video[0], at=56),)})
    assert caption_figures([cut])["captions.beside_cuts"] == 1
    assert caption_figures([with_end(cut, 54)])["captions.beside_cuts"] == 0
    assert caption_figures([with_end(cut, 30)])["captions.beside_cuts"] == 0, "far from it"


def parted(clip: VideoClip, at: int) -> tuple[VideoClip, VideoClip]:
    """The clip cut at a frame, from where it goes on ten seconds later."""
    ticks = at * 1000 // RATE
    return (
        clip.model_copy(update={"duration": at, "source_out": ticks}),
        clip.model_copy(update={"id": "q", "start": at, "duration": clip.duration - at, "source_in": ticks + 10_000}),
    )


def with_end(edl: EDL, end: int) -> EDL:
    return edl.model_copy(update={"captions": (edl.captions[0].model_copy(update={"end": end}),)})


def test_mouths_that_text_lies_over_are_counted() -> None:
    face = face_track(*((at / 2, 0.3, 0.28) for at in range(40)), size=0.4)
    words = say(*((1 + 4.0 * at, f"Light number {at} falls from the window.") for at in range(4)))
    facts = footage(20, words, video=video_stream(20, width=1080, height=1920), tracks=[face])
    reel = plan([facts], Variant.VERTICAL_REEL, PlanOptions())
    assert mouth_figures([(reel, [facts])]) == {"reel.mouths_under_text_share": 0}
    at_foot = tuple(caption.model_copy(update={"bottom": None}) for caption in reel.captions)
    figures = mouth_figures([(reel.model_copy(update={"captions": at_foot}), [facts])])
    assert figures["reel.mouths_under_text_share"] > 0.9


def test_words_are_compared_with_the_truth_one_by_one() -> None:
    heard = (("One,", 1.01, 1.4), ("tool", 2.0, 2.4), ("three.", 5.0, 5.5))
    figures = word_figures(said(("one", 1.0, 1.4), ("2", 2.0, 2.4), ("three", 5.0, 5.4)), talk(heard))
    assert figures["words.error_rate"] == pytest.approx(1 / 3)
    assert figures["words.max_boundary_error_ms"] == pytest.approx(100)
    assert figures["words.median_boundary_error_ms"] == pytest.approx(5)


def test_a_number_spelt_out_is_the_same_word() -> None:
    assert word_figures(said(("2", 2.0, 2.4)), talk((("two", 2.0, 2.4),)))["words.error_rate"] == 0


def talk(heard: tuple[tuple[str, float, float], ...]) -> AssetFacts:
    words = tuple(
        Word(text=text, start_us=round(start * 1e6), end_us=round(end * 1e6), probability=1.0)
        for text, start, end in heard
    )
    sound = AudioStream(
        index=0, codec="aac", sample_rate=48_000, channels=1, layout="mono", start_us=0, end_us=9_000_000
    )
    probe = MediaProbe(
        container="mp4", size_bytes=1, origin=Fraction(0), duration_us=9_000_000, video=None, audio=(sound,)
    )
    return AssetFacts(
        asset_id="talk",
        name="talk.mp4",
        kind=AssetKind.A_ROLL,
        sha256="0" * 64,
        probe=probe,
        transcript=Transcript(model="test", words=words),
    )


def test_a_figure_is_held_to_its_limit() -> None:
    assert LIMITS["cuts.inside_words"].keeps(0)
    assert not LIMITS["cuts.inside_words"].keeps(1)
    assert not LIMITS["reel.face_in_frame_share"].keeps(0.94)
    table = judged_table({"shots.missed": 2, "words.said": 9})
    assert [list(column.cells) for column in table.columns][2:] == [["0", ""], ["missed", ""]]


def test_a_short_is_whole_where_it_starts_and_ends_with_sentences() -> None:
    """The second sentence of three, with and without its last word."""
    words = spaced("One.", "Two", "three.", "Four.")
    assert wholeness(edit((0.8, 2.8)), words) is Wholeness.SENTENCE
    assert wholeness(edit((0.8, 1.8)), words) is Wholeness.BROKEN
    assert wholeness(edit((1.8, 2.8)), words) is Wholeness.BROKEN
    torn = [*words[:3], words[3].model_copy(update={"text": "or four."})]
    assert wholeness(edit((0.8, 2.8)), torn) is Wholeness.BROKEN


def test_a_clause_is_told_from_a_sentence_and_from_what_breaks_off() -> None:
    words = spaced("One.", "Lenses", "bend,", "and", "we", "see,", "by", "day.")
    assert wholeness(edit((0.8, 2.8)), words) is Wholeness.CLAUSE
    assert wholeness(edit((2.8, 7.8)), words) is Wholeness.CLAUSE
    assert wholeness(edit((0.8, 5.8)), words) is Wholeness.BROKEN, "by day is still to come"
    assert wholeness(edit((0.8, 7.8)), words) is Wholeness.SENTENCE
    hurried = [w if w.text != "bend," else w.model_copy(update={"end_us": 3_000_000}) for w in words]
    assert wholeness(edit((0.8, 3.0)), hurried) is Wholeness.BROKEN, "no pause bounds it"


def spaced(*texts: str) -> list[Word]:
    """Words of 0.6 s, one a second."""
    return [
        Word(start_us=i * 1_000_000, end_us=i * 1_000_000 + 600_000, text=text, probability=1)
        for i, text in enumerate(texts)
    ]
