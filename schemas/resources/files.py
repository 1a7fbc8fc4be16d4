"""Delivered files as the API's clients get them."""

from datetime import datetime

from pydantic import Field

from schemas.model import Model


class SignedFile(Model):
    """A file that anyone with its address can read until it expires."""

    name: str = Field(examples=["Kitchen_talk_hook_cut.mp4"])
    url: str
    size_bytes: int
    sha256: str


class OutputFilesResource(Model):
    """Everything that a completed output delivered: video, thumbnail, storyboard, captions, and the edit itself."""

    expires_at: datetime
    video: SignedFile
    thumbnail: SignedFile
    storyboard: SignedFile | None = Field(None, description="Small pictures of it, side by side; see `/storyboard`.")
    srt: SignedFile
    vtt: SignedFile
    edl: SignedFile
    otio: SignedFile
