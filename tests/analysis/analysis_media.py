"""Pictures and sounds with known truth."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.faces import FacesParameters, begin_faces
from analysis.probe import probe
from analysis.shots import ShotAnalysis
from analysis.watching import watch
from schemas.facts import Faces, Shots

MakeClip = Callable[..., Path]

RATE = 48_000


def scene(seed: int, *, height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    """A picture of coarse random blocks: no two seeds are alike."""
    blocks = np.random.default_rng(seed).integers(20, 235, (height // 10, width // 10, 3), np.uint8)
    return np.kron(blocks, np.ones((10, 10, 1), np.uint8)).astype(np.uint8)


def noise(seconds: float, dbfs: float, *, channels: int = 1, seed: int = 1) -> NDArray[np.float32]:
    samples = np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE)))
    return np.asarray(samples * 10 ** (dbfs / 20), np.float32)


def tone(seconds: float, dbfs: float, *, frequency: float = 997.0) -> NDArray[np.float32]:
    """A sine whose peak is at ``dbfs``, (1, n)."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(10 ** (dbfs / 20) * np.sin(2 * np.pi * frequency * times), np.float32)[None]


def shots_of(path: Path) -> Shots:
    known = probe(path)
    (shots,) = watch(path, known, [ShotAnalysis(known)])
    assert isinstance(shots, Shots)
    return shots


def faces_of(path: Path, models: Path, **parameters: str) -> Faces:
    known = probe(path)
    (faces,) = watch(path, known, [begin_faces(path, known, FacesParameters.model_validate(parameters), models)])
    assert isinstance(faces, Faces)
    return faces
