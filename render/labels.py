"""How a picture's colours are labelled: by its decoder, else by its file, and never by a code that means nothing."""

from dataclasses import dataclass
from typing import Self

from av import VideoCodecContext, VideoFrame
from av.video.stream import VideoStream

#: ITU-T H.273 (07/2024), tables 2 to 4: the codes that mean something.
_KNOWN_PRIMARIES = frozenset({*range(1, 13), 22}) - {3}
_KNOWN_TRANSFERS = frozenset(range(1, 19)) - {3}
_KNOWN_MATRICES = frozenset(range(15)) - {3}
_UNSPECIFIED = 2


@dataclass(frozen=True)
class Labels:
    """Codes of H.273 for what a stream's pictures are, where they do not say themselves."""

    primaries: int
    transfer: int
    matrix: int

    @classmethod
    def of(cls, stream: VideoStream) -> Self:
        """What the file says of a stream; once decoding has begun, its decoder has replaced that by what it found.

        HEVC and ProRes pictures without a description of their own are common: many programs write one into the file
        alone, and an HDR picture would be taken for an ordinary, dull one.
        """
        context = stream.codec_context
        return cls(
            _meant(context.color_primaries, _KNOWN_PRIMARIES),
            _meant(context.color_trc, _KNOWN_TRANSFERS),
            _meant(context.colorspace, _KNOWN_MATRICES - {0}),  # 0 is RGB, which pictures that are say themselves
        )

    def put_on(self, frame: VideoFrame) -> None:
        """Label what a frame leaves open; FFmpeg's filters refuse a code that H.273 does not have."""
        if frame.color_primaries not in _KNOWN_PRIMARIES or frame.color_primaries == _UNSPECIFIED:
            frame.color_primaries = self.primaries
        if frame.color_trc not in _KNOWN_TRANSFERS or frame.color_trc == _UNSPECIFIED:
            frame.color_trc = self.transfer
        if frame.colorspace not in _KNOWN_MATRICES or frame.colorspace == _UNSPECIFIED:
            frame.colorspace = self.matrix


def colour_of(described: VideoFrame | VideoCodecContext) -> tuple[int, int, int, int]:
    """Codes of primaries, transfer and matrix, and FFmpeg's of the range, of a picture or of what a file says of it."""
    return described.color_primaries, described.color_trc, described.colorspace, described.color_range


def _meant(code: int, known: frozenset[int]) -> int:
    return code if code in known else _UNSPECIFIED
