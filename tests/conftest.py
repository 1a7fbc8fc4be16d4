"""What every test may ask for."""

import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

#: The Temporal command that its wheel puts beside Python.
TEMPORAL = Path(sys.executable).parent / "temporal"


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of labelled footage; it is not part of the project, so tests that need it are skipped without it."""
    folder = Path(os.environ.get("CINEMA_TEST_MEDIA", REPOSITORY.parent / "shared" / "media"))
    if not folder.is_dir():
        pytest.skip("no labelled footage here (set CINEMA_TEST_MEDIA)")
    return folder
