"""Working folders that never outlive their work, not even when the worker is killed.

Each folder holds a lock file that its worker keeps locked (flock); the kernel lets go of it when the process dies. So a
folder whose lock can be taken belongs to nobody, and ``sweep`` removes it at the next worker's start.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

LOCK_NAME = ".lock"

#: Seconds that making a folder and locking it may take apart.
LOCK_GRACE = 60


@contextmanager
def working_folder(root: Path, name: str) -> Iterator[Path]:
    """A new, empty folder below ``root`` for the time of the block."""
    folder = root / f"{name}-{uuid4().hex}"
    folder.mkdir(parents=True)
    lock = os.open(folder / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(lock)


def sweep(root: Path) -> tuple[Path, ...]:
    """Remove every folder below ``root`` whose worker is dead; return them."""
    if not root.is_dir():
        return ()
    abandoned = tuple(folder for folder in sorted(root.iterdir()) if _abandoned(folder))
    for folder in abandoned:
        shutil.rmtree(folder)
    return abandoned


def _abandoned(folder: Path) -> bool:
    """Whether nobody holds the folder's lock; a young folder without one is being made this moment."""
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > LOCK_GRACE
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(lock)
