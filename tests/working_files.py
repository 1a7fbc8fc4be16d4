"""Looking at a folder in which others work."""

import os
from contextlib import suppress
from pathlib import Path


def has_bytes(folder: Path) -> bool:
    """Whether any file below it has bytes in it. Files and folders may go while they are looked at."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                if Path(parent, name).stat().st_size > 0:
                    return True
    return False
