"""What a source may ask of us. Real recordings stay far below; a header costs nothing to write and may ask for more."""

from typing import Final

#: Largest picture that is decoded: above 8K UHD. FFmpeg's decoders take it as their option ``max_pixels``.
MAX_PIXELS: Final = 8192 * 8192
#: Streams of every kind in one file; libavformat takes it as its option ``max_streams``.
MAX_STREAMS: Final = 128
#: Samples a second: below telephony, above DXD. Converting from a rate far outside costs seconds or gigabytes a frame.
SAMPLE_RATES: Final = range(1_000, 768_001)
#: Above 22.2, the largest layout that anyone records in.
MAX_CHANNELS: Final = 24
#: Packets of all streams that are read: a day of picture at 120 a second, and as much again of sound, is 20 million.
MAX_PACKETS: Final = 40_000_000
MAX_DURATION_S: Final = 24 * 3600


def is_sound(sample_rate: int, channels: int) -> bool:
    """Whether anything real has this many samples a second in this many channels."""
    return sample_rate in SAMPLE_RATES and 0 < channels <= MAX_CHANNELS
