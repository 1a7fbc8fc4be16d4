"""A hook of four seconds out of two hours that lie in a store on another machine: how much of the file is read."""

import asyncio
import io
from datetime import timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from activities.child_tasks import RENDER
from activities.ranges import RangedObject
from activities.sandbox import SandboxLimits, run_in_child
from activities.source_files import MOST_SHARE, SourceFiles, read_share
from benchmarks.footage import demo_footage
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.looping import looped
from benchmarks.render_edits import Footage, edit_of
from schemas.edl import EDL, Canvas
from schemas.rendering import RenderRequest, RenderResult
from stores.range_file import RangeFile

SOURCE_S = 2 * 3600
HOOK_S = 4
CANVAS = Canvas(width=1920, height=1080)


class _Counted:
    """A file that is read as a store on another machine would be, and how many bytes that took."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = path.stat().st_size
        self.bytes_read = 0

    def open(self) -> BinaryIO:
        file = self._path.open("rb")
        return io.BufferedReader(RangeFile(self.size_bytes, partial(self._fetch, file), file.close))

    def _fetch(self, file: BinaryIO, start: int, length: int) -> bytes:
        file.seek(start)
        self.bytes_read += length
        return file.read(length)


def measure() -> Figures:
    with TemporaryDirectory(prefix="cinema-hook-") as name:
        folder = Path(name)
        talk = Footage(demo_footage().talk)
        length = (talk.video.end_pts - talk.video.start_pts) * talk.video.time_base
        path = looped(talk.path, folder / "long.mp4", length, round(Fraction(SOURCE_S) / length))
        footage = Footage(path)
        first = footage.frames * 2 // 3
        edl = edit_of(footage, [(first, first + round(HOOK_S * footage.rate))], CANVAS)
        if read_share(edl, footage.source, range(edl.duration)) > MOST_SHARE:
            raise BenchmarkError("So much of the source would be downloaded.")
        stored = _Counted(path)
        asyncio.run(_render(edl, stored, folder))
        return {"hook.bytes_read_share": stored.bytes_read / stored.size_bytes, "hook.bytes_read": stored.bytes_read}


async def _render(edl: EDL, stored: _Counted, folder: Path) -> None:
    served = RangedObject(stored.open, stored.size_bytes)
    sources = SourceFiles({"footage": served.file()}, (served,))
    try:
        rendering = run_in_child(
            RENDER,
            RenderRequest(edl=edl, sources=sources.files, folder=folder),
            RenderResult,
            limits=SandboxLimits(),
            time_limit=timedelta(minutes=10),
            on_progress=_nobody_watches,
            hands=sources.hands,
        )
        await sources.serve_while(rendering)
    finally:
        await served.close()


async def _nobody_watches(_: float) -> None:
    """The count says enough."""
