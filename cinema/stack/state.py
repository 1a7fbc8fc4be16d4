"""What a running stack says of itself: one JSON file, always whole."""

import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from schemas.model import Model


class ChildState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILING = "failing"
    STOPPED = "stopped"


class StackPhase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class ChildStatus(Model):
    """One supervised process.

    ``last_exit`` says how it ended the last time, if it ever did; ``telemetry_url`` is where it answers operators.
    """

    name: str
    state: ChildState
    pid: int | None = None
    restarts: int = 0
    last_exit: str | None = None
    log: Path
    telemetry_url: str | None = None


class Endpoints(Model):
    """Where the parts are reached, embedded or not; ``codec_url`` where payloads are encrypted."""

    postgres_dsn: str
    temporal_address: str
    temporal_namespace: str
    temporal_ui_url: str | None
    api_url: str
    codec_url: str | None = None


class StackState(Model):
    """The stack of one home folder. ``endpoints`` are set as soon as they are known."""

    pid: int
    phase: StackPhase
    started_at: datetime
    endpoints: Endpoints | None = None
    children: tuple[ChildStatus, ...] = ()


def write_state(path: Path, state: StackState) -> None:
    """Replace the file in one step, so that a reader never sees half of it. It may hold a password."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(state.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def read_state(path: Path) -> StackState | None:
    """What the file says, or ``None`` where there is none or another version wrote it."""
    try:
        return StackState.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
