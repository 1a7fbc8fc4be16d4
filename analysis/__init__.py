"""Media in, facts out: what a file is, what is said and shown in it, and where.

Everything is measured from a local file, synchronously, and meant to run in a short-lived child process: the files are
not ours and may be hostile. Settings come as arguments; nothing here reads the environment.
"""

from analysis.image_text import find_image_text, install_clip
from analysis.kind import Guess, guess_kind
from analysis.registry import (
    ANALYZERS,
    Analyzer,
    artifact_key,
    settle_parameters,
)
from analysis.running import run_analyzer, run_analyzers
from schemas.analysing import applicable

__all__ = [
    "ANALYZERS",
    "Analyzer",
    "Guess",
    "applicable",
    "artifact_key",
    "find_image_text",
    "guess_kind",
    "install_clip",
    "run_analyzer",
    "run_analyzers",
    "settle_parameters",
]
