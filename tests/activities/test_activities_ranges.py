"""Long sources are read in part, from a store on another machine, by a child that reaches no network."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

import activities.source_files
from activities.child_tasks import RENDER
from activities.sandbox import SandboxLimits, run_in_child
from activities.source_files import MARGIN_S, read_share, source_files
from benchmarks.looping import looped
from schemas.edl import EDL, Source
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import Asset, AssetStatus
from schemas.media import AssetKind
from schemas.rendering import RangedFile, RenderRequest, RenderResult
from stores import Bucket, LocalObjects
from tests.faults.fault_plan import FaultPlan, Kind, Point
from tests.faults.faulty_objects import RemoteFaultyObjects
from tests.render.render_media import FAST, Media, Writer, audio_clip, describe, edit, lumas, run, video_clip, yuv_frame

pytestmark = pytest.mark.media

KEY = "owner/long.mp4"
TIMES = 150
PICTURES = 50
SIZE = (320, 180)
RATE = Fraction(25)
SHOWN = range(3000, 3050)


@pytest.fixture(scope="module")
def long_source(tmp_path_factory: pytest.TempPathFactory) -> Media:
    """Five minutes of pictures that compress badly."""
    folder = tmp_path_factory.mktemp("long")
    noise = np.random.default_rng(7)
    frames = ((n * 3600, yuv_frame(noise.integers(16, 235, SIZE[::-1], np.uint8))) for n in range(PICTURES))
    tone = 0.2 * np.sin(np.arange(PICTURES * 1920) * 0.05).astype(np.float32)
    short = folder / "short.mp4"
    writer = Writer(short, codec_options={"preset": "ultrafast", "g": "25", "bf": "0", "crf": "35"})
    writer.write(frames, SIZE, sound=np.stack([tone, tone]), sound_codec="aac")
    described = describe(short, rate=RATE)
    path = looped(short, folder / "long.mp4", PICTURES / RATE, TIMES)
    return Media(path, _longer(described, path))


def _longer(short: Media, path: Path) -> Source:
    source = short.source
    assert source.video is not None
    assert source.audio is not None
    length = source.video.end_pts - source.video.start_pts
    video = source.video.model_copy(update={"end_pts": source.video.start_pts + TIMES * length})
    audio = source.audio.model_copy(update={"samples": TIMES * PICTURES * 1920})
    return source.model_copy(update={"video": video, "audio": audio, "name": path.name})


@pytest.fixture
def faults(tmp_path: Path) -> FaultPlan:
    return FaultPlan(tmp_path)


@pytest.fixture
async def store(long_source: Media, tmp_path: Path, faults: FaultPlan) -> AsyncIterator[RemoteFaultyObjects]:
    real = LocalObjects(tmp_path / "objects", base_url="http://localhost", signing_key=b"k" * 32)
    await real.put_file(Bucket.ASSETS, KEY, long_source.path)
    yield RemoteFaultyObjects(real, faults)
    await real.aclose()


def a_hook(long_source: Media) -> EDL:
    """Two seconds out of the middle."""
    clip = video_clip(long_source, 0, len(SHOWN), SHOWN.start, RATE)
    sound = audio_clip(long_source, 0, len(SHOWN), SHOWN.start, RATE)
    return edit([long_source], [clip], [sound], rate=RATE)


def asset(path: Path) -> Asset:
    return Asset(
        id=uuid4(),
        owner_id=uuid4(),
        project_id=uuid4(),
        name=path.name,
        kind=AssetKind.A_ROLL,
        status=AssetStatus.READY,
        position=0,
        object_key=KEY,
        size_bytes=path.stat().st_size,
        sha256="0" * 64,
        created_at=datetime.now(UTC),
    )


async def rendered(store: RemoteFaultyObjects, media: Media, edl: EDL, folder: Path) -> RenderResult:
    folder.mkdir()
    async with source_files(store, edl, [(media.source, asset(media.path))], range(edl.duration)) as sources:
        assert isinstance(sources.files["a"], RangedFile)
        rendering = run_in_child(
            RENDER,
            RenderRequest(edl=edl, sources=sources.files, folder=folder, encoder=FAST),
            RenderResult,
            limits=SandboxLimits(),
            time_limit=timedelta(minutes=2),
            on_progress=_nobody_watches,
            hands=sources.hands,
        )
        return await sources.serve_while(rendering)


async def _nobody_watches(_: float) -> None:
    """The result says enough."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities.source_files, "SMALL_BYTES", 1 << 20)


async def test_a_hook_reads_the_index_and_what_it_shows(
    store: RemoteFaultyObjects, long_source: Media, tmp_path: Path
) -> None:
    size = long_source.path.stat().st_size
    result = await rendered(store, long_source, a_hook(long_source), tmp_path / "out")
    print(f"{store.bytes_read} of {size} bytes were read")
    assert store.bytes_read < size / 5
    whole = run(a_hook(long_source), [long_source], tmp_path / "whole")
    assert all(np.array_equal(a, b) for a, b in zip(lumas(result.video), lumas(whole.video), strict=True))


async def test_picture_and_sound_that_are_read_side_by_side_fetch_nothing_twice(
    store: RemoteFaultyObjects, long_source: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, fetched = store._fetch, []

    def note(*given: Any) -> bytes:
        *_, start, length = given
        fetched.append((start, start + length))
        return fetch(*given)

    monkeypatch.setattr(store, "_fetch", note)
    await rendered(store, long_source, a_hook(long_source), tmp_path / "out")
    fetched.sort()
    assert all(end <= start for (_, end), (start, _) in pairwise(fetched))


async def test_a_store_that_is_away_for_a_moment_costs_a_moment(
    store: RemoteFaultyObjects, long_source: Media, tmp_path: Path, faults: FaultPlan
) -> None:
    faults.arm(Point.RANGE, Kind.ERROR, times=2)
    await rendered(store, long_source, a_hook(long_source), tmp_path / "out")
    assert not faults.armed


async def test_a_store_that_has_lost_the_file_is_told_as_that_and_not_as_damage(
    store: RemoteFaultyObjects, long_source: Media, tmp_path: Path, faults: FaultPlan
) -> None:
    edl = a_hook(long_source)
    await rendered(store, long_source, edl, tmp_path / "out")
    faults.arm(Point.RANGE, Kind.GONE)
    with pytest.raises(CinemaError) as caught:
        await rendered(store, long_source, edl, tmp_path / "again")
    assert caught.value.code is ErrorCode.OBJECT_MISSING


async def test_what_is_lost_in_the_midst_is_not_taken_for_the_end_of_the_file(
    store: RemoteFaultyObjects, long_source: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child goes on without the bytes, as with any damaged file; its video does not count."""
    fetch, calls = store._fetch, []

    def fail_late(*given: object) -> bytes:
        calls.append(given)
        if len(calls) == 6:
            raise CinemaError(ErrorCode.OBJECT_CORRUPT, "The file was replaced.")
        return fetch(*given)

    monkeypatch.setattr(store, "_fetch", fail_late)
    with pytest.raises(CinemaError) as caught:
        await rendered(store, long_source, a_hook(long_source), tmp_path / "out")
    assert caught.value.code is ErrorCode.OBJECT_CORRUPT


async def test_another_file_under_the_same_name_is_noticed(
    store: RemoteFaultyObjects, long_source: Media, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(long_source.path.read_bytes()[:-1000])
    await store.put_file(Bucket.ASSETS, KEY, other)
    with pytest.raises(CinemaError) as caught:
        await rendered(store, long_source, a_hook(long_source), tmp_path / "out")
    assert caught.value.code is ErrorCode.OBJECT_CORRUPT


async def test_what_is_mostly_read_or_small_is_downloaded(
    store: RemoteFaultyObjects, long_source: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = edit([long_source], [video_clip(long_source, 0, 4000, 0, RATE)], rate=RATE)
    for edl, small in ((whole, 1 << 20), (a_hook(long_source), 1 << 30)):
        monkeypatch.setattr(activities.source_files, "SMALL_BYTES", small)
        with pytest.raises(AssertionError, match="downloaded"):
            async with source_files(store, edl, [(long_source.source, asset(long_source.path))], range(edl.duration)):
                pass


def test_the_share_that_is_read_counts_overlaps_once_and_margins(long_source: Media) -> None:
    edl = a_hook(long_source)
    seconds = TIMES * PICTURES / RATE
    assert read_share(edl, long_source.source, range(edl.duration)) == (2 + 2 * MARGIN_S) / seconds
    assert read_share(edl, long_source.source, range(25)) == (1 + 2 * MARGIN_S) / seconds
    assert read_share(edl, long_source.source, range(0)) == 0
