"""The creator's journey that the documentation tells, taken step by step on the whole stack."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from demo.small import make_small_talk
from tests.conftest import REPOSITORY
from tests.system.conftest import Stack
from tests.system.measurement import measure

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]


def test_footage_becomes_a_video_with_curl_alone(stack: Stack, tmp_path: Path) -> None:
    make_small_talk(tmp_path / "Kitchen talk.mp4")
    state = json.loads((stack.home / "stack.json").read_text())
    environment = {name: value for name, value in os.environ.items() if name not in {"TOKEN", "KEEP", "VARIANT"}}
    done = subprocess.run(
        ["bash", REPOSITORY / "docs" / "creators-journey.sh", tmp_path / "Kitchen talk.mp4", tmp_path],
        env={**environment, "API": state["endpoints"]["api_url"]},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    video = Path(done.stdout.strip().splitlines()[-1])
    assert video.parent == tmp_path
    assert 3 <= measure(video).picture_s <= 5
    endings = {path.name.removeprefix(f"{video.stem}.") for path in tmp_path.iterdir()}
    assert {"otio", "fcpxml", "premiere", "cmx3600", "srt", "vtt", "storyboard.vtt"} <= endings
    assert "#xywh=0,0,160,90" in video.with_suffix(".storyboard.vtt").read_text()
