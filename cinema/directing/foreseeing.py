"""What directing local files will take, as far as a look at them and at this installation tells."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from activities.estimating import Capacity
from analysis import guess_kind
from cinema.directing.footage import Footage
from cinema.directing.measuring import measure
from cinema.directing.plain_time import about
from cinema.settings import Settings
from schemas.errors import CinemaError, ErrorInfo
from schemas.estimate import JobEstimate
from schemas.media import AssetKind, MediaProbe
from schemas.model import Model
from schemas.rendering import SegmentLengths


class FileLooked(Model):
    """A file as the job would see it; one that cannot be used is left out of the estimate, and ``error`` says why."""

    name: str
    kind: AssetKind | None = None
    duration_s: float | None = None
    error: ErrorInfo | None = None


@dataclass(frozen=True)
class Look:
    """The files in order, and those of them that can be used."""

    files: tuple[FileLooked, ...]
    usable: tuple[tuple[AssetKind, MediaProbe], ...]


async def look_at(settings: Settings, footage: Sequence[Footage]) -> Look:
    """Probe files, each in a process with limits, as many at a time as a worker would."""
    turns = asyncio.Semaphore(settings.analysis_slots)

    async def probed(file: Footage) -> MediaProbe | CinemaError:
        async with turns:
            try:
                return await measure(settings, "probe", file.path, MediaProbe)
            except CinemaError as error:
                return error

    files: list[FileLooked] = []
    usable: list[tuple[AssetKind, MediaProbe]] = []
    for file, found in zip(footage, await asyncio.gather(*map(probed, footage)), strict=True):
        if isinstance(found, CinemaError):
            files.append(FileLooked(name=file.name, error=found.info))
            continue
        kind = file.kind or guess_kind(found, None, file.name).kind
        usable.append((kind, found))
        files.append(FileLooked(name=file.name, kind=kind, duration_s=found.duration_us / 1_000_000))
    return Look(tuple(files), tuple(usable))


def capacity_of(settings: Settings) -> Capacity:
    """What this installation's workers do side by side."""
    segments = SegmentLengths(usual_s=settings.segment_seconds)
    return Capacity(settings.analysis_slots, settings.render_slots, segments=segments)


def in_short(told: JobEstimate) -> str:
    """The estimate in two sentences."""
    waits = f", {about(told.waiting_s)} of it behind jobs ordered before" if told.waiting_s.typical > 0 else ""
    return f"Likely finished in {about(told.finished_s)}{waits}. {ground(told)}"


def ground(told: JobEstimate) -> str:
    """What the estimate rests on."""
    if told.measured == 0:
        return "Nothing has been made here yet: these are the speeds of a machine with two cores."
    return f"From {told.measured} pieces of work finished here. What was analysed before is not analysed again."
