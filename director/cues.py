"""Captions read from SubRip and WebVTT text, as an editor for subtitles writes them.

Of SubRip there is no standard; read is what its program wrote, and what FFmpeg and VLC take for it. WebVTT is the
W3C's; positions, styles, regions and comments are skipped, since where captions stand is the edit's matter.
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from schemas.edl import Caption
from schemas.invalid_input import MOST_PROBLEMS, FieldProblem, InvalidInput
from schemas.timebase import us_to_frame

#: As the schema has it.
_MOST_LINES: Final = 2

_SRT_TIME: Final = r"(?P<{0}h>\d{{1,3}}):(?P<{0}m>[0-5]\d):(?P<{0}s>[0-5]\d)[,.](?P<{0}ms>\d{{3}})"
_VTT_TIME: Final = r"(?:(?P<{0}h>\d{{2,4}}):)?(?P<{0}m>[0-5]\d):(?P<{0}s>[0-5]\d)\.(?P<{0}ms>\d{{3}})"
_SRT_TIMING: Final = re.compile(rf"{_SRT_TIME.format('a')}\s*-->\s*{_SRT_TIME.format('b')}(?:\s.*)?")
_VTT_TIMING: Final = re.compile(rf"{_VTT_TIME.format('a')}\s+-->\s+{_VTT_TIME.format('b')}(?:\s.*)?")
_SRT_MARKUP: Final = re.compile(r"</?(?:b|i|u|s|font)(?:\s[^<>]*)?>|\{\\an?\d{1,2}\}", re.IGNORECASE)
_VTT_MARKUP: Final = re.compile(r"<[^<>]*>")
_VTT_HEADER: Final = re.compile(r"WEBVTT(?:[ \t].*)?")
_VTT_NO_CUE: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")


class _BadCueError(Exception):
    """What is wrong with a cue, as a sentence for who wrote it."""


@dataclass(frozen=True, slots=True)
class _Format:
    timing: re.Pattern[str]
    plain: Callable[[str], str]


_SRT: Final = _Format(_SRT_TIMING, lambda line: _SRT_MARKUP.sub("", line).strip())
_VTT: Final = _Format(_VTT_TIMING, lambda line: _unescaped(_VTT_MARKUP.sub("", line)).strip())


def captions_from(text: str, rate: Fraction) -> tuple[Caption, ...]:
    """The cues of a SubRip or WebVTT text, at the frames nearest to their times; markup is left out.

    Captions that were written by us come back on the very same frames.

    Args:
        text: The file; WebVTT if it says so in its first line, else SubRip.
        rate: Frames a second of the edit.

    Raises:
        InvalidInput: a cue cannot be read, has no text or more than two lines, or is shorter than a frame.
    """
    blocks = _blocks(text)
    if blocks and _VTT_HEADER.fullmatch(blocks[0][0]):
        cues = [block for block in blocks[1:] if not _VTT_NO_CUE.fullmatch(block[0])]
        return _captions(cues, _VTT, rate)
    return _captions(blocks, _SRT, rate)


def _blocks(text: str) -> list[list[str]]:
    """Runs of lines that are not blank."""
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))]
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _captions(cues: Sequence[list[str]], form: _Format, rate: Fraction) -> tuple[Caption, ...]:
    captions, problems = [], []
    for at, cue in enumerate(cues):
        try:
            captions.append(_caption(cue, form, rate))
        except _BadCueError as error:
            problems.append(FieldProblem(field=f"captions.{at}", problem=str(error)))
    if problems:
        raise InvalidInput(problems[:MOST_PROBLEMS])
    return tuple(captions)


def _caption(cue: list[str], form: _Format, rate: Fraction) -> Caption:
    """Raises ``_BadCueError`` where it cannot be read."""
    timed_at = next((at for at, line in enumerate(cue[:2]) if "-->" in line), None)
    timing = None if timed_at is None else form.timing.fullmatch(cue[timed_at])
    if timed_at is None or timing is None:
        raise _BadCueError("no times can be read, such as 00:00:01,500 --> 00:00:03,000")
    lines = tuple(plain for line in cue[timed_at + 1 :] if (plain := form.plain(line)))
    if not 1 <= len(lines) <= _MOST_LINES:
        raise _BadCueError(f"it has {len(lines) or 'no'} lines of text, and should have 1 or {_MOST_LINES}")
    start, end = (us_to_frame(us, rate) for us in _times(timing))
    if end <= start:
        raise _BadCueError("it is shorter than a frame")
    return Caption(start=start, end=end, lines=lines)


def _unescaped(line: str) -> str:
    """With its character references replaced.

    Raises:
        _BadCueError: The number of one has more digits than Python reads.
    """
    try:
        return html.unescape(line)
    except ValueError as error:
        raise _BadCueError("a character is written as a number that is far too long") from error


def _times(timing: re.Match[str]) -> Iterator[int]:
    """Start and end in microseconds."""
    for side in "ab":
        hours, minutes, seconds, ms = (int(timing[side + unit] or 0) for unit in ("h", "m", "s", "ms"))
        yield (((hours * 60 + minutes) * 60 + seconds) * 1000 + ms) * 1000
