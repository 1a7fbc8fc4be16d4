"""What is let in by its first bytes, and what is not."""

from pathlib import Path

import pytest

from analysis.demuxing import open_media
from analysis.sniffing import sniff
from schemas.errors import ErrorCode, MediaRefused

pytestmark = pytest.mark.unit

FORBIDDEN = ErrorCode.MEDIA_FORBIDDEN_FORMAT


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        pytest.param(b"", ErrorCode.MEDIA_EMPTY, "empty", id="nothing"),
        pytest.param(b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n", FORBIDDEN, "playlist", id="hls"),
        pytest.param(b"\xef\xbb\xbf  #EXTM3U\n", FORBIDDEN, "playlist", id="hls with a mark and spaces"),
        pytest.param(b"ffconcat version 1.0\nfile a.mp4\n", FORBIDDEN, "list of other files", id="concat"),
        pytest.param(b"file 'a.mp4'\n", FORBIDDEN, "list of other files", id="concat without header"),
        pytest.param(b'<?xml version="1.0"?>\n<!-- x --><MPD type="static"/>', FORBIDDEN, "DASH", id="dash"),
        pytest.param(b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", FORBIDDEN, "SDP", id="sdp"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', FORBIDDEN, "SVG", id="svg"),
        pytest.param(b"<!DOCTYPE html><html></html>", FORBIDDEN, "web page", id="html"),
        pytest.param("Grüße an alle\n".encode(), FORBIDDEN, "text file", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n", FORBIDDEN, "PNG", id="png"),
        pytest.param(b"GIF89a", FORBIDDEN, "GIF", id="gif"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", FORBIDDEN, "JPEG", id="jpeg"),
        pytest.param(b"RIFF\x10\x00\x00\x00WEBPVP8 ", FORBIDDEN, "WebP", id="webp"),
        pytest.param(b"\x00\x00\x00\x1cftypheic", FORBIDDEN, "HEIF", id="heic"),
        pytest.param(bytes(range(128, 256)) * 4, ErrorCode.MEDIA_UNREADABLE, "damaged", id="noise"),
    ],
)
def test_refuses_with_the_reason(tmp_path: Path, content: bytes, code: ErrorCode, word: str) -> None:
    path = tmp_path / "talk.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaRefused, match=word) as refused, open_media(path):
        pass
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"\x00\x00\x00\x20ftypisom", "mov"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82", "matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "avi"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "wav"),
        (b"OggS\x00\x02", "ogg"),
        (b"ID3\x04\x00", "mp3"),
        (b"G" + bytes(187) + b"G" + bytes(187), "mpegts"),
        (b"\x00\x00\x01\xba\x44", "mpeg"),
        (b"\x1f\x07\x00\x3f\xf9", "dv"),
    ],
)
def test_names_the_only_demuxers_that_may_read_it(tmp_path: Path, head: bytes, demuxer: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(head)
    assert demuxer in sniff(path).demuxers


def test_a_script_behind_an_accepted_beginning_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"\x00\x00\x00\x08free\nffconcat version 1.0\nfile /etc/passwd\n")
    with pytest.raises(MediaRefused), open_media(path):
        pass
