"""What a creator's file is probably for, when nobody said."""

import re
from dataclasses import dataclass

from schemas.facts import Sound
from schemas.media import AssetKind, MediaProbe

#: Words in a file's name that say what it is. Compared with whole words of the name, lower case.
NAME_HINTS: dict[AssetKind, frozenset[str]] = {
    AssetKind.SCREEN: frozenset(
        {"screen", "screencast", "screenrecording", "screencapture", "capture", "desktop", "demo"}
    ),
    AssetKind.B_ROLL: frozenset({"broll", "cutaway", "cutaways", "stock", "drone", "establishing"}),
    AssetKind.A_ROLL: frozenset({"aroll", "talk", "talking", "interview", "monologue", "camera", "cam", "main"}),
}
#: A file of which less than this is speech is something to show, not somebody talking.
MIN_SPEECH_SHARE = 0.1


@dataclass(frozen=True)
class Guess:
    kind: AssetKind
    reason: str


def guess_kind(probe: MediaProbe, sound: Sound | None, name: str) -> Guess:
    """The kind of a probed asset and why, in a sentence. ``sound`` is ``None`` while it has not been measured."""
    if probe.video is None:
        return Guess(AssetKind.AUDIO, "The file has sound only.")
    hint = _named(name)
    if hint is not None:
        return hint
    if probe.dialogue is None:
        return Guess(AssetKind.B_ROLL, "The file has no sound.")
    if sound is not None:
        spoken = sum(span.duration_us for span in sound.speech)
        if spoken < MIN_SPEECH_SHARE * probe.duration_us:
            return Guess(AssetKind.B_ROLL, "Hardly anybody speaks in it.")
        return Guess(AssetKind.A_ROLL, "Somebody speaks in it.")
    return Guess(AssetKind.A_ROLL, "It has picture and sound.")


def _named(name: str) -> Guess | None:
    stem = name.rsplit(".", 1)[0].lower()
    joined = re.sub(r"\b([ab])[\s_-]+roll", r"\1roll", re.sub(r"[_\s]+", " ", stem))
    joined = re.sub(r"\bscreen[\s-]+(recording|capture|cast)", r"screen\1", joined)
    words = set(re.findall(r"[a-z]+", joined))
    for kind, hints in NAME_HINTS.items():
        found = sorted(words & hints)
        if found:
            return Guess(kind, f"Its name says “{found[0]}”.")
    return None
