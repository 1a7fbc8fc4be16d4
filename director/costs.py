"""What a decision is worth: every gain and cost that the director weighs, in one table, each with its source.

A part is measured from 0 (not there) to 1 (as much as there can be), and counts its weight times that; what a passage,
a cover, a framing or a caption is worth is the sum of its parts. "EDITING" is the project's table of editing and
delivery rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Weight:
    """What a part adds where there is all of it; costs are negative. ``source`` is the rule behind it."""

    most: float
    source: str


_CHOOSING: Final = 'EDITING, "Choosing"'
_CUTTING: Final = 'EDITING, "Cutting"'
_FRAMING: Final = 'EDITING, "Framing for 9:16"'
_CAPTIONS: Final = 'EDITING, "Captions"'
_SOUND: Final = 'EDITING, "Sound"'

#: Parts by name, each with what it adds to or takes from the worth of an edit.
Shares = tuple[tuple[str, float], ...]

#: Parts of a line's score; a passage has their mean over its words.
OF_LINES: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "rate": Weight(0.10, f"{_CHOOSING}: speech energy and rate"),
        "voice": Weight(0.10, f"{_CHOOSING}: speech energy and rate"),
        "concreteness": Weight(0.20, f"{_CHOOSING}: concrete words and numbers"),
        "question_or_claim": Weight(0.20, f"{_CHOOSING}: questions and claims"),
        "address": Weight(0.10, f"{_CHOOSING}: questions and claims; those put to the viewer most of all"),
        "novelty": Weight(0.20, f"{_CHOOSING}: novelty against the rest"),
        "completeness": Weight(0.10, f"{_CHOOSING}: completeness"),
        "uncertain": Weight(-0.20, f"{_CHOOSING}: concrete words; what the recogniser doubts, a viewer may not follow"),
        "fillers": Weight(-0.15, f"{_CHOOSING}: penalty for fillers"),
        "long_pauses": Weight(-0.15, f"{_CHOOSING}: penalty for long pauses"),
    }
)

#: Parts that belong to a passage as a whole: how it opens, where it is cut out, what is cut within it.
OF_PASSAGES: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "opening": Weight(0.50, f"{_CHOOSING}: strong first 3 s"),
        "uncertain_opening": Weight(-0.40, f"{_CHOOSING}: strong first 3 s; a misheard line is a weak one"),
        "needs_context": Weight(-0.35, f"{_CHOOSING}: makes sense without what came before"),
        "starts_inside_sentence": Weight(-1.00, f"{_CHOOSING}: a passage starts on a sentence; a quarter for a clause"),
        "ends_inside_sentence": Weight(-1.00, f"{_CHOOSING}: a passage ends on a sentence; a quarter for a clause"),
        "open_question": Weight(-0.15, f"{_CHOOSING}: completeness; a question at the end stays open"),
        "tight_pause_at_start": Weight(-0.05, f"{_CUTTING}: a pause of 400 ms or more is best"),
        "short_pause_at_start": Weight(-0.25, f"{_CUTTING}: under 150 ms only when nothing better exists"),
        "no_pause_at_start": Weight(-1.00, f"{_CUTTING}: a cut falls in silence"),
        "tight_pause_at_end": Weight(-0.05, f"{_CUTTING}: a pause of 400 ms or more is best"),
        "short_pause_at_end": Weight(-0.25, f"{_CUTTING}: under 150 ms only when nothing better exists"),
        "no_pause_at_end": Weight(-1.00, f"{_CUTTING}: a cut falls in silence"),
        "inner_cuts": Weight(-0.30, f"{_CHOOSING}: penalty for long pauses; each cut inside, of a cut a second"),
        "change_of_footage": Weight(-0.10, f"{_CHOOSING}: makes sense without what came before"),
        "changes_of_shot": Weight(-0.50, f"{_CHOOSING}: makes sense by itself; half for the first, all for one in 5 s"),
        "changes_of_scene": Weight(
            -1.50, f"{_CHOOSING}: a passage makes sense by itself, and tells one thing; all at 12"
        ),
        "brief": Weight(-0.60, "ARCHITECTURE, variants: up to 90 s; what a reel lacks of a minute, as its share"),
        "held": Weight(-0.60, f"{_CUTTING}: no gap is kept beyond the pace, and a short line is held in silence"),
        "gathered": Weight(-0.25, f"{_CHOOSING}: one passage rather than several; as much as two changes of scene"),
    }
)

#: Parts of what is told at all, and in which order.
OF_STORIES: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "whole_story": Weight(1.00, "ARCHITECTURE, variants: the whole story, tightened"),
        "without_words": Weight(-0.50, f"{_CHOOSING}: a passage starts and ends on a sentence; none is known here"),
        "in_given_order": Weight(0.30, f"{_CUTTING}: an order that the creator gave comes before any other"),
        "as_recorded": Weight(0.20, f"{_CUTTING}: things are told as they happened"),
        "by_name": Weight(0.10, f"{_CUTTING}: where nothing tells when things happened, names are numbered"),
        "judged": Weight(0.00, "a judge's order stands above the table"),
        "unknown": Weight(0.00, "what could not be heard or seen has no weight; it says what the rest goes without"),
    }
)

#: Parts of what is left out of the speech.
OF_REMOVALS: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "dead_air": Weight(0.20, f"{_CUTTING}: no gap is kept beyond the pace; each second of it, up to one"),
        "said_again": Weight(0.50, f"{_CUTTING}: of a sentence that is restarted, the last complete one is kept"),
        "hesitation": Weight(0.15, f"{_CUTTING}: fillers go where the acoustic evidence is there"),
        "over_pace": Weight(0.05, f"{_CUTTING}: pace presets; a pause that the pace has no room for, however short"),
        "jump": Weight(-0.10, f"{_CUTTING}: hide the director's own jump cuts; by how much is seen [Leake 2017]"),
    }
)

#: Parts of a cover. What asks for it decides which covers are placed first, the rest which piece is shown.
OF_COVERS: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "asked_for": Weight(0.60, "EDITING, B-roll: where the words ask for it"),
        "jump_hidden": Weight(0.40, f"{_CUTTING}: B-roll over the join where there is B-roll"),
        "long_take": Weight(0.20, f"{_CUTTING}: shot length, mean 4-6 s [Salt; Bordwell]"),
        "named": Weight(0.40, "EDITING, B-roll: each of its words that is said here"),
        "looks_alike": Weight(
            0.35, "Radford 2021: cosine of text and picture; all from where LAION's makers took one to show the other"
        ),
        "shown_before": Weight(-0.20, "EDITING, B-roll: never repeated within 30 s, and better not at all"),
        "subject_just_shown": Weight(
            -0.30, "EDITING, B-roll: never repeated within 30 s; as little what only looks new; all of it right beside"
        ),
        "less_preferred": Weight(-0.15, "a judge's order of B-roll, where there is one"),
        "source_shown_before": Weight(-0.01, "our judgement: of pieces alike, the file that was seen least"),
        "speaker_hidden": Weight(-0.05, "Leake 2017: keep the speaker visible; a whole cover's length of it"),
    }
)

#: Parts of how a shot is framed.
OF_FRAMINGS: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "faces_outside": Weight(-1.00, f"{_FRAMING}: follow the active speaker; the share of samples that does not"),
        "eyes_off_line": Weight(-0.20, f"{_FRAMING}: eyes near the upper third; how far off, of the frame's height"),
        "stands_still": Weight(0.00, f"{_FRAMING}: static"),
        "pans": Weight(-0.10, f"{_FRAMING}: static, or a slow pan"),
        "goes_along": Weight(-0.20, f"{_FRAMING}: or a cut between positions; reversals <= 0.13 a second"),
        "shown_small": Weight(-0.30, f"{_FRAMING}: over a blurred fill only what must stay whole"),
        "jump_resized": Weight(0.30, f"{_CUTTING}: else a punch-in; a cover hides a jump better"),
        "enlivened": Weight(0.05, f"{_CUTTING}: shot length; a longer one comes nearer instead"),
        "look": Weight(0.10, "the style that was asked for, or is the variant's own"),
        "matched": Weight(0.10, "our judgement: light and white that do not jump; the share of clips brought closer"),
    }
)

#: Parts of what is heard.
OF_SOUND: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "split": Weight(0.15, f"{_CUTTING}: J- and L-cuts of 4-15 frames"),
        "clearer": Weight(0.50, f"{_SOUND}: an aligned track replaces the camera's; by how well it correlates"),
        "room_heard": Weight(0.20, f"{_CUTTING}: never digital silence; the share of the edit that had none"),
        "noise_lowered": Weight(0.20, f"{_SOUND}: dialogue; by how far the noise lies above what is not noticed"),
        "bed": Weight(0.10, f"{_SOUND}: music, ducked under speech"),
        "left_out": Weight(0.00, f"{_SOUND}: what belongs to no picture adds nothing"),
    }
)

#: Parts of the captions.
OF_CAPTIONING: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "captioned": Weight(0.20, f"{_CAPTIONS}: always delivered, burned in for vertical"),
        "read_fast": Weight(-0.20, f"{_CAPTIONS}: 17 characters a second; the share of captions that has more"),
        "words_left_out": Weight(-0.40, f"{_CAPTIONS}: what is said, word for word; the share that leaves some out"),
    }
)

#: What a caption costs, by itself and by where it ends. Times are shares of what the guide asks for or allows.
OF_CAPTION_BREAKS: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "out_of_guide": Weight(-8.0, f"{_CAPTIONS}: 20 characters a second, 5/6 s; thrice where no time is left"),
        "barely_seen": Weight(-30.0, f"{_CAPTIONS}: a third of a second is no time to read; other captions join it"),
        "hurried": Weight(-1.0, f"{_CAPTIONS}: 17 characters a second; the share of that time that is not there"),
        "late": Weight(-4.5, f"{_CAPTIONS}: in time with its first word; as late as it may be"),
        "early": Weight(-0.3, f"{_CAPTIONS}: in time with its first word; half a second early in silence"),
        "held_over_change": Weight(-1.0, f"{_CAPTIONS}: what was said is gone when the picture changes"),
        "over_change": Weight(-0.5, f"{_CAPTIONS}: what is said lies within a picture; each change in the midst of it"),
        "after_sentence": Weight(0.0, f"{_CAPTIONS}: broken at phrase boundaries"),
        "after_phrase": Weight(-0.3, f"{_CAPTIONS}: broken at phrase boundaries"),
        "in_pause": Weight(-0.5, f"{_CAPTIONS}: broken at phrase boundaries; a pause is heard as one"),
        "before_small_word": Weight(-0.7, f"{_CAPTIONS}: broken before conjunctions and prepositions"),
        "in_phrase": Weight(-1.2, f"{_CAPTIONS}: broken at phrase boundaries"),
        "leading_word": Weight(-0.6, f"{_CAPTIONS}: nothing parted from an article, preposition or number"),
        "sentence_begun": Weight(-0.6, f"{_CAPTIONS}: broken at phrase boundaries; a new sentence gets a new caption"),
        "another_caption": Weight(-0.4, f"{_CAPTIONS}: as few changes of text as lines allow"),
        "short_text": Weight(-0.4, f"{_CAPTIONS}: as few changes of text as lines allow; all at no text at all"),
        "left_over": Weight(
            -3.0, f"{_CAPTIONS}: no word or two left of a sentence; all at no text, none at half a line"
        ),
    }
)

#: What it costs that text lies over parts of a face, by the share of them that it covers.
OF_CAPTION_PLACES: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        "mouth_covered": Weight(-1.0, "Netflix timed text guide: text does not lie over what matters; lips are read"),
        "eyes_covered": Weight(
            -1.0, "Netflix timed text guide: text does not lie over what matters; eyes hold a viewer"
        ),
        "face_covered": Weight(-0.5, "Netflix timed text guide: text does not lie over what matters"),
        "picture_covered": Weight(
            -0.4, f"{_FRAMING}: what must stay whole is shown whole; the share of the text's rows that lies over it"
        ),
        "moved_up": Weight(-0.2, "Netflix timed text guide: text stands at the foot where it can; all at the head"),
    }
)

WEIGHTS: Final[Mapping[str, Weight]] = MappingProxyType(
    {
        **OF_LINES,
        **OF_PASSAGES,
        **OF_STORIES,
        **OF_REMOVALS,
        **OF_COVERS,
        **OF_FRAMINGS,
        **OF_SOUND,
        **OF_CAPTIONING,
        **OF_CAPTION_PLACES,
    }
)


def share(part: str, value: float) -> float:
    """What ``value`` of a part adds to, or takes from, the worth of an edit."""
    return WEIGHTS[part].most * value


def shares(parts: Mapping[str, float]) -> Shares:
    """What each of the parts adds or takes, without those that do neither, unless all are such."""
    weighed = tuple((part, share(part, value)) for part, value in parts.items())
    return tuple(one for one in weighed if one[1]) or weighed


def added(groups: Iterable[Shares]) -> Shares:
    """The shares of several things that belong together, part by part, without those that add nothing."""
    total: dict[str, float] = {}
    for part, value in (one for group in groups for one in group):
        total[part] = total.get(part, 0.0) + value
    return tuple(one for one in total.items() if one[1])
