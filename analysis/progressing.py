"""Progress told in steps that a person can see, and shared out over the stages of one analysis."""

from collections.abc import Iterator

from schemas.progress import ProgressCallback

#: Smallest step told: a callback may cross a process border, and frames come by the thousand.
STEP = 0.01


def in_steps(progress: ProgressCallback) -> ProgressCallback:
    """The same callback, called only when ``STEP`` more is done, never falling, never above 1."""
    told = 0.0

    def tell(done: float, /) -> None:
        nonlocal told
        done = min(1.0, done)
        if done >= told + STEP or (done == 1.0 and told < 1.0):
            told = done
            progress(done)

    return tell


def stage(progress: ProgressCallback, start: float, end: float) -> ProgressCallback:
    """For a stage that takes the analysis from share ``start`` to share ``end``."""
    return lambda done, /: progress(start + (end - start) * min(1.0, done))


def shared_out(progress: ProgressCallback, start: float, count: int) -> Iterator[ProgressCallback]:
    """For each of ``count`` stages that take as long, one after another, from share ``start`` to the end."""
    share = (1 - start) / count
    for number in range(count):
        yield stage(progress, start + number * share, start + (number + 1) * share)
