"""The files that a completed output delivered: where each lies, and what it is called outside."""

import unicodedata
from dataclasses import dataclass

from schemas.jobs import Output
from stores.objects import Bucket

#: Longest stem of a file name, in characters: names stay below 255 bytes with any script and ending.
LONGEST_STEM = 50


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One object, known to people by ``ending``; ``sha256`` where it is on record."""

    ending: str
    bucket: Bucket
    key: str
    sha256: str | None = None

    def name(self, output: Output, title: str) -> str:
        """The file's name for people."""
        return file_name(output, title, self.ending)


def delivered_files(output: Output) -> tuple[DeliveredFile, ...]:
    """The files of an output, the video first; none before it is completed, nor once they are on their way out."""
    files = output.files
    if files is None or output.expiring_since is not None:
        return ()
    storyboard = files.storyboard
    return (
        DeliveredFile("mp4", Bucket.OUTPUTS, files.video_key, files.video_sha256),
        DeliveredFile("jpg", Bucket.THUMBS, files.thumbnail_key),
        *([] if storyboard is None else [DeliveredFile("storyboard.jpg", Bucket.THUMBS, storyboard.image_key)]),
        DeliveredFile("srt", Bucket.OUTPUTS, files.srt_key),
        DeliveredFile("vtt", Bucket.OUTPUTS, files.vtt_key),
        DeliveredFile("edl.json", Bucket.OUTPUTS, files.edl_key),
        DeliveredFile("otio", Bucket.OUTPUTS, files.otio_key),
    )


def file_name(output: Output, title: str, ending: str) -> str:
    """What a file is of, which variant, and which one of several."""
    number = f"_{output.number}" if output.count > 1 else ""
    return f"{file_stem(title)}_{output.variant}{number}.{ending}"


def file_stem(title: str) -> str:
    """``title`` as a part of a file name that is one on every system."""
    plain = "".join(char if unicodedata.category(char)[0] in "LMN" or char in "-_." else "_" for char in title.strip())
    return plain[:LONGEST_STEM].strip("._-") or "video"
