"""What a file is by its first bytes, decided here before any demuxer sees it.

Each accepted container names the demuxers that libavformat may then use, so that a file which passes as one thing is
never opened as another (a concat script named .mp4 opens in FFmpeg and plays whatever it names).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ErrorCode, MediaRefused

#: Enough for two MPEG-TS packets, any signature below, and the beginning of a script.
SNIFFED_BYTES = 1024

_TS_PACKET = 188
_M2TS_PACKET = 192
_M2TS_TIMECODE = 4

_ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"styp", b"moof"})
_STILL_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"})

_STILLS = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"8BPS": "Photoshop",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
}

#: First characters (lower case, after white space) of text that names or describes other media.
_SCRIPTS = {
    "#extm3u": "a playlist (HLS)",
    "ffconcat": "a list of other files",
    "file ": "a list of other files",
    "v=0": "a streaming session description (SDP)",
    "[playlist]": "a playlist",
    "[reference]": "a list of other files",
    "<mpd": "a streaming manifest (DASH)",
    "<svg": "an SVG drawing",
    "<smil": "a playlist (SMIL)",
    "<!doctype html": "a web page",
    "<html": "a web page",
}


@dataclass(frozen=True)
class Container:
    """A family of files we accept, and the libavformat demuxers that may read it."""

    name: str
    demuxers: tuple[str, ...]
    matches: Callable[[bytes], bool]


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] in {b"RIFF", b"RF64"} and head[8:12] == kind


def _is_transport_stream(head: bytes) -> bool:
    plain = head[:1] == b"G" and head[_TS_PACKET : _TS_PACKET + 1] == b"G"
    second = _M2TS_PACKET + _M2TS_TIMECODE
    return plain or (head[_M2TS_TIMECODE : _M2TS_TIMECODE + 1] == b"G" and head[second : second + 1] == b"G")


def _is_mpeg_audio(head: bytes) -> bool:
    return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)


CONTAINERS: tuple[Container, ...] = (
    Container("mov", ("mov",), lambda head: head[4:8] in _ISO_BOXES),
    Container("matroska", ("matroska",), _starts(b"\x1a\x45\xdf\xa3")),
    Container("avi", ("avi",), _riff(b"AVI ")),
    Container("wav", ("wav",), _riff(b"WAVE")),
    Container("w64", ("w64",), _starts(b"riff\x2e\x91\xcf\x11")),
    Container("ogg", ("ogg",), _starts(b"OggS")),
    Container("flac", ("flac",), _starts(b"fLaC")),
    Container("aiff", ("aiff",), lambda head: head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}),
    Container("caf", ("caf",), _starts(b"caff")),
    Container("asf", ("asf",), _starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
    Container("flv", ("flv",), _starts(b"FLV\x01")),
    Container("mxf", ("mxf",), _starts(b"\x06\x0e\x2b\x34")),
    Container("dv", ("dv",), _starts(b"\x1f\x07\x00\x3f", b"\x1f\x07\x00\xbf")),
    Container("mpeg", ("mpeg", "mpegvideo"), _starts(b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")),
    Container("mpegts", ("mpegts",), _is_transport_stream),
    Container("ac3", ("ac3", "eac3"), _starts(b"\x0b\x77")),
    Container("mpeg audio", ("mp3", "aac", "flac"), _is_mpeg_audio),
)


def sniff(path: Path) -> Container:
    """The container of a local file.

    Raises:
        MediaRefused: ``media_empty`` for no bytes, ``media_forbidden_format`` for playlists, scripts, text and still
            pictures, ``media_unreadable`` for bytes that are none of what we know.
    """
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    if not head:
        raise MediaRefused(ErrorCode.MEDIA_EMPTY, "The file is empty.")
    _refuse_stills(head)
    for container in CONTAINERS:
        if container.matches(head):
            return container
    _refuse_text(head)
    raise MediaRefused(
        ErrorCode.MEDIA_UNREADABLE, "This is not a video or sound file, or its beginning is damaged beyond recognition."
    )


def _refuse_stills(head: bytes) -> None:
    kind = next((name for signature, name in _STILLS.items() if head.startswith(signature)), None)
    if _riff(b"WEBP")(head):
        kind = "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
        kind = "HEIF"
    if kind is not None:
        raise MediaRefused(ErrorCode.MEDIA_FORBIDDEN_FORMAT, f"This is a still picture ({kind}), not a video.")


def _refuse_text(head: bytes) -> None:
    text = _as_text(head)
    if text is None:
        return
    beginning = _without_xml_preamble(text)
    kind = next((name for start, name in _SCRIPTS.items() if beginning.startswith(start)), "a text file")
    raise MediaRefused(
        ErrorCode.MEDIA_FORBIDDEN_FORMAT, f"This is {kind}, not a video or sound file; upload the media itself."
    )


def _as_text(head: bytes) -> str | None:
    text = head.decode("utf-8-sig", errors="replace")
    strange = sum(not (character.isprintable() or character.isspace()) or character == "\ufffd" for character in text)
    return text.strip().lower() if strange <= 2 else None  # a multi-byte character may be cut in two at the end


def _without_xml_preamble(text: str) -> str:
    while text.startswith(("<?", "<!--")) and ">" in text:
        text = text.partition(">")[2].lstrip()
    return text
