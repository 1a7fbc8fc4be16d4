"""The sandboxed child that measures media, in small parts, writing down what it hears and sees as it does so.

A test may hold it over one of these, so that it is killed before it has done them all.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from activities.analyse_child import analyse, needs
from activities.child import serve
from activities.child_tasks import Analyse
from activities.file_needs import FileNeeds
from analysis import hearing, kept_sound, metering, music, transcript, watching
from analysis.kept_sound import Measured, Music, Voice
from analysis.listening import Samples
from analysis.viewing import Footage, View
from schemas.facts import Span
from tests.activities.held_child import wait_for_leave

#: Where the log goes; a child inherits the variable.
LOG = "COUNTING_CHILD_LOG"


sound_of = transcript._Speech.sound_of


def counted_sound(speech: transcript._Speech, window: list[transcript._Piece]) -> Samples:
    """Writes the length of every window, in samples, to the log before it is heard."""
    sound = sound_of(speech, window)
    _write_down(len(sound))
    return sound


views_of = watching._views


def counted_views(footage: Footage, stretch: Span) -> Iterator[View]:
    """Writes the start of every stretch to the log before it is looked at."""
    _write_down(stretch.start_us)
    return views_of(footage, stretch)


keep_sound = kept_sound.KeptSound.keep


def counted_keep(kept: kept_sound.KeptSound, finding: Measured | Voice | Music) -> None:
    """Writes what was found to the log, by a number of its kind, before it is kept."""
    _write_down((Measured, Voice, Music).index(type(finding)))
    keep_sound(kept, finding)


def _write_down(number: int) -> None:
    log = Path(os.environ[LOG])
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    wait_for_leave(log, len(log.read_text(encoding="utf-8").splitlines()))


def and_the_log(asked: Analyse) -> FileNeeds:
    return replace(needs(asked), works_in=Path(os.environ[LOG]).parent)


if __name__ == "__main__":
    vars(watching).update(_views=counted_views, STRETCH_US=2_000_000, BESIDES_US=500_000)
    vars(metering).update(STRETCH_S=10)
    vars(hearing).update(VOICE_STRETCH=200)
    vars(music).update(MUSIC_STRETCH=20)
    kept_sound.KeptSound.keep = counted_keep  # type: ignore[method-assign]  # for this child alone
    transcript._Speech.sound_of = counted_sound  # type: ignore[method-assign]  # for this child alone
    vars(transcript).update(WINDOWS_IN_PART=1, MAX_WINDOW_S=6)
    serve(analyse, Analyse, and_the_log)
