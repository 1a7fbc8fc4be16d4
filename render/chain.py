"""A row of FFmpeg filters that turns one frame into one frame."""

from collections.abc import Sequence
from fractions import Fraction

import av
from av import VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext

#: A filter's name and its options. Options travel as a dictionary, so no value needs escaping.
Step = tuple[str, dict[str, str]]

_UNIT_TIME_BASE = "1/90000"


class FilterChain:
    """Stateless picture filters for frames of one size, format and colour description."""

    def __init__(self, template: VideoFrame, steps: Sequence[Step]) -> None:
        graph = Graph()
        graph.threads = 1
        self._source = frame_source(graph, template)
        self._sink = graph.add("buffersink")
        nodes = [self._source, *(graph.add(name, **options) for name, options in steps), self._sink]
        graph.link_nodes(*nodes).configure()
        self._graph = graph

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """The filtered frame: a new frame that may share memory with ``frame``."""
        self._source.push(frame)
        filtered = self._sink.pull()
        if not isinstance(filtered, VideoFrame):
            raise TypeError("a picture filter returned no picture")
        return filtered


def frame_source(graph: Graph, template: VideoFrame) -> FilterContext:
    """Where frames of ``template``'s size, format and colours go into a graph; their times pass through unchanged."""
    return graph.add(
        "buffer",
        video_size=f"{template.width}x{template.height}",
        pix_fmt=template.format.name,
        time_base=_UNIT_TIME_BASE,
        pixel_aspect="1/1",
        colorspace=str(int(template.colorspace)),
        range=str(int(template.color_range)),
    )


def signature(frame: VideoFrame) -> tuple[object, ...]:
    """What a chain was built for; a frame with another signature needs another chain."""
    return frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range)


class FrameCopier:
    """New frame objects onto the same pixels, each with a time of its own."""

    def __init__(self) -> None:
        self._chains: dict[tuple[object, ...], FilterChain] = {}

    def copy(self, frame: VideoFrame, pts: int, time_base: Fraction) -> VideoFrame:
        key = signature(frame)
        if key not in self._chains:
            self._chains[key] = FilterChain(frame, [("null", {})])
        copied = self._chains[key].apply(frame)
        copied.pts, copied.time_base = pts, time_base
        copied.pict_type = av.video.frame.PictureType.NONE
        return copied
