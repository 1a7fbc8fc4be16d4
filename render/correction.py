"""What of a finished file can be put right without rendering it again."""

from pathlib import Path

import av

from render.boxes import box_order, has_edit_list
from render.encoder import DELIVERY_OPTIONS
from schemas.delivery import Correction


def correct_index(video: Path) -> tuple[Correction, ...]:
    """Write the file again, packet by packet, where its index is not at its beginning or edit lists hide in it."""
    before = _layout(video)
    if before == _WANTED:
        return ()
    corrected = video.with_suffix(".corrected.mp4")
    _copy_packets(video, corrected)
    corrected.replace(video)
    return (Correction(name="index of the file", before=before, after=_layout(video)),)


_WANTED = "moov mdat"


def _layout(video: Path) -> str:
    order = " ".join(kind for kind in box_order(video) if kind in ("moov", "mdat"))
    return f"{order}, with edit lists" if has_edit_list(video) else order


def _copy_packets(source: Path, target: Path) -> None:
    with (
        av.open(f"file:{source}", format="mp4") as finished,
        av.open(f"file:{target}", "w", format="mp4", container_options=DELIVERY_OPTIONS) as output,
    ):
        streams = {stream.index: output.add_stream_from_template(stream) for stream in finished.streams}
        for packet in finished.demux():
            if packet.dts is None:  # the demuxer's sign that it has reached the end
                continue
            packet.stream = streams[packet.stream.index]
            output.mux(packet)
