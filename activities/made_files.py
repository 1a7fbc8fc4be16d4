"""What a child says that it has made is looked at before anything is done with it: its media was hostile.

A worker may read far more than a child; a child that could name any file would have its worker publish it.
"""

import stat
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import ErrorCode, TransientError


def require_made_in(folder: Path, files: Iterable[Path]) -> None:
    """Hold ``files`` to be plain files in ``folder`` itself, which have no other name.

    Raises:
        TransientError: One of them is something else.
    """
    for file in files:
        if file.parent != folder or not _is_plain(file):
            sentence = f"The process working on this file answered with {file.name}, which it has not made."
            raise TransientError(ErrorCode.PROCESS_CRASHED, sentence)


def _is_plain(file: Path) -> bool:
    """Whether it is no link to something else, neither by its path nor as one of its names."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1
