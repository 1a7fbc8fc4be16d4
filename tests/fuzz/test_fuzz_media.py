"""Hundreds of damaged files, each measured and rendered or refused with a reason: no crash, no hang, nothing left.

``CINEMA_FUZZ_FILES`` and ``CINEMA_FUZZ_SEED`` ask for more files, or for others.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from activities.sandbox import ChildTask, SandboxLimits, run_in_child
from schemas.errors import OF_MATERIAL, CinemaError, ErrorCode
from tests.cinema.cinema_processes import at_work
from tests.conftest import REPOSITORY
from tests.fuzz.corpus import corpus
from tests.fuzz.fuzz_child import Batch, Done, Verdict
from tests.fuzz.mutations import mutated

pytestmark = [pytest.mark.media, pytest.mark.timeout(900 + int(os.environ.get("CINEMA_FUZZ_FILES", "0")))]

FILES = int(os.environ.get("CINEMA_FUZZ_FILES", "600"))
SEED = int(os.environ.get("CINEMA_FUZZ_SEED", "20260101"))
SIDE_BY_SIDE = 2
#: A file takes a fraction of a second alone; on a machine that has other work, more.
SECONDS_EACH = 30

WORK_THROUGH = ChildTask("tests.fuzz.fuzz_child", Batch)
LIMITS = SandboxLimits(memory_bytes=2 << 30, file_bytes=64 << 20)

#: What a file that is no use is refused with, besides what is wrong with material: it would need more than we allow.
REASONS = OF_MATERIAL | {ErrorCode.OUT_OF_MEMORY}


async def test_every_damaged_file_is_rendered_or_refused_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    folder = tmp_path / "files"
    folder.mkdir()
    names = _damaged_files(folder, tmp_path)
    held, running = _descriptors(), at_work(os.getpid())
    shares = [names[number::SIDE_BY_SIDE] for number in range(SIDE_BY_SIDE)]
    judged = await asyncio.gather(
        *(_work_through(folder, share, tmp_path / f"notes-{number}") for number, share in enumerate(shares))
    )
    verdicts = [verdict for share in judged for verdict in share]
    print(Counter(verdict.code or ("defect" if verdict.defect else "rendered") for verdict in verdicts))
    assert sorted(verdict.file for verdict in verdicts) == names
    wrong = [v for v in verdicts if v.defect or v.retryable or (v.code and ErrorCode(v.code) not in REASONS)]
    assert not wrong, "\n".join(str(verdict) for verdict in wrong)
    assert all(verdict.sentence for verdict in verdicts if verdict.code)
    assert any(not verdict.code for verdict in verdicts)
    assert sorted(path.name for path in folder.iterdir()) == names, "nothing is left behind"
    assert _descriptors() <= held
    assert at_work(os.getpid()) <= running


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _damaged_files(folder: Path, scratch: Path) -> list[str]:
    real = Path(os.environ.get("CINEMA_TEST_MEDIA", REPOSITORY.parent / "shared" / "media")) / "awkward"
    contents = corpus(scratch, real if real.is_dir() else None)
    names = []
    for number in range(FILES):
        name = f"{number:05}.mp4"
        (folder / name).write_bytes(mutated(contents, Random(SEED * 1_000_003 + number)))
        names.append(name)
    return names


async def _work_through(folder: Path, names: Sequence[str], notes: Path) -> list[Verdict]:
    """The verdicts on all files; a child that ends over one is followed by another for those behind it."""
    verdicts: list[Verdict] = []
    while len(verdicts) < len(names):
        notes.write_text("")
        batch = Batch(folder=folder, files=tuple(names[len(verdicts) :]), notes=notes, seconds=SECONDS_EACH)
        try:
            done = await run_in_child(
                WORK_THROUGH,
                batch,
                Done,
                limits=LIMITS,
                time_limit=timedelta(seconds=SECONDS_EACH + 10 * len(names)),
                on_progress=_nobody_watches,
            )
        except CinemaError as error:
            begun, judged = _read(notes)
            verdicts += judged
            if begun is None:
                raise
            verdicts.append(Verdict(file=begun, defect=f"{error.code}: {error.message}"))
        else:
            verdicts += _read(notes)[1]
            assert not done.descriptors
            assert done.threads[1] == done.threads[0], "threads end"
            assert not done.left
    return verdicts


def _read(notes: Path) -> tuple[str | None, list[Verdict]]:
    """The file that was begun and not judged, and the verdicts."""
    lines = notes.read_text(encoding="utf-8").splitlines()
    judged = [Verdict.model_validate(json.loads(line)) for line in lines if line.startswith("{")]
    begun = [line for line in lines if not line.startswith("{")]
    return (begun[-1] if len(begun) > len(judged) else None), judged


async def _nobody_watches(_: float) -> None:
    """The notes say more."""
