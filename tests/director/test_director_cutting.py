"""What stays of the speech: pauses, repeated takes, false starts and fillers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from director import PlanOptions, plan
from director.style import PACES
from schemas.edl import EDL, Variant
from schemas.errors import ErrorCode, OutputRefused
from schemas.facts import AssetFacts, Span
from schemas.jobs import Pace
from tests.director.director_footage import recorder, say, talk, voice_of
from tests.exploring import EXPLORED

pytestmark = pytest.mark.unit

FULL = Variant.CINEMATIC_FULL


def captions(edl: EDL) -> str:
    return " ".join(" ".join(caption.lines) for caption in edl.captions)


def kinds(edl: EDL) -> list[str]:
    return [decision.kind for decision in edl.decisions]


@pytest.mark.parametrize("pace", Pace)
def test_pauses_are_kept_to_the_limit_of_the_pace(pace: Pace) -> None:
    facts = talk(40, say((3, "First we look at the light."), (9, "Then we move the camera."), (20, "Now we begin.")))
    edl = plan([facts], FULL, PlanOptions(pace=pace))
    spoken_s = sum(w.duration_us for w in facts.transcript.words) / 1e6 if facts.transcript else 0
    inner_s = 0.05 * (6 - 1 + 5 - 1 + 3 - 1)
    longest_s = spoken_s + inner_s + 3 * PACES[pace].longest_gap_us / 1e6
    assert spoken_s + inner_s < edl.duration / edl.rate <= longest_s + 0.001
    assert kinds(edl).count("pause") == 4


def test_a_short_pause_is_left_alone() -> None:
    edl = plan([talk(9, say((1, "Look at this light."), (2.7, "It is soft.")))], FULL, PlanOptions())
    assert len(edl.video) == 1


def test_a_word_ends_where_the_nearer_recording_falls_silent() -> None:
    ends, begins = 2.35, 2.69
    main = talk(9, say((1, "Look at this light."), (begins, "It is soft.")))
    assert main.transcript
    assert main.transcript.words[3].end_us == ends * 1_000_000
    assert len(plan([main], FULL, PlanOptions()).video) == 1, "a pause of 0.34 s is short enough"
    microphone = recorder(main, offset_us=500_000, drift_ppm=0, correlation=0.9)
    assert microphone.sound

    def pieces(silent_from: float) -> int:
        silence = Span(start_us=round((silent_from + 0.5) * 1_000_000), end_us=round((begins + 0.5) * 1_000_000))
        near = microphone.sound.model_copy(update={"silences": (silence,)}) if microphone.sound else None
        return len(plan([main, microphone.model_copy(update={"sound": near})], FULL, PlanOptions()).video)

    assert pieces(ends - 0.1) == 2, "what the camera hears for another 0.1 s is the room"
    assert pieces(ends) == 1
    assert pieces(ends - 0.25) == 1, "no room answers so long: the microphone was switched off"


def kept_frames(pause_s: float, pace: Pace) -> int:
    """Frames of an edit of two sentences with a pause between them."""
    spoken_s = 4 * 0.3 + 3 * 0.05
    facts = talk(9, say((1, "Look at this light."), (1 + spoken_s + pause_s, "It is soft.")))
    return plan([facts], FULL, PlanOptions(pace=pace)).duration


@settings(max_examples=60 * EXPLORED, deadline=None)
@given(st.floats(0.02, 1.5), st.floats(0.02, 1.5), st.sampled_from(Pace))
def test_of_two_pauses_the_longer_one_is_never_left_shorter(one_s: float, other_s: float, pace: Pace) -> None:
    shorter_s, longer_s = sorted((one_s, other_s))
    shorter, longer = kept_frames(shorter_s, pace), kept_frames(longer_s, pace)
    rounding = 1
    assert shorter - rounding <= longer <= shorter + 30 * (longer_s - shorter_s) + 2 * rounding
    assert longer <= kept_frames(PACES[pace].longest_gap_us / 1e6, pace) + rounding


@pytest.mark.parametrize("pause_s", [0.46, 0.6])
def test_a_jump_that_is_seen_is_shown_as_a_change_of_size(pause_s: float) -> None:
    spoken_s = 4 * 0.3 + 3 * 0.05
    facts = talk(9, say((1, "Look at this light."), (1 + spoken_s + pause_s, "It is soft.")))
    edl = plan([facts], FULL, PlanOptions())
    assert kinds(edl).count("punch_in") == 1


def test_a_broken_off_sentence_gives_way_to_its_retake() -> None:
    words = say(
        (1, "In the left sidebar, you have a list"), (6, "In the left sidebar, you have a list of your videos.")
    )
    edl = plan([talk(14, words)], FULL, PlanOptions())
    assert captions(edl) == "In the left sidebar, you have a list of your videos."
    dropped = next(decision for decision in edl.decisions if decision.kind == "repeated_take")
    assert dropped.evidence[0].start_us == 1_000_000


def test_of_several_takes_the_last_complete_one_stays() -> None:
    line = "We test every lens in the rain."
    takes = say((1, line), (6, line), (11, line), (16, "We test every lens in"))
    edl = plan([talk(24, takes)], FULL, PlanOptions())
    assert captions(edl) == line
    clock_in = edl.video[0].source_in / 90_000
    assert 10.8 <= clock_in <= 11.0


def test_an_aside_between_takes_goes_with_them() -> None:
    words = say(
        (1, "Today I show you the"), (5, "Sorry, let me start again."), (9, "Today I show you the whole studio.")
    )
    assert captions(plan([talk(15, words)], FULL, PlanOptions())) == "Today I show you the whole studio."


def test_a_false_start_inside_a_sentence_is_cut_out() -> None:
    words = say((1, "I want to show")) + say((3, "I want to tell you about glass."))
    assert captions(plan([talk(8, words)], FULL, PlanOptions())) == "I want to tell you about glass."


@pytest.mark.parametrize(
    "lines",
    [
        ("The first number is seven hundred.", "The first number is nine hundred."),
        ("This lens is good for portraits.", "This lens is not good for portraits."),
        ("Never give up.", "Never give up."),
    ],
    ids=["list", "negation", "figure of speech"],
)
def test_lines_that_only_sound_alike_are_both_kept(lines: tuple[str, str]) -> None:
    edl = plan([talk(14, say((1, lines[0]), (6, lines[1])))], FULL, PlanOptions())
    assert captions(edl) == " ".join(lines)


def test_a_filler_goes_only_when_it_is_heard() -> None:
    words = say((1, "We look at")) + say((2.5, "um")) + say((3.3, "the sky."))
    heard = talk(6, words)
    unheard = heard.model_copy(
        update={"sound": heard.sound.model_copy(update={"speech": (Span(start_us=0, end_us=2_000_000),)})}
        if heard.sound
        else {}
    )
    assert captions(plan([heard], FULL, PlanOptions())) == "We look at the sky."
    assert "um" in captions(plan([unheard], FULL, PlanOptions()))


def test_voice_without_words_is_kept_in_the_story() -> None:
    facts = talk(20, say((1, "Here is the plan.")))
    sound = (
        facts.sound.model_copy(update={"speech": (Span(start_us=6_000_000, end_us=9_000_000),)})
        if facts.sound
        else None
    )
    edl = plan([facts.model_copy(update={"sound": sound})], FULL, PlanOptions())
    shown = [(clip.source_in / 90_000, clip.source_out / 90_000) for clip in edl.video]
    assert any(start <= 6 and end >= 9 for start, end in shown)


def test_a_cut_does_not_flash_the_next_shot() -> None:
    words = say((1, "Here is the plan."), (8, "And here is the end."))
    cut = 73 / 30
    assert cut - words[3].end_us / 1e6 < 0.1
    edl = plan([talk(12, words, shots=[cut])], FULL, PlanOptions())
    assert edl.video[0].source_out == round(cut * 90_000)


@pytest.mark.parametrize("sounds_on", [False, True])
def test_a_word_ends_with_its_shot_where_its_voice_does(sounds_on: bool) -> None:
    """Recognisers let the last word before a cut last into the noise of what follows; a voice may go on over it."""
    words = say((1, "Here is the plan."), (8, "And here is the end."))
    late = words[3].model_copy(update={"end_us": words[3].end_us + 400_000})
    cut = words[3].end_us / 1e6
    facts = talk(12, (*words[:3], late, *words[4:]), shots=[cut])
    if not sounds_on:
        assert facts.sound
        sound = facts.sound.model_copy(update={"speech": voice_of(words)})
        facts = facts.model_copy(update={"sound": sound})
    edl = plan([facts], FULL, PlanOptions())
    shown_after = [clip for clip in edl.video if round(cut * 30) <= clip.source_in / 3000 < 7 * 30]
    assert bool(shown_after) is sounds_on


def test_footage_without_speech_is_kept_whole() -> None:
    edl = plan([talk(7, sound=False, shots=[3])], FULL, PlanOptions())
    assert edl.duration == 210
    assert edl.audio == ()
    assert len(edl.video) == 2


def test_several_pieces_of_a_roll_keep_their_order() -> None:
    one = talk(6, say((1, "First comes one.")), ident="one", digest="1")
    two = talk(6, say((1, "Second comes two.")), ident="two", digest="2")
    assert captions(plan([two, one], FULL, PlanOptions())) == "Second comes two. First comes one."


@pytest.mark.parametrize(
    ("facts", "variant", "code"),
    [
        ([], FULL, ErrorCode.NO_USABLE_ASSET),
        ([talk(40, sound=False)], Variant.SHORT_HIGHLIGHT, ErrorCode.NO_SPEECH),
        ([talk(40)], Variant.HOOK_CUT, ErrorCode.NO_SPEECH),
        (
            [talk(20, say((1, "This is far too little to fill it.")))],
            Variant.SHORT_HIGHLIGHT,
            ErrorCode.SOURCE_TOO_SHORT,
        ),
        ([talk(2, say((0.2, "Too short.")))], Variant.HOOK_CUT, ErrorCode.SOURCE_TOO_SHORT),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_reason(
    facts: list[AssetFacts], variant: Variant, code: ErrorCode
) -> None:
    with pytest.raises(OutputRefused) as refused:
        plan(facts, variant, PlanOptions())
    assert refused.value.code is code
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("In the left side bar, you have a list.", "In the left sidebar, you have a list of all your videos."),
        ("We test every lens in the wood cutters rain.", "We test every lens in the woodcutters rain."),
        (
            "The transcription with diarization works well.",
            "The transcription with diarisation works well.",
        ),
    ],
    ids=["broken off", "compound", "spelling"],
)
def test_a_retake_is_known_though_the_recogniser_wrote_it_otherwise(first: str, again: str) -> None:
    edl = plan([talk(18, say((1, first), (7, again)))], FULL, PlanOptions())
    assert captions(edl) == again


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Turn the dial to fifteen and wait.", "Turn the dial to fifty and wait."),
        ("The prices increase in the summer months.", "The prices decrease in the summer months."),
        ("We can do it in this light.", "We can't do it in this light."),
    ],
    ids=["number", "opposite", "negation"],
)
def test_a_line_that_differs_in_the_word_that_matters_is_no_retake(first: str, second: str) -> None:
    edl = plan([talk(18, say((1, first), (7, second)))], FULL, PlanOptions())
    assert captions(edl) == f"{first} {second}"


def test_a_filler_that_no_text_tells_of_is_cut_out_by_ear() -> None:
    words = say((1, "We look at"), (3, "the light outside."))
    facts = talk(6, words)
    assert facts.transcript
    heard = facts.model_copy(
        update={
            "transcript": facts.transcript.model_copy(update={"fillers": (Span(start_us=2_200_000, end_us=2_600_000),)})
        }
    )
    edl = plan([heard], FULL, PlanOptions())
    assert kinds(edl).count("filler") == 1
    assert captions(edl) == "We look at the light outside."
    spans = [(clip.source_in / 90_000, clip.source_out / 90_000) for clip in edl.video]
    assert all(end <= 2.2 or start >= 2.6 for start, end in spans)


def test_someone_who_only_hesitates_is_kept() -> None:
    words = say((1, "um"), (3, "uh"))
    assert len(plan([talk(6, words)], Variant.VERTICAL_REEL, PlanOptions()).audio[0].clips) >= 1
    silent = talk(6)
    assert silent.transcript
    told = silent.transcript.model_copy(update={"fillers": (Span(start_us=1_000_000, end_us=1_400_000),)})
    edl = plan([silent.model_copy(update={"transcript": told})], Variant.VERTICAL_REEL, PlanOptions())
    assert "Nobody speaks" in edl.decisions[0].sentence
