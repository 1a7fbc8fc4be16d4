"""The table of analyzers: keys that tell everything apart, and one door to all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import ANALYZERS, applicable, artifact_key, guess_kind, run_analyzer, run_analyzers, settle_parameters
from schemas.analysing import (
    ALIGNMENT,
    ANALYZER_VERSIONS,
    MOST_REFERENCES,
    AnalysisRequest,
    passes_of,
    references_of,
)
from schemas.errors import CinemaError
from schemas.facts import AssetFacts, Shots
from schemas.media import AssetKind, MediaProbe
from schemas.progress import ignore_progress
from tests.analysis.analysis_media import MakeClip, noise, scene

pytestmark = pytest.mark.media

ASSET = "a" * 64


def probed(path: Path, kind: AssetKind = AssetKind.A_ROLL) -> MediaProbe:
    request = AnalysisRequest(analyzer="probe", path=path, kind=kind)
    found = run_analyzer(request, ignore_progress, path.parent)
    assert isinstance(found, MediaProbe)
    return found


def test_every_analyzer_fills_a_field_of_the_facts() -> None:
    for name, analyzer in ANALYZERS.items():
        assert analyzer.name == name
        assert (f"{name}s" if name == ALIGNMENT else name) in AssetFacts.model_fields
        analyzer.parameters()


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_a_key_does_not_depend_on_the_order_of_parameters(parameters: dict[str, int | str]) -> None:
    turned = dict(reversed(parameters.items()))
    assert artifact_key("sound", "1", ASSET, parameters) == artifact_key("sound", "1", ASSET, turned)


def test_a_key_tells_everything_apart() -> None:
    keys = {
        artifact_key("sound", "1", ASSET, {}),
        artifact_key("shots", "1", ASSET, {}),
        artifact_key("sound", "2", ASSET, {}),
        artifact_key("sound", "1", "b" * 64, {}),
        artifact_key("sound", "1", ASSET, {"model": None}),
        artifact_key("sound", "1", ASSET, {"model": "base"}),
    }
    assert len(keys) == 6
    assert all(len(key) == 64 for key in keys)


def test_a_new_probe_makes_all_that_went_by_the_old_one_old(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: analyzer.version for name, analyzer in ANALYZERS.items()}
    monkeypatch.setattr("schemas.analysing.ANALYZER_VERSIONS", {**ANALYZER_VERSIONS, "probe": 1000})
    assert all(analyzer.version != before[name] for name, analyzer in ANALYZERS.items())


def test_a_key_stays_what_it_is_between_versions() -> None:
    """Changing how keys are made forgets every analysis ever stored: do so only on purpose."""
    expected = "c62e498e35d51d45b8e835a2e8a7f4b8620a421563d9c15e5ada0c5d3c09096d"
    assert artifact_key("probe", "1", ASSET, {}) == expected


def test_runs_what_is_asked_for(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(frames=[scene(1)] * 20 + [scene(2)] * 20)
    told: list[float] = []
    request = AnalysisRequest(analyzer="shots", path=path, kind=AssetKind.B_ROLL)
    found = run_analyzer(request, told.append, tmp_path)
    assert isinstance(found, Shots)
    assert len(found.shots) == 2
    assert told[-1] == 1.0


def test_many_analyzers_answer_alike_alone_and_together(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("film.mov", frames=[scene(1)] * 20 + [scene(2)] * 20, sound=noise(1.6, -30, channels=2))
    names = ("shots", "picture", "activity", "sound")
    requests = [AnalysisRequest(analyzer=name, path=path, kind=AssetKind.B_ROLL) for name in names]
    told: list[float] = []
    together = run_analyzers(requests, told.append, tmp_path)
    assert together == tuple(run_analyzer(one, ignore_progress, tmp_path) for one in requests)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_longest_a_rolls_are_references_each_content_once() -> None:
    heard = [(f"{seconds % 40}", seconds * 1_000_000, f"{seconds}.mp4") for seconds in range(80)]
    assert references_of(heard) == tuple(f"{seconds}.mp4" for seconds in range(39, 39 - MOST_REFERENCES, -1))
    assert references_of([("a", 5, "first"), ("b", 5, "second"), ("c", 6, "third")]) == ("third", "first", "second")


def test_analyzers_of_a_pass_are_grouped_and_the_others_alone() -> None:
    asked = ("sound", "transcript", "shots", "faces", "alignment")
    assert passes_of(asked) == {
        "hearing": ("sound", "transcript"),
        "seeing": ("shots", "faces"),
        "alignment": ("alignment",),
    }


@pytest.mark.parametrize(
    ("analyzer", "parameters"), [("smell", {}), ("sound", {"volume": 11}), ("faces", {"detector": "eyes"})]
)
def test_refuses_what_it_does_not_know(tmp_path: Path, analyzer: str, parameters: dict[str, object]) -> None:
    request = AnalysisRequest(analyzer=analyzer, path=tmp_path, kind=AssetKind.A_ROLL, parameters=parameters)
    with pytest.raises(CinemaError):
        run_analyzer(request, ignore_progress, tmp_path)


def test_settling_names_the_model_that_will_be_used(face_models: Path) -> None:
    assert settle_parameters("faces", {}, face_models) == {"detector": "yunet"}
    assert settle_parameters("faces", {"detector": "none"}, face_models) == {"detector": "none"}
    assert settle_parameters("shots", {}, face_models) == {}


def test_each_kind_gets_what_it_needs(make_clip: MakeClip) -> None:
    film = probed(make_clip("film.mov", frames=[scene(1)] * 5, sound=noise(0.2, -30, channels=2)))
    assert set(applicable(film, AssetKind.A_ROLL)) == {"sound", "transcript", "shots", "faces", "picture"}
    assert set(applicable(film, AssetKind.B_ROLL)) == {"sound", "shots", "faces", "picture"}
    assert set(applicable(film, AssetKind.SCREEN)) == {"sound", "shots", "picture", "activity"}
    assert set(applicable(film, AssetKind.AUDIO)) == {"sound"}
    mute = probed(make_clip("mute.mp4", frames=[scene(1)] * 5))
    assert set(applicable(mute, AssetKind.A_ROLL)) == {"shots", "faces", "picture"}


def test_kinds_are_guessed_with_a_reason(make_clip: MakeClip) -> None:
    film = probed(make_clip("film.mov", frames=[scene(1)] * 5, sound=noise(0.2, -30, channels=2)))
    mute = probed(make_clip("mute.mp4", frames=[scene(1)] * 5))
    microphone = probed(make_clip("mic.wav", sound=noise(0.2, -30, channels=2)))
    assert guess_kind(microphone, None, "talk.wav").kind is AssetKind.AUDIO
    assert guess_kind(mute, None, "city.mp4").kind is AssetKind.B_ROLL
    assert guess_kind(film, None, "clip0001.mp4").kind is AssetKind.A_ROLL
    assert guess_kind(film, None, "Screen Recording 2026-01-01.mov").kind is AssetKind.SCREEN
    guess = guess_kind(film, None, "My_B-Roll_03.mp4")
    assert guess.kind is AssetKind.B_ROLL
    assert "broll" in guess.reason
