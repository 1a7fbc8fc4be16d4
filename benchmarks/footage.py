"""The footage that everything is measured on: the demo's, made once in the folder that ``make demo`` uses too."""

import json
from pathlib import Path
from typing import Any

import av

from cinema.settings import Settings
from demo import Footage, make_footage


def demo_footage() -> Footage:
    return make_footage(Settings().home / "footage")


def minutes_of(path: Path) -> float:
    """How long a file plays, in minutes."""
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base / 60


def truth_of(footage: Footage) -> dict[str, Any]:
    """What was really said in the talk, and when."""
    truth: dict[str, Any] = json.loads(footage.talk_words.read_text())
    return truth
