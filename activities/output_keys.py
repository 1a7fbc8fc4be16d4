"""Where an output's files lie: the same keys for every attempt, so that a retry overwrites and never duplicates."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class OutputKeys:
    """Object keys of one output, in bucket ``outputs`` except for thumbnail and storyboard, which lie in ``thumbs``."""

    owner: UUID
    project: UUID
    job: UUID
    output: UUID

    @property
    def video(self) -> str:
        return self._key("mp4")

    @property
    def edl(self) -> str:
        return self._key("edl.json")

    @property
    def otio(self) -> str:
        return self._key("otio")

    @property
    def srt(self) -> str:
        return self._key("srt")

    @property
    def vtt(self) -> str:
        return self._key("vtt")

    @property
    def thumbnail(self) -> str:
        return self._key("jpg")

    @property
    def storyboard(self) -> str:
        return self._key("storyboard.jpg")

    def _key(self, extension: str) -> str:
        return f"{self.owner}/{self.project}/{self.job}/{self.output}.{extension}"


def edit_key(owner: UUID, project: UUID, sha256: str) -> str:
    """Where an edit that was made by hand lies in bucket ``outputs``: with its project, under its content."""
    return f"{owner}/{project}/edits/{sha256}.edl.json"


def verdict_key(owner: UUID, project: UUID, question: str) -> str:
    """Where a judge's answer lies in bucket ``outputs``: with its project, under the key of what was asked."""
    return f"{owner}/{project}/verdicts/{question}.json"


def unheard_key(owner: UUID, project: UUID, job: UUID, question: str) -> str:
    """Where it lies that a job got no answer: with the job alone, so that the next one asks again."""
    return f"{owner}/{project}/{job}/unheard/{question}.json"


def segment_object_key(owner: UUID, project: UUID, key: str) -> str:
    """Where a part of a long output lies in bucket ``outputs``: with its project, under what it depends on."""
    return f"{owner}/{project}/segments/{key}.mp4"
