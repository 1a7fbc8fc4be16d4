"""A stretch of the timeline as whole pictures: its clip, what that dissolves from, and what is inset."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error
import cv2
from av import VideoFrame

from render.chain import FrameCopier
from render.composer import ClipComposer, fade_level
from render.insets import Inset
from render.pictures import PictureReader
from render.planes import planes
from render.timeline import source_tick
from schemas.edl import EDL, Canvas, Source, SourceVideo, VideoClip
from schemas.errors import ErrorCode, MediaRefused
from schemas.timeline import Stretch


@dataclass(frozen=True)
class Layer:
    """One clip's pictures, as large as the canvas or, where it has one, its place."""

    clip: VideoClip
    name: str
    video: SourceVideo
    rate: Fraction
    reader: PictureReader
    composer: ClipComposer

    @classmethod
    def of(cls, clip: VideoClip, source: Source, edl: EDL, reader: PictureReader, folder: Path) -> "Layer":
        """A layer of ``edl``; its colour tables are written to ``folder``.

        Raises:
            MediaRefused: The source has no picture.
        """
        if source.video is None:
            raise MediaRefused(ErrorCode.NO_PICTURE, f"“{source.name}” has no picture.")
        place = clip.place
        canvas = edl.canvas if place is None else Canvas(width=place.width, height=place.height)
        composer = ClipComposer(clip, source.video, reader.turn, canvas, folder)
        return cls(clip, source.name, source.video, edl.rate, reader, composer)

    def picture(self, number: int) -> VideoFrame:
        """What the clip shows at timeline frame ``number``, its pixels shared with other frames.

        Raises:
            MediaRefused: The source's picture is in no form that can be shown.
        """
        relative = number - self.clip.start
        frame = self.reader.frame_at(source_tick(self.clip, self.video, self.rate, relative))
        try:
            picture = self.composer.compose(frame, relative)
        except MemoryError:  # FFmpeg's is one of its errors too, and no fault of the picture
            raise
        except (av.error.FFmpegError, ValueError) as error:
            sentence = f"A picture of “{self.name}” is in no form that can be shown."
            raise MediaRefused(ErrorCode.MEDIA_DAMAGED, sentence) from error
        if not self.reader.shows_still(source_tick(self.clip, self.video, self.rate, relative + 1)):
            self.composer.forget()
        return picture


class Layers:
    """A stretch of the timeline, whose pictures are drawn one after another."""

    def __init__(
        self, stretch: Stretch, canvas: Canvas, base: Layer, outgoing: Layer | None, inset: Layer | None
    ) -> None:
        self._stretch = stretch
        self._base = base
        self._outgoing = outgoing
        self._inset = inset
        place = None if inset is None else inset.clip.place
        self._masks = None if place is None else Inset(place, canvas)
        self._copier = FrameCopier()

    def picture(self, number: int) -> VideoFrame:
        """The whole picture at timeline frame ``number``; it is held on to only where it is shown again."""
        picture = self._base.picture(number)
        if self._outgoing is not None:
            share = dissolve_share(self._stretch.clip, number)
            picture = mixed(self._outgoing.picture(number), picture, share)
        if self._inset is not None and self._masks is not None:
            picture = self._copier.copy(picture, number, 1 / self._base.rate)
            picture.make_writable()
            level = fade_level(self._inset.clip, number - self._inset.clip.start)
            self._masks.lay(self._inset.picture(number), picture, level)
        return picture


def dissolve_share(clip: VideoClip, number: int) -> float:
    """How much of ``clip`` is seen at timeline frame ``number`` while it dissolves in: even steps, never 0 or 1."""
    return (number - clip.start + 1) / (clip.dissolve_in + 1)


def mixed(before: VideoFrame, after: VideoFrame, share: float) -> VideoFrame:
    """A new picture: ``share`` of ``after`` in ``before``, both yuv420p of one size, in their code values."""
    picture = VideoFrame(after.width, after.height, after.format.name)
    picture.colorspace, picture.color_range = after.colorspace, after.color_range
    picture.color_primaries, picture.color_trc = after.color_primaries, after.color_trc
    for first, second, target in zip(planes(before), planes(after), planes(picture), strict=True):
        cv2.addWeighted(first, 1 - share, second, share, 0, dst=target)
    return picture
