"""The picture readers that an edit has in use at one time."""

from collections import OrderedDict

from render.pictures import PictureReader
from render.timeline import find_source
from schemas.edl import EDL, VideoClip
from schemas.hardware import Hardware
from schemas.rendering import SourceFile

#: Decoders kept open at once; a 4K decoder with its threads holds hundreds of megabytes.
_MOST_READERS = 3


class Readers:
    """The picture readers in use, the least recently used closed first.

    A reader goes forward in time, so overlays read apart from the base, and the two clips of a dissolve apart from each
    other: each dissolve passes from one lane of readers to the other.
    """

    def __init__(self, edl: EDL, files: dict[str, SourceFile], hardware: Hardware) -> None:
        self._edl = edl
        self._files = files
        self._hardware = hardware
        self._devices: set[str] = set()
        self._lanes = _lanes(edl)
        self._open: OrderedDict[tuple[str, int], PictureReader] = OrderedDict()
        self._damaged: dict[str, None] = {}
        self._early: dict[str, None] = {}

    def reader(self, clip: VideoClip) -> PictureReader:
        key = (clip.source, self._lanes[clip.id])
        if key not in self._open:
            while len(self._open) >= _MOST_READERS:
                self._close(next(iter(self._open)))
            source = find_source(self._edl.sources, clip.source)
            self._open[key] = PictureReader(source, self._files[source.id], self._hardware)
            self._devices.add(self._open[key].device)
        self._open.move_to_end(key)
        return self._open[key]

    @property
    def devices(self) -> tuple[str, ...]:
        """What has decoded so far."""
        return tuple(sorted(self._devices))

    def close(self) -> None:
        for key in tuple(self._open):
            self._close(key)

    def notes(self) -> list[str]:
        """What the creator should know; complete once closed."""
        early = [f"“{name}” ends earlier than it says; its last picture was held." for name in self._early]
        return early + [damage_note(name) for name in self._damaged]

    def _close(self, key: tuple[str, int]) -> None:
        reader = self._open.pop(key)
        name = find_source(self._edl.sources, key[0]).name
        if reader.ended_early:
            self._early[name] = None
        if reader.damaged:
            self._damaged[name] = None
        reader.close()


def _lanes(edl: EDL) -> dict[str, int]:
    """For each clip's id the lane of readers it uses: 0 or 1 on the base track, 2 for overlays."""
    lanes = {clip.id: 2 for clip in edl.overlays}
    lane = 0
    for clip in edl.video:
        lane = 1 - lane if clip.dissolve_in else lane
        lanes[clip.id] = lane
    return lanes


def damage_note(name: str) -> str:
    return f"Parts of “{name}” are damaged; the last good picture or silence stands in for them."
