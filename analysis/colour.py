"""Names for the colour description that a decoded frame carries (ITU-T H.273, spelt as FFmpeg does)."""

import av

from schemas.media import Colour

PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
}
_FULL_RANGE = 2


def colour_of(frame: av.VideoFrame, declared: Colour) -> Colour:
    """What a frame says, and what its file declared of the stream where the frame leaves that open."""
    return Colour(
        primaries=PRIMARIES.get(int(frame.color_primaries), declared.primaries),
        transfer=TRANSFERS.get(int(frame.color_trc), declared.transfer),
        matrix=MATRICES.get(int(frame.colorspace), declared.matrix),
        full_range=int(frame.color_range) == _FULL_RANGE or frame.format.name.startswith("yuvj"),
    )


def declared_colour(stream: av.VideoStream) -> Colour:
    """What a file says of a stream; its decoder replaces that by what it finds, so ask before decoding."""
    context = stream.codec_context
    return Colour(
        primaries=PRIMARIES.get(int(context.color_primaries), "unknown"),
        transfer=TRANSFERS.get(int(context.color_trc), "unknown"),
        matrix=MATRICES.get(int(context.colorspace), "unknown"),
    )
