"""Steady noise under the dialogue, lowered gently where a listener notices it, and never in what is clean."""

from collections.abc import Iterable, Mapping
from typing import Final

from director.ledger import Ledger
from director.style import CLEAN_BELOW_SPEECH_DB, MUSIC_SHARE, NOISE_ALONE_US, NOISE_APART_DB
from schemas.edl import NOISE_REDUCTION_DB, Evidence
from schemas.facts import AssetFacts

#: How far above what is clean noise weighs all that it can.
_ALL_OF_IT_DB: Final = 20


def noisy_sources(heard: Mapping[str, AssetFacts], ledger: Ledger) -> frozenset[str]:
    """The ids of the sources of dialogue whose noise is lowered, with a decision for each."""
    noisy = {ident: facts for ident, facts in heard.items() if _is_noisy(facts)}
    for ident, facts in noisy.items():
        _record(ident, facts, ledger)
    return frozenset(noisy)


def _is_noisy(facts: AssetFacts) -> bool:
    below_db = _below_speech_db(facts)
    is_noticed = below_db is not None and NOISE_APART_DB <= below_db < CLEAN_BELOW_SPEECH_DB
    return is_noticed and not _has_music(facts)


def _below_speech_db(facts: AssetFacts) -> float | None:
    """How far the noise lies below the speech; ``None`` where there is no speech, or its noise is never heard alone."""
    sound = facts.sound
    if sound is None or sound.integrated_lufs is None or sound.noise_floor_dbfs is None or not sound.speech:
        return None
    alone_us = sum(span.duration_us for span in sound.silences)
    return sound.integrated_lufs - sound.noise_floor_dbfs if alone_us >= NOISE_ALONE_US else None


def _has_music(facts: AssetFacts) -> bool:
    """Whether enough of it is music that what is steady in it may be meant."""
    music = facts.sound.music if facts.sound else ()
    return sum(span.duration_us for span in music) > MUSIC_SHARE * facts.probe.duration_us


def _record(ident: str, facts: AssetFacts, ledger: Ledger) -> None:
    below_db = _below_speech_db(facts) or 0.0
    ledger.record(
        "noise_reduction",
        f"The steady noise of {facts.name} is lowered by up to {NOISE_REDUCTION_DB} dB: it lies {below_db:.0f} dB "
        f"below the speech, and is not noticed from {CLEAN_BELOW_SPEECH_DB} dB on",
        *_evidence(ident, facts),
        worth={"noise_lowered": min(1.0, (CLEAN_BELOW_SPEECH_DB - below_db) / _ALL_OF_IT_DB)},
    )


def _evidence(ident: str, facts: AssetFacts) -> Iterable[Evidence]:
    if facts.sound is not None:
        yield Evidence(fact="noise floor", value=f"{facts.sound.noise_floor_dbfs:.1f} dBFS", source=ident)
        yield Evidence(fact="loudness", value=f"{facts.sound.integrated_lufs:.1f} LUFS", source=ident)
