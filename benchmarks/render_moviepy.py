"""The reel as MoviePy makes it: ``python -m benchmarks.render_moviepy SOURCE BOX OUT``."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moviepy import CompositeVideoClip, ImageClip, VideoFileClip

from benchmarks.render_ours import ENCODER
from benchmarks.render_reel import BOX_X, BOX_Y, CANVAS, CROP_HEIGHT, CROP_WIDTH, SECONDS, crop_left


def main(source: Path, box: Path, out: Path) -> None:
    clip = VideoFileClip(str(source)).subclipped(0, SECONDS)
    rate = clip.fps

    def cropped(picture_at: Callable[[float], Any], seconds: float) -> Any:
        left = crop_left(round(seconds * rate))
        return picture_at(seconds)[:CROP_HEIGHT, left : left + CROP_WIDTH]

    film = clip.transform(cropped).resized((CANVAS.width, CANVAS.height))
    caption = ImageClip(str(box)).with_duration(SECONDS).with_position((BOX_X, BOX_Y))
    CompositeVideoClip([film, caption]).write_videofile(
        str(out),
        codec="libx264",
        preset=ENCODER.preset,
        audio_codec="aac",
        audio_bitrate=str(ENCODER.audio_bitrate),
        ffmpeg_params=["-crf", str(ENCODER.crf), "-pix_fmt", "yuv420p"],
        logger=None,
    )


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
