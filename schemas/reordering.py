"""Times for the pictures of streams that keep only when each is decoded."""

from heapq import heappop, heappush

#: Formats of which packets have no time to be shown at, only one to be decoded at, and the codecs for whose pictures
#: FFmpeg then guesses in the order of decoding. It guesses those of MPEG-2 and MPEG-4 rightly.
_DECODING_TIMES_ONLY = frozenset({"avi"})
_GUESSED_WRONGLY = frozenset({"h264", "hevc"})


def keeps_decoding_times(container: str, codec: str) -> bool:
    """Whether the times at which a stream's packets claim to be shown are to be taken for none; by FFmpeg's names."""
    return container in _DECODING_TIMES_ONLY and codec in _GUESSED_WRONGLY


class ShownTimes:
    """Tells when the pictures of such a stream are shown: the next that comes out of the decoder at the next time.

    Packets and pictures go by the time at which they are decoded, in ticks.
    """

    def __init__(self) -> None:
        self._waiting: list[int] = []

    def decoding(self, dts: int) -> None:
        """A packet goes into the decoder."""
        heappush(self._waiting, dts)

    def shown(self, dts: int, *, is_keyframe: bool) -> int:
        """When a picture is shown that has come out of the decoder.

        Nothing that was decoded before a keyframe is shown after it: what of that still waits was damaged.
        """
        while is_keyframe and self._waiting and self._waiting[0] < dts:
            heappop(self._waiting)
        return heappop(self._waiting) if self._waiting else dts
