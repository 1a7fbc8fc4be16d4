"""The small talk and its variations."""

import hashlib
from pathlib import Path

import av
import pytest

from demo.small import FORMAT, make_small_talk, write_variation

pytestmark = pytest.mark.media


def pictures(path: Path) -> str:
    """A digest of every decoded picture."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray().tobytes())
    return digest.hexdigest()


def test_a_variation_is_another_file_with_the_same_talk(tmp_path: Path) -> None:
    talk, variation = tmp_path / "talk.mp4", tmp_path / "variation.mp4"
    make_small_talk(talk)
    write_variation(talk, variation, b"one")
    assert variation.read_bytes() != talk.read_bytes()
    assert pictures(variation) == pictures(talk)
    with av.open(str(variation)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.average_rate) == (FORMAT.width, FORMAT.height, FORMAT.rate)
        assert 5 < (container.duration or 0) / av.time_base < 10
        assert len(container.streams.audio) == 1
