"""The sandboxed child that measures media, in small parts, writing down what it hears and sees as it does so."""

import os
import time
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
    """Writes the start of every stretch to the log before it is looked at, and takes its time, to be killed in it."""
    _write_down(stretch.start_us)
    time.sleep(0.5)
    return views_of(footage, stretch)


keep_sound = kept_sound.KeptSound.keep


def counted_keep(kept: kept_sound.KeptSound, finding: Measured | Voice | Music) -> None:
    """Writes what was found to the log, by a number of its kind, and takes its time, to be killed before the next."""
    _write_down((Measured, Voice, Music).index(type(finding)))
    keep_sound(kept, finding)
    time.sleep(0.3)


def _write_down(number: int) -> None:
    with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
        log.write(f"{number}\n")


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
