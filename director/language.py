"""Small sets of English words that the director knows the role of; ``director.languages`` has others."""

import re

_NOT_A_LETTER = re.compile(r"[^\w']+")

#: Sounds of hesitation, in the spellings of several languages.
FILLERS = frozenset({"um", "umm", "uh", "uhh", "uhm", "erm", "er", "hmm", "hm", "mm", "ähm", "äh", "öh", "euh", "ehm"})
#: Said by speakers who begin again.
RESTART_CUES = frozenset({"sorry", "again", "take", "restart", "redo", "oops", "wait"})
NEGATIONS = frozenset({"not", "no", "never", "don't", "doesn't", "isn't", "can't", "won't", "without"})
#: Stand for somebody or something that was named before.
SUBJECT_PRONOUNS = frozenset(
    {"he", "she", "it", "they", "him", "her", "them", "he's", "she's", "it's", "they're", "they've", "he'd", "she'd"}
)
#: Join a sentence to the one before it.
CONNECTIVES = frozenset(
    {"so", "and", "but", "because", "which", "then", "also", "or", "therefore", "however", "anyway", "thus", "hence"}
    | {
        "otherwise",
        "instead",
        "besides",
        "furthermore",
        "moreover",
        "meanwhile",
        "afterwards",
        "nevertheless",
        "nor",
        "especially",
    }
)
#: Join clauses that stand by themselves.
COORDINATING = frozenset({"and", "but", "or", "so", "yet", "nor"})
#: Begin a clause that is nothing without another.
SUBORDINATING = frozenset(
    {"if", "because", "although", "though", "as", "while", "when", "where", "whether", "since", "unless", "until"}
    | {"after", "before", "whenever", "wherever", "who", "which", "that", "than", "of", "for", "in", "by", "with", "to"}
)
#: Subjects that no other word leads to.
SUBJECTS = frozenset(
    {"i", "you", "we", "they", "he", "she", "it", "there", "nobody", "everyone", "everybody", "someone", "i'm", "i've"}
    | {"i'll", "i'd", "you're", "you'll", "you've", "we're", "we'll", "we've", "they're", "they've", "they'll", "he's"}
    | {"she's", "it's", "there's", "that's"}
)
#: Point back to something said before.
DANGLING = (
    SUBJECT_PRONOUNS
    | CONNECTIVES
    | {"this", "that", "these", "those", "his", "its", "their", "that's", "that'll", "such", "same"}
)
#: Answer what somebody else has said, where a comma or full stop follows.
REPLIES = frozenset({"yes", "yeah", "yep", "no", "nope", "absolutely", "exactly", "sure", "right", "okay", "agreed"})
#: The speaker, who is written with a capital and is no name.
SPEAKER = frozenset({"i", "i'm", "i'll", "i've", "i'd"})
#: Speak to the viewer.
ADDRESS = frozenset({"you", "your", "yours", "you're", "you'll", "we", "our"})
#: Carry no subject of their own.
SMALL_WORDS = frozenset(
    {"the", "a", "an", "of", "to", "in", "on", "at", "for", "with", "is", "are", "was", "were", "be", "been", "as"}
    | {"by", "from", "i", "have", "has", "had", "do", "does", "did", "will", "would", "can", "could", "if", "i'm"}
    | DANGLING
    | ADDRESS
    | FILLERS
    | {"here", "there", "there's", "when", "while", "where", "after", "before", "all", "what", "who", "my", "me", "us"}
)
#: Announce a claim.
CLAIMS = frozenset(
    {"best", "worst", "never", "always", "biggest", "secret", "mistake", "must", "nobody", "everyone", "why", "how"}
    | {"wrong", "truth", "free", "faster", "easiest", "stop", "imagine", "weakness", "weaknesses", "hardest", "worse"}
)
#: Do so in some sentences, and in others only count.
MILD_CLAIMS = frozenset({"most", "every", "only", "first", "new", "better", "important", "need", "needs", "problem"})
NUMBERS = frozenset(
    {"eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"}
    | {"thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
    | {"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "hundred", "thousand", "million"}
    | {"billion", "percent", "half", "twice", "double"}
)
#: Fill time without saying anything.
PADDING = FILLERS | {"like", "basically", "actually", "just", "really", "stuff", "thing", "things", "okay"}
#: Conjunctions and prepositions: a line may break before them.
BREAK_BEFORE = frozenset(
    {"and", "but", "or", "so", "because", "that", "which", "who", "when", "where", "while", "if", "although"}
    | {"though", "to", "of", "in", "on", "at", "for", "with", "from", "by", "as", "than", "into", "about", "until"}
    | {"before", "after", "since", "without", "between", "through", "under", "over", "unless", "whether"}
)
#: Lead to the word after them: a caption does not end with one.
LEADING = (
    (BREAK_BEFORE - {"so"})
    | {"a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "these", "those"}
    | {"i", "you", "he", "she", "we", "they", "i'm", "you're", "it's", "we're", "they're", "is", "are", "was", "were"}
    | {"be", "been", "have", "has", "had", "will", "would", "can", "could", "should", "must", "not", "don't", "very"}
)
#: A caption can do without these first.
DISPENSABLE = FILLERS | {"just", "really", "very", "actually", "basically", "well", "like", "so", "quite"}
#: Words of file names that tell nothing of what is to be seen.
GENERIC_NAMES = frozenset(
    {"the", "and", "for", "with", "img", "dsc", "mov", "mvi", "gopr", "video", "clip", "final", "edit", "take", "roll"}
    | {"broll", "footage", "shot", "copy", "export", "recording", "camera", "untitled", "new", "test", "sample", "cut"}
)
#: Point to what is seen.
POINTERS = frozenset(
    {("you", "can", "see"), ("you'll", "see", "here"), ("let", "me", "show"), ("look", "at", "this")}
    | {("you", "see", "here"), ("i'll", "show", "you"), ("as", "you", "see"), ("take", "a", "look")}
)
#: Are said of what is on a screen, by many who speak other languages too.
SCREEN_WORDS = frozenset(
    {"screen", "click", "button", "menu", "sidebar", "cursor", "browser", "tab", "dashboard", "interface", "dropdown"}
    | {"terminal", "checkout", "setting"}
)


def bare(text: str) -> str:
    """A written word in lower case, without punctuation."""
    plain = text.isascii() and text.isalnum()
    return text.lower() if plain else _NOT_A_LETTER.sub("", text.lower().replace("’", "'"))  # noqa: RUF001
