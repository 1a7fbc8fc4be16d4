"""Looking at what was uploaded: in time that its size allows."""

from datetime import timedelta
from pathlib import Path

import pytest

from cinema import looking
from cinema.looking import LOOK_TIME, Looking
from cinema.settings import Settings
from schemas.media import AssetKind
from schemas.uploads import Look

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("size", "least"), [(1 << 20, LOOK_TIME), (50 << 30, timedelta(minutes=40))])
async def test_a_file_as_large_as_a_plan_takes_can_be_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, least: timedelta
) -> None:
    limits: list[timedelta] = []

    async def seen(*_asked: object, time_limit: timedelta, **_rest: object) -> Look:
        limits.append(time_limit)
        return Look(kind=AssetKind.A_ROLL, reason="it speaks")

    monkeypatch.setattr(looking, "run_in_child", seen)
    file = tmp_path / "upload"
    with file.open("wb") as hole:
        hole.truncate(size)
    await Looking(Settings())(file, "talk.mov")
    assert least <= limits[0] < least + timedelta(minutes=10)
