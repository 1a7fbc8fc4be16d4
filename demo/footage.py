"""The demo's footage in a folder: made once, kept with a manifest, made again only when its recipe has changed."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo import city, screen, talk_picture, talk_sound
from demo.clip_file import PictureFormat, shrunk, write_clip, write_wave
from demo.script import SCRIPT, Line

#: Raised whenever the same recipe would give other bytes.
VERSION = 1

MANIFEST = "manifest.json"
TALK, TALK_WORDS, CITY, SCREEN, MICROPHONE = "talk.mp4", "talk.words.json", "city.mp4", "demo.mov", "mic.wav"
FILES = (TALK, TALK_WORDS, CITY, SCREEN, MICROPHONE)

Report = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What is said, how many lines its picture has, and how long b-roll and screen recording last.

    A short script makes short footage.
    """

    script: tuple[Line, ...] = SCRIPT
    cutaway_s: float = 12.0
    talk_lines: int = talk_picture.FORMAT.height

    @property
    def talk_format(self) -> PictureFormat:
        full = talk_picture.FORMAT
        return PictureFormat(width=full.width * self.talk_lines // full.height, height=self.talk_lines, rate=full.rate)

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([VERSION, asdict(self)], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Footage:
    """Where the files lie, and whether they had to be made."""

    talk: Path
    talk_words: Path
    city: Path
    screen: Path
    microphone: Path
    made: bool


FULL = Recipe()


def make_footage(folder: Path, recipe: Recipe = FULL, report: Report = lambda _: None) -> Footage:
    """The footage in ``folder``, made now unless files of this very recipe are there and undamaged.

    Files are made aside and moved into place when all are complete, the manifest last, so that an interrupted run
    leaves nothing half-made. ``report`` receives one sentence for each step.
    """
    made = not _is_complete(folder, recipe)
    if made:
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
        try:
            _make_all(workshop, recipe, report)
            for name in (*FILES, MANIFEST):
                (workshop / name).replace(folder / name)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
    return Footage(
        talk=folder / TALK,
        talk_words=folder / TALK_WORDS,
        city=folder / CITY,
        screen=folder / SCREEN,
        microphone=folder / MICROPHONE,
        made=made,
    )


def _is_complete(folder: Path, recipe: Recipe) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (FileNotFoundError, ValueError):
        return False
    return bool(manifest == _manifest(folder, recipe))


def _manifest(folder: Path, recipe: Recipe) -> dict[str, Any]:
    return {
        "version": VERSION,
        "recipe": recipe.digest,
        "files": {name: _sha256(folder / name) for name in FILES},
    }


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_all(folder: Path, recipe: Recipe, report: Report) -> None:
    report(f"Speaking {len(recipe.script)} sentences")
    talk = talk_sound.say(recipe.script)
    write_wave(folder / MICROPHONE, talk_sound.through_microphone(talk))
    _write_json(folder / TALK_WORDS, _truth(talk, recipe))
    with ThreadPoolExecutor(max_workers=2) as crew:
        size = recipe.talk_format
        report(f"Filming the talk ({talk.duration_s:.0f} s at {size.width}x{size.height})")
        talking = crew.submit(_film_talk, folder, talk, size)
        report(f"Filming the city and recording the screen ({recipe.cutaway_s:.0f} s each)")
        cutaways = crew.submit(_film_cutaways, folder, recipe.cutaway_s)
        for shot in (talking, cutaways):
            shot.result()
    _write_json(folder / MANIFEST, _manifest(folder, recipe))


def _film_talk(folder: Path, talk: talk_sound.Talk, size: PictureFormat) -> None:
    frames = (shrunk(picture, talk_picture.FORMAT, size) for picture in talk_picture.talk_frames(talk))
    write_clip(folder / TALK, size, frames, talk_sound.in_room(talk))


def _film_cutaways(folder: Path, seconds: float) -> None:
    write_clip(folder / CITY, city.FORMAT, city.city_frames(seconds), city.city_sound(seconds))
    write_clip(folder / SCREEN, screen.FORMAT, screen.screen_frames(seconds))


def _truth(talk: talk_sound.Talk, recipe: Recipe) -> dict[str, Any]:
    """What was really said and when, in seconds of ``talk.mp4``: measured by the synthesiser, not by a recogniser."""
    return {
        "voice": asdict(talk_sound.VOICE),
        "duration_s": round(talk.duration_s, 4),
        "microphone_offset_s": talk_sound.MIC_OFFSET_S,
        "sentences": [asdict(line) for line in recipe.script],
        "words": [
            {
                "text": placed.word.text,
                "start_s": round(placed.word.start_s, 4),
                "end_s": round(placed.word.end_s, 4),
                "sentence": placed.line,
                "abandoned": recipe.script[placed.line].abandoned,
            }
            for placed in talk.words
        ],
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
