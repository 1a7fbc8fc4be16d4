"""Media made on the spot, small and with known truth."""

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.analysis.analysis_media import RATE, MakeClip

Frames = Sequence[NDArray[np.uint8]]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Writes a file: pictures as RGB arrays with optional ticks, sound as (channels, n) floats."""

    def make(
        name: str = "clip.mp4",
        *,
        frames: Frames = (),
        rate: Fraction | int = 25,
        ticks: Sequence[int] | None = None,
        sound: NDArray[np.float32] | None = None,
        layout: str = "stereo",
        turn: float | None = None,
        codec: str = "libx264",
        encoder: Mapping[str, str] = MappingProxyType({"preset": "ultrafast"}),
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=rate, options=dict(encoder)) if frames else None
            audio = container.add_stream("pcm_s16le", rate=RATE, layout=layout) if sound is not None else None
            if video is not None:
                video.height, video.width = frames[0].shape[:2]
                video.pix_fmt = "yuv420p"
                if turn is not None:
                    video.set_display_rotation(turn)
                time_base = Fraction(1, 600) if ticks else 1 / Fraction(rate)
                video.codec_context.time_base = time_base
                for number, pixels in enumerate(frames):
                    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                    frame.pts = ticks[number] if ticks else number
                    frame.time_base = time_base
                    container.mux(video.encode(frame))
                container.mux(video.encode())
            if audio is not None and sound is not None:
                samples = np.ascontiguousarray((np.clip(sound.T, -1, 1) * 32767).astype(np.int16).reshape(1, -1))
                block = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
                block.sample_rate, block.pts = RATE, 0
                container.mux(audio.encode(block))
                container.mux(audio.encode())
        return path

    return make


@pytest.fixture(scope="session")
def face_models() -> Path:
    """A folder with YuNet's model, which no wheel ships."""
    default = Path(__file__).parents[3] / "shared" / "models"
    folder = Path(os.environ.get("CINEMA_TEST_MODELS", default))
    if not (folder / "yunet_n_dynamic.onnx").is_file():
        pytest.skip("no face model here (set CINEMA_TEST_MODELS)")
    return folder
