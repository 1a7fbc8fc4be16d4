"""The edit's captions as SubRip and WebVTT text."""

from fractions import Fraction

from schemas.edl import EDL
from schemas.timebase import frame_to_us


def to_srt(edl: EDL) -> str:
    """SubRip: numbered cues, times as ``HH:MM:SS,mmm``, lines as they are."""
    cues = [
        f"{number}\n{_time(caption.start, edl.rate, ',')} --> {_time(caption.end, edl.rate, ',')}\n"
        + "\n".join(_plain(line) for line in caption.lines)
        for number, caption in enumerate(edl.captions, start=1)
    ]
    return "\n\n".join(cues) + "\n" if cues else ""


def to_vtt(edl: EDL) -> str:
    """WebVTT (W3C): times as ``HH:MM:SS.mmm``, markup characters escaped."""
    cues = [
        f"{_time(caption.start, edl.rate, '.')} --> {_time(caption.end, edl.rate, '.')}\n"
        + "\n".join(_escaped(_plain(line)) for line in caption.lines)
        for caption in edl.captions
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _time(frame: int, rate: Fraction, separator: str) -> str:
    milliseconds = (frame_to_us(frame, rate) + 500) // 1000
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{milliseconds:03}"


def _plain(line: str) -> str:
    """One line without what would end a cue or start another: line breaks and the arrow of a timing line."""
    return " ".join(line.split()).replace("-->", "→")


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
