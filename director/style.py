"""Every number the director works by, named, with its unit and where it comes from.

"EDITING" is the project's table of editing and delivery rules; a source in brackets is the published one behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from schemas.edl import Grade, Look
from schemas.jobs import EditStyle, Pace

# Cutting (EDITING, "Cutting").

#: A pause this long is the best place for a cut.
GOOD_PAUSE_US = 400_000
#: A pause this long is a usable place; a shorter one only when nothing better exists.
USABLE_PAUSE_US = 150_000
#: Voice without words shorter than this is a breath or a filler; longer, it is speech the recogniser missed.
UNWORDED_SPEECH_US = 600_000
#: How far a word may reach past the recogniser's times, up to the silence measured in the waveform. As far as voice
#: may go without words: between the two limits a cut would fall into something said ("$200" is written, and its
#: "dollars" is spoken after the time the recogniser gives).
WORD_REACH_US = UNWORDED_SPEECH_US
#: How long at most a room is taken to answer a word, where a nearer recording is silent already: small rooms take about
#: half a second for 60 dB, of which a word fades into the noise of a camera's sound in the first third.
ROOM_ANSWER_US = 150_000
#: Equal-power fade at a join of two sounds (EDITING: about 10-30 ms).
JOIN_FADE_US = 20_000
#: Shortest join fade, where the silence beside the cut leaves room for no more.
SHORTEST_FADE_US = 5_000
#: J- and L-cuts (EDITING: 4-15 frames of lead or lag).
SPLIT_EDIT_FRAMES = range(4, 16)
#: The picture fades from and to black over this at the ends of a film.
END_FADE_US = 200_000


#: A jump over less than this moves nobody's head far enough to be hidden: it shows a quarter of what a long one does.
VISIBLE_JUMP_US = 100_000
#: A jump over this shows half of the change that one over a long time shows (measured on six talking heads: of what
#: 1.5 s change in the picture, 0.1 s change 27 %, 0.2 s 44 %, 0.5 s 69 % and 1 s 95 %, in the median).
HALF_JUMP_US = 250_000


@dataclass(frozen=True, slots=True)
class PaceStyle:
    """How tight a pace is: the longest gap it keeps, and the parts of it after and before speech (30-200 ms each)."""

    longest_gap_us: int
    pad_after_us: int
    pad_before_us: int


#: EDITING: relaxed keeps gaps to 0.6 s, natural to 0.35 s, fast to 0.15 s.
PACES: Mapping[Pace, PaceStyle] = MappingProxyType(
    {
        Pace.RELAXED: PaceStyle(longest_gap_us=600_000, pad_after_us=200_000, pad_before_us=200_000),
        Pace.NATURAL: PaceStyle(longest_gap_us=350_000, pad_after_us=200_000, pad_before_us=150_000),
        Pace.FAST: PaceStyle(longest_gap_us=150_000, pad_after_us=90_000, pad_before_us=60_000),
    }
)

# Sentences.

#: Silence that ends a sentence in text with punctuation, and in text without any.
SENTENCE_PAUSE_US = 700_000
UNPUNCTUATED_PAUSE_US = 500_000
#: Text with fewer sentence ends than one in this many words counts as unpunctuated.
WORDS_PER_FULL_STOP = 60
#: A longer sentence is split at its widest pause; nobody speaks on so long without a thought ending.
LONGEST_SENTENCE_WORDS = 60

# Repeated takes (EDITING: keep the last complete one).

#: Takes lie close together: this many sentences and this much time at most between them.
TAKE_REACH_SENTENCES = 3
TAKE_REACH_US = 30_000_000
#: Fewer words in common are a figure of speech, not a second take.
TAKE_WORDS = 4
FALSE_START_WORDS = 3
#: Ratio of matching words (difflib) above which two sentences are the same line said twice.
TAKE_RATIO = 0.8
#: Of the same, where some words were heard otherwise; and how alike two words are written that may be the same sound.
HEARD_RATIO = 0.6
HEARD_ALIKE = 0.7
#: Share of a broken-off sentence that the next one must begin with.
FALSE_START_SHARE = 0.7
#: A false start inside a sentence is at most this many words long.
RESTART_REACH_WORDS = 12
#: Share of a filler that must be voiced for its removal to have acoustic evidence.
FILLER_VOICED_SHARE = 0.5

# Jump cuts (EDITING, "Cutting").

#: A change of size by less than this at a cut is not taken for one: faces are found 2 to 5 % larger or smaller than
#: they are (EDITING: at least 10 % are visible).
VISIBLE_RESIZE = 0.15
#: Change of size at a jump cut; at least 10 % to be visible.
PUNCH_INS: Mapping[EditStyle, Fraction] = MappingProxyType(
    {
        EditStyle.NATURAL: Fraction(112, 100),
        EditStyle.CINEMATIC: Fraction(112, 100),
        EditStyle.PUNCHY: Fraction(125, 100),
    }
)
#: Shot length for modern pacing: mean 4-6 s [Salt; Bordwell].
COVER_US = 4_500_000
SHORTEST_COVER_US = 1_500_000
SCREEN_COVER_US = 8_000_000
#: The speaker stays on screen at least this long between covers, and at the end [Leake 2017: keep the speaker visible].
SPEAKER_VISIBLE_US = 6_000_000
SPEAKER_AT_END_US = 1_500_000
#: Pictures change between phrases, as an editor cuts them: a cover that words ask for begins with their phrase, at most
#: this long before them, and ends with one, at most this long before it must.
COVER_START_REACH_US = 1_000_000
COVER_END_REACH_US = 1_500_000
#: Covers that the words ask for may follow each other sooner.
ASKED_VISIBLE_US = 2_500_000
#: A picture seen for less than this between a cut and a cover only flashes by.
SLIVER_US = 700_000
#: A screen is shown from this long before the first thing happens on it.
SCREEN_LEAD_US = 700_000
#: A talking head alone for longer than this is relieved by a cover at the next pause.
LONG_TAKE_US = 15_000_000
#: The opening line belongs to the speaker's face; where no line is known, this much does.
OPENING_US = 4_000_000
#: So long nothing that only hides a jump covers a new scene or speaker: who speaks is seen first [Leake 2017: start
#: wide, keep the speaker visible].
SCENE_OPENING_US = 2_500_000
#: The same stretch of B-roll is not shown again within this time.
COVER_REPEAT_US = 30_000_000
#: Kept away from the ends of a B-roll shot, where cameras are started and dropped.
COVER_MARGIN_US = 200_000
#: The same piece is shown this often in an edit at most; a change of size hides a jump cut as well, and bores nobody.
MOST_SHOWINGS = 2
#: Pieces taken from one B-roll file at most; beyond it nothing new would be seen of it.
MOST_PIECES = 60

#: A passage of which less than this share is in the edit asks for no picture: what it was about may be gone.
PASSAGE_LEFT = 0.5

# Looks.

#: What each style does to colours after its shots match; ``None`` shows the picture as it was shot.
LOOKS: Mapping[EditStyle, Grade | None] = MappingProxyType(
    {
        EditStyle.NATURAL: None,
        EditStyle.CINEMATIC: Grade(look=Look.CINEMA, look_percent=70),
        EditStyle.PUNCHY: Grade(contrast_percent=110, saturation_percent=115),
    }
)
#: Shots are brought together by no more than this, since what differs may be meant; less than the least is not seen.
EXPOSURE_MATCH_MILLISTOPS, LEAST_MATCH_MILLISTOPS = 500, 80
WHITE_MATCH, LEAST_MATCH_WHITE = 12, 3
#: Hundredths of a stop between red and blue for each unit of measured cast: half of what would take it away, since
#: part of a cast is the colour of what is shown.
WHITE_PER_CAST = 600
#: Styles in which a long shot slowly comes nearer, how long it must be, and how much nearer it comes.
PUSHED_IN = frozenset({EditStyle.CINEMATIC})
PUSH_IN_US = 5_000_000
PUSH_IN = Fraction(106, 100)

# Screens as pictures in the picture.

#: Least and greatest width, as shares of the canvas's, and the space around it.
INSET_WIDTHS = (0.28, 0.42)
INSET_MARGIN = 0.03
INSET_FADE_US = 250_000
#: A screen on which something changes for more than this share of the time is shown large.
BUSY_SCREEN_SHARE = 0.25

# Framing (EDITING, "Framing for 9:16").

#: Height of the eyes in the frame.
EYE_LINE = Fraction(1, 3)
REVERSALS_PER_S = Fraction(13, 100)
#: Free space on each side of a face box, as a share of its width, for what moves between samples.
FACE_MARGIN = 0.12
#: A pan faster than this share of the crop's width a second draws the eye to itself.
PAN_WIDTHS_PER_S = 0.15
#: A position is held at least this long before the crop cuts to another.
HOLD_US = 1_500_000
#: Between two cuts of the edit, where it turns for nobody to see, as long as a shot must last to be understood.
HOLD_BETWEEN_CUTS_US = 500_000
#: A speaker who takes at least this long from place to place is followed; one who is quicker is cut to.
MOVE_US = 400_000
#: A move faster than this share of the crop's width a second is a whip pan: cut instead.
MOVE_WIDTHS_PER_S = 1.0
#: Share of samples whose face must be inside the crop before the picture is shown whole instead (delivery: 95 %).
FACE_INSIDE_SHARE = 0.96
#: Share of the frames with a face that must show it whole (ARCHITECTURE, "Quality a viewer can measure").
FACE_IN_FRAME_SHARE = 0.95
#: A second face of this share of the first one's area (half as wide), for as long, is another speaker.
RIVAL_FACE = 0.25
#: A picture whose shape is within this ratio of the canvas is cropped; farther off it is shown whole over a blur.
CROP_ASPECT_RATIO = 1.2
#: Of a picture wider than this, an upright crop would leave too little to understand it by.
WIDEST_CROPPED = 2.4
#: Of an upright picture on a wide canvas, no more is cut away than leaves this shape, width to height: 4:5 takes up
#: 45 % of the canvas where 9:16 takes 32 %, and still shows the hands of someone who sits.
WIDEST_OF_UPRIGHT = 0.8

# Captions (EDITING, "Captions").


@dataclass(frozen=True, slots=True)
class CaptionLayout:
    """Characters a line, and the part of the canvas captions may use: shares of its width and height."""

    line_chars: int
    left: Fraction
    right: Fraction
    top: Fraction
    bottom: Fraction
    font_height: Fraction


#: 42 characters a line [Netflix timed text guide]; 68 % of the width and 5 % margins [BBC subtitle guidelines].
LANDSCAPE_CAPTIONS = CaptionLayout(
    42, Fraction(16, 100), Fraction(84, 100), Fraction(5, 100), Fraction(95, 100), Fraction(5, 100)
)
#: Clear of the top 14 %, the bottom 35 % and 6 % at the sides [Meta Reels safe zone].
PORTRAIT_CAPTIONS = CaptionLayout(
    22, Fraction(6, 100), Fraction(94, 100), Fraction(14, 100), Fraction(65, 100), Fraction(375, 10_000)
)

#: [Netflix timed text guide]: reading speed aimed at and at most, shown 5/6 s to 7 s, 2 frames between, 2 lines.
READING_CHARS_PER_S = 17
FASTEST_CHARS_PER_S = 20
SHORTEST_CAPTION = Fraction(5, 6)
LONGEST_CAPTION = Fraction(7)
#: Below the shortest time, and down to this, only where joined captions would not fit on two lines: long enough to
#: notice and read two or three words.
BRIEFEST_CAPTION = Fraction(1, 3)
CAPTION_GAP_FRAMES = 2
#: A shorter gap between captions is closed to the least, as what is no gap and no pause only flickers.
CAPTION_CHAIN = Fraction(1, 2)
#: How long before its first word, in silence, a caption may begin that there is no time to read after it; how far into
#: the words before it in running speech; and how long after its first word, for the one before it to be read [BBC
#: subtitle guidelines: a caption may slip if the next ones catch up; it neither precedes speech nor outlasts it by more
#: than 1.5 s, of which this is half].
CAPTION_LEAD = Fraction(1, 2)
CAPTION_SLIP = Fraction(1, 4)
CAPTION_LATE = Fraction(3, 4)
CAPTION_LINES = 2
#: A caption does not stay up through a silence longer than this.
CAPTION_PAUSE_US = 1_000_000

#: Height of a caption of two lines, in ems of its type, as it is drawn.
CAPTION_HEIGHT_EMS = 2.92
#: Free space between captions and a picture that they stand beside, in ems.
BESIDE_PICTURE_EMS = 0.25
#: From where to where the mouth is on the way from the eyes to the lower edge of a face box: its corners lie at 0.55 to
#: 0.60 (measured on 58 faces of seven people), and open lips reach farther.
MOUTH_REACH = (0.4, 0.85)
#: How far around their line the eyes reach, as a share of the box's height.
EYES_REACH = 0.12

# Sound (EDITING, "Sound").

#: An audio track that is another recording of the same sound correlates with it at least this well.
ALIGNED_CORRELATION = 0.5
#: Loudness of music under speech and alone, for dialogue at -14 LUFS, in millibels relative to full scale.
MUSIC_UNDER_SPEECH_MB = -3_400
MUSIC_ALONE_MB = -2_400
#: A track with a smaller share of voice is music.
MUSIC_VOICE_SHARE = 0.25
#: Music rises only into pauses longer than this, and takes this long to rise and fall.
DUCK_PAUSE_US = 1_500_000
DUCK_RAMP_US = 300_000
MUSIC_FADE_US = 2_000_000
#: Noise this far below the speech is not noticed [ACX submission requirements: speech at no less than -23 dB RMS, noise
#: at no more than -60]; nearer to it, it is lowered.
CLEAN_BELOW_SPEECH_DB = 37
#: Noise this near to the speech would take some of it along.
NOISE_APART_DB = 20
#: What room tone is lowered by, in millibels, beside dialogue whose noise is: as that of real rooms is (4 to 7 dB on
#: four recordings).
ROOM_TONE_LOWERED_MB = 600
#: Noise that is not heard by itself for so long in all cannot be told from speech without pauses.
NOISE_ALONE_US = 500_000
#: A recording with a greater share of music keeps all that is steady in it.
MUSIC_SHARE = 0.1
#: Room tone shorter than this would be heard to repeat.
SHORTEST_ROOM_TONE_US = 500_000
#: Kept away from the ends of a stretch of room tone, where voices die away and draw breath.
ROOM_TONE_MARGIN_US = 60_000

# Choosing (EDITING, "Choosing"; lengths from ARCHITECTURE's table of variants), in seconds.

#: A viewer decides within this to stay.
OPENING_SECONDS = 3
SHORT_LENGTH = (30, 60)
HOOK_LENGTH = (3, 5)
REEL_LENGTH = (60, 90)
#: A reel that tells one thing may be as short as this; what is missing of the shortest usual length costs.
SHORTER_REEL_LENGTH = (15, 90)

#: Shots whose light and colour differ by no more belong to one scene (measured: shots of one scene differ by up to 0.01
#: and 0.01, those of different ones by 0.05 or 0.04 at least in one of them); so many scenes back it may go on.
SCENE_LIGHT, SCENE_COLOUR = 0.05, 0.03
SCENES_REMEMBERED = 2
