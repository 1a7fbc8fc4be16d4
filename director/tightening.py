"""What of the speech is left out: repeated takes, false starts and fillers."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from director.language import FILLERS, bare
from director.languages import Language, language_of
from director.material import Footage
from director.speech import Sentence, Spoken
from director.style import (
    FALSE_START_SHARE,
    FALSE_START_WORDS,
    FILLER_VOICED_SHARE,
    GOOD_PAUSE_US,
    HEARD_ALIKE,
    HEARD_RATIO,
    RESTART_REACH_WORDS,
    TAKE_RATIO,
    TAKE_REACH_SENTENCES,
    TAKE_REACH_US,
    TAKE_WORDS,
    USABLE_PAUSE_US,
)
from schemas.facts import Span

#: A sentence this short that holds a cue word is an aside between takes.
_ASIDE_WORDS = 7


@dataclass(frozen=True, slots=True)
class Drop:
    """Words ``[first, end)`` of a footage that are left out, and why; ``evidence`` is the fact and its value."""

    kind: str
    first: int
    end: int
    sentence: str
    evidence: tuple[str, str]


def dropped_speech(footage: Footage) -> tuple[Drop, ...]:
    """What an editor would take out of what is said, in order and apart; nothing where that would be all of it."""
    words = footage.words
    tokens = [bare(word.text) for word in words]
    takes = list(_repeated_takes(footage, tokens))
    found = [*takes, *_restarts(footage, tokens), *_fillers(footage, tokens)]
    kept: list[Drop] = []
    for drop in sorted(found, key=lambda d: (d.first, -d.end)):
        cuttable = not words[drop.first].glued and (drop.end == len(words) or not words[drop.end].glued)
        if cuttable and (not kept or drop.first >= kept[-1].end):
            kept.append(drop)
    return tuple(kept) if sum(drop.end - drop.first for drop in kept) < len(words) else ()


def quote(words: Sequence[Spoken], most: int = 12) -> str:
    """The words as a person would quote them, shortened in the middle of long lines."""
    texts = [word.text for word in words if word.text]
    return " ".join(texts if len(texts) <= most else [*texts[:most], "…"])


def _repeated_takes(footage: Footage, tokens: Sequence[str]) -> Iterator[Drop]:
    """Sentences said again soon after, all but the last complete one; asides between two takes go with them."""
    sentences, words, language = footage.sentences, footage.words, language_of(footage.language)
    retaken: dict[int, tuple[int, float]] = {}
    for earlier in range(len(sentences)):
        for later in range(earlier + 1, min(earlier + 1 + TAKE_REACH_SENTENCES, len(sentences))):
            pair = sentences[earlier], sentences[later]
            if words[pair[1].first].start_us - words[pair[0].end - 1].end_us > TAKE_REACH_US:
                break
            ratio = _same_line(footage, tokens, pair, language)
            if ratio is not None:
                worse = later if _broke_off(words, pair[1]) and not _broke_off(words, pair[0]) else earlier
                retaken.setdefault(worse, (later if worse == earlier else earlier, ratio))
                break
    asides = {
        middle: (better, 0.0)
        for worse, (better, _) in retaken.items()
        for middle in range(worse + 1, better)
        if middle not in retaken and _is_aside(tokens, sentences[middle], language)
    }
    for index, (better, ratio) in sorted({**retaken, **asides}.items()):
        yield _take_drop(footage, index, better, ratio)


def _take_drop(footage: Footage, index: int, better: int, ratio: float) -> Drop:
    sentence = footage.sentences[index]
    said = quote(footage.words[sentence.first : sentence.end])
    again = quote(footage.words[footage.sentences[better].first : footage.sentences[better].end])
    if not ratio:
        return Drop("aside", sentence.first, sentence.end, f"Left out an aside between takes: “{said}”", ("said", said))
    text = f"Dropped a repeated take: “{said}”, said again as “{again}”"
    return Drop("repeated_take", sentence.first, sentence.end, text, ("share of words repeated", f"{ratio:.2f}"))


def _same_line(
    footage: Footage, tokens: Sequence[str], pair: tuple[Sentence, Sentence], language: Language
) -> float | None:
    """How much of the one line the other repeats, if it is a second take of it."""
    earlier, later = pair
    first = [token for token in tokens[earlier.first : earlier.end] if token]
    second = [token for token in tokens[later.first : later.end] if token]
    if not first or not second:
        return None
    pause = footage.words[earlier.end].start_us - footage.words[earlier.end - 1].end_us
    shared = _begun_again(first, second, language)
    if _broke_off(footage.words, earlier):
        needed = FALSE_START_SHARE * len(first)
    else:
        needed = len(first) if pause >= GOOD_PAUSE_US and len(first) < len(second) else len(first) + 1
    if shared >= max(FALSE_START_WORDS, needed):
        return shared / len(first)
    if min(len(first), len(second)) < TAKE_WORDS or pause < USABLE_PAUSE_US:
        return None
    return 1.0 if first == second else _reworded(first, second, language)


def _begun_again(first: Sequence[str], second: Sequence[str], language: Language) -> int:
    """How many words of ``first`` the other line begins with, as they were said or as they were heard."""
    shared = _common_prefix(first, second)
    if shared == len(first) or not sounds_alike(first[:1], second[:1], language):
        return shared
    matched = 0
    for kind, start, end, other, other_end in _changes(first, second[: len(first) + FALSE_START_WORDS]):
        if kind != "equal" and not (
            kind == "replace" and sounds_alike(first[start:end], second[other:other_end], language)
        ):
            break
        matched = end
    return max(shared, matched)


def _reworded(first: Sequence[str], second: Sequence[str], language: Language) -> float | None:
    """How alike two lines are, if they say the same; exchanging a word that carries sense makes another line."""
    shared = (Counter(first) & Counter(second)).total()
    if 2 * shared < HEARD_RATIO * (len(first) + len(second)):
        return None
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    alike = 0
    for kind, first_from, first_to, second_from, second_to in matcher.get_opcodes():
        one, other = first[first_from:first_to], second[second_from:second_to]
        if kind == "equal" or (kind == "replace" and sounds_alike(one, other, language)):
            alike += len([*one, *other])
        elif not language.negations.isdisjoint({*one, *other}) or (
            kind == "replace" and not language.small.issuperset({*one, *other})
        ):
            return None
    ratio = alike / (len(first) + len(second))
    return ratio if ratio >= TAKE_RATIO else None


def _changes(first: Sequence[str], second: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, first, second, autojunk=False).get_opcodes()


def sounds_alike(first: Sequence[str], second: Sequence[str], language: Language) -> bool:
    """Whether a recogniser may write the same sound as either, such as "side bar" and "sidebar".

    Numbers and negations are told apart by one letter, and are never alike.
    """
    one, other = "".join(first), "".join(second)
    if one == other:
        return bool(one)
    if one[:1] != other[:1] or any(
        token in language.numbers or token in language.negations or not token.isalpha() for token in (*first, *second)
    ):
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= HEARD_ALIKE


def _common_prefix(first: Sequence[str], second: Sequence[str]) -> int:
    for count, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other or not one:
            return count
    return min(len(first), len(second))


def _broke_off(words: Sequence[Spoken], sentence: Sentence) -> bool:
    last = words[sentence.end - 1]
    return last.trails_off or not last.ends_sentence


def _is_aside(tokens: Sequence[str], sentence: Sentence, language: Language) -> bool:
    said = tokens[sentence.first : sentence.end]
    return len(said) <= _ASIDE_WORDS and not language.restarts.isdisjoint(said)


def _restarts(footage: Footage, tokens: Sequence[str]) -> Iterator[Drop]:
    """False starts inside a sentence: "I want to show, I want to tell you"."""
    words = footage.words
    for sentence in footage.sentences:
        for again in range(sentence.first + FALSE_START_WORDS, sentence.end):
            start = _restart_of(words, tokens, sentence.first, again)
            if start is not None:
                said = quote(words[start:again])
                text = f"Dropped a false start: “{said}”, begun again at once"
                yield Drop("false_start", start, again, text, ("words begun again", said))


def _restart_of(words: Sequence[Spoken], tokens: Sequence[str], first: int, again: int) -> int | None:
    if not tokens[again]:
        return None
    paused = words[again].start_us - words[again - 1].end_us >= USABLE_PAUSE_US
    for start in range(max(first, again - RESTART_REACH_WORDS), again - FALSE_START_WORDS + 1):
        if tokens[start] != tokens[again] or len(set(tokens[start:again])) < 2:
            continue
        shared = _common_prefix(tokens[start:again], tokens[again : again + RESTART_REACH_WORDS])
        needed = FALSE_START_SHARE * (again - start) if paused else again - start
        if shared >= max(FALSE_START_WORDS, needed):
            return start
    return None


def _fillers(footage: Footage, tokens: Sequence[str]) -> Iterator[Drop]:
    """Fillers that are heard, written or not, and stand apart enough to be cut out."""
    words = footage.words
    voice = footage.facts.sound.speech if footage.facts.sound else ()
    ordered = sorted(voice, key=lambda span: (span.start_us, span.end_us))
    starts = [span.start_us for span in ordered]
    for index, token in enumerate(tokens):
        word = words[index]
        if not (word.filler or token in FILLERS) or not _stands_apart(words, index):
            continue
        if word.filler:
            length = f"{(word.end_us - word.start_us) / 1e6:.2f} s"
            yield Drop("filler", index, index + 1, "Took out a filler that was heard", ("heard as a filler", length))
            continue
        voiced = _voiced_share(ordered, starts, word)
        if voiced >= FILLER_VOICED_SHARE:
            text = f"Took out a filler: “{word.text}”"
            yield Drop("filler", index, index + 1, text, ("share of it that is voiced", f"{voiced:.2f}"))


def _stands_apart(words: Sequence[Spoken], index: int) -> bool:
    """Whether a word can be cut out in silence: some on both sides, enough on one."""
    word = words[index]
    before = word.start_us - words[index - 1].end_us if index else GOOD_PAUSE_US
    after = words[index + 1].start_us - word.end_us if index + 1 < len(words) else GOOD_PAUSE_US
    return min(before, after) > 0 and max(before, after) >= USABLE_PAUSE_US


def _voiced_share(voice: Sequence[Span], starts: Sequence[int], word: Spoken) -> float:
    """Share of the word inside the voice span it begins in or before."""
    nearby = voice[max(0, bisect_left(starts, word.start_us) - 1) :][:2]
    heard = max((min(s.end_us, word.end_us) - max(s.start_us, word.start_us) for s in nearby), default=0)
    return max(0.0, heard / max(1, word.end_us - word.start_us))
