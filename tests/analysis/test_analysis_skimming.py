"""Frames that no other needs are left out, and nothing is missed by that."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.demuxing import AnyPacket, read_packets
from analysis.probe import probe
from analysis.viewing import View, open_footage
from schemas.facts import Span
from tests.analysis.analysis_media import MakeClip, scene, shots_of

pytestmark = pytest.mark.media

#: As most encoders do by default, three frames in four that no other is made from but one; and no keyframe at a cut.
BLIND = {"preset": "medium", "x264-params": "bframes=3:b-adapt=0:scenecut=0:keyint=250:rc-lookahead=10"}


def looked_at(path: Path, again: Sequence[Span] = ()) -> list[View]:
    known = probe(path)
    assert known.video is not None
    with open_footage(path, known, known.video) as footage:
        seen = list(footage.views())
        return list(footage.again(again)) if again else seen


def moving(number: int, step: int) -> NDArray[np.uint8]:
    return np.roll(scene(number, height=180, width=320), step, axis=1)


def test_frames_that_no_other_needs_are_left_out_and_told(make_clip: MakeClip) -> None:
    path = make_clip(frames=[moving(1, step // 4) for step in range(60)], encoder=BLIND)
    views = looked_at(path)
    told = sorted([view.at_us for view in views] + [time for view in views for time in view.left_out_us])
    assert told == [number * 40_000 for number in range(60)]
    assert len(views) < 45


def test_without_frames_that_can_be_left_out_all_are_seen(make_clip: MakeClip) -> None:
    views = looked_at(make_clip(frames=[scene(1)] * 30))
    assert len(views) == 30


def test_a_slow_film_is_seen_frame_by_frame(make_clip: MakeClip) -> None:
    views = looked_at(make_clip(frames=[scene(1)] * 30, rate=12, encoder=BLIND))
    assert len(views) == 30


def test_a_second_look_sees_every_frame_of_its_stretches(make_clip: MakeClip) -> None:
    path = make_clip(frames=[moving(1, step) for step in range(80)], encoder=BLIND)
    stretches = [Span(start_us=400_000, end_us=600_000), Span(start_us=1_000_000, end_us=1_080_000)]
    times = [view.at_us for view in looked_at(path, again=stretches)]
    assert times == [*range(400_000, 600_001, 40_000), 1_000_000, 1_040_000, 1_080_000]


@pytest.mark.parametrize(("keyframes_every", "most"), [(1000, 1.0), (50, 0.5)], ids=["one keyframe", "many"])
def test_what_is_looked_at_again_is_read_once_from_its_first_keyframe_on(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, keyframes_every: int, most: float
) -> None:
    options = {**BLIND, "x264-params": f"bframes=0:scenecut=0:keyint={keyframes_every}"}
    path = make_clip(frames=[moving(1, step // 4)[::2, ::2] for step in range(600)], encoder=options)
    read: list[int] = []

    def counted(*args: object) -> Iterator[AnyPacket]:
        for packet in read_packets(*args):  # type: ignore[arg-type]
            read.append(packet.size)
            yield packet

    stretches = [Span(start_us=second * 1_000_000, end_us=second * 1_000_000 + 200_000) for second in (1, 11, 22)]
    known = probe(path)
    assert known.video is not None
    with open_footage(path, known, known.video) as footage:
        whole = [view.at_us for view in footage.views()]
        monkeypatch.setattr("analysis.skimming.read_packets", counted)
        times = [view.at_us for view in footage.again(stretches)]
    assert times == [one for one in whole if any(span.start_us <= one <= span.end_us for span in stretches)]
    assert len(read) <= most * 600


def test_a_file_is_closed_only_when_nobody_decodes_it_any_more(make_clip: MakeClip) -> None:
    path = make_clip(frames=[moving(1, step) for step in range(80)])
    known, before = probe(path), threading.active_count()
    assert known.video is not None
    with pytest.raises(ZeroDivisionError), open_footage(path, known, known.video) as footage:
        views = footage.views()
        assert next(views).at_us / 0
    assert threading.active_count() == before
    assert next(views, None) is None


@pytest.mark.parametrize("cut", range(40, 49))
@pytest.mark.parametrize("hidden", [False, True], ids=["told by its size", "told by nothing"])
def test_a_cut_is_found_to_the_frame_wherever_it_lies(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, cut: int, *, hidden: bool
) -> None:
    if hidden:
        monkeypatch.setattr("analysis.skimming.LARGER", 1e9)
        monkeypatch.setattr("analysis.skimming.SMALLER", 0.0)
    frames = [moving(1, step // 2) for step in range(cut)] + [moving(2, step // 2) for step in range(100 - cut)]
    (_, second) = shots_of(make_clip(frames=frames, encoder=BLIND)).shots
    assert second.start_us == cut * 40_000


@pytest.mark.parametrize("name", ["clip.ts", "clip.mkv", "clip.mov"])
@pytest.mark.parametrize("cut", [70, 71, 72, 73])
def test_a_cut_is_found_in_whatever_is_sought_in(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, name: str, cut: int
) -> None:
    monkeypatch.setattr("analysis.skimming.LARGER", 1e9)
    frames = [moving(1, step // 2) for step in range(cut)] + [moving(2, step // 2) for step in range(130 - cut)]
    short_groups = {**BLIND, "x264-params": f"{BLIND['x264-params']}:keyint=50"}
    first, second = shots_of(make_clip(name, frames=frames, encoder=short_groups)).shots
    assert second.start_us - first.start_us == pytest.approx(cut * 40_000, abs=1000)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
@pytest.mark.parametrize("start", [41, 42, 43, 44])
def test_a_flash_is_no_cut_wherever_it_lies(make_clip: MakeClip, start: int, length: int) -> None:
    frames = [moving(1, step // 4) for step in range(90)]
    for number in range(start, start + length):
        frames[number] = np.full_like(frames[0], 250)
    assert len(shots_of(make_clip(frames=frames, encoder=BLIND)).shots) == 1
