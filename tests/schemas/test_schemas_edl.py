import json
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.edl import EDL

pytestmark = pytest.mark.unit


def edit(**changes: Any) -> dict[str, Any]:
    """A small valid edit as a client would send it: two clips of a 30 fps source, sound under both."""
    source = {
        "id": "talk",
        "name": "talk.mp4",
        "kind": "a_roll",
        "sha256": "ab" * 32,
        "origin": "0",
        "video": {
            "stream_index": 0,
            "time_base": "1/15360",
            "start_pts": 0,
            "end_pts": 15360 * 20,
            "frame_rate": "30",
            "display_width": 1920,
            "display_height": 1080,
        },
        "audio": {"stream_index": 1, "samples": 48_000 * 20},
    }
    clips = [
        {"id": "v1", "source": "talk", "start": 0, "duration": 30, "source_in": 0, "source_out": 15360, "reason": "d1"},
        {
            "id": "v2",
            "source": "talk",
            "start": 30,
            "duration": 60,
            "source_in": 30720,
            "source_out": 61440,
            "reason": "d1",
        },
    ]
    sound = [{"id": "a1", "source": "talk", "start": 0, "duration": 90, "source_in": 0, "reason": "d1"}]
    base: dict[str, Any] = {
        "director_version": "1",
        "variant": "cinematic_full",
        "title": "t",
        "rate": "30",
        "canvas": {"width": 1920, "height": 1080},
        "duration": 90,
        "sources": [source],
        "video": clips,
        "audio": [{"role": "dialogue", "clips": sound}],
        "decisions": [{"id": "d1", "kind": "select", "sentence": "Kept."}],
    }
    return base | changes


def clip(number: int, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = edit()["video"][number]
    return found | changes


def test_a_valid_edit_is_the_same_after_a_round_trip_byte_for_byte() -> None:
    edl = EDL.model_validate(edit())
    assert edl.rate == Fraction(30)
    text = edl.model_dump_json()
    assert EDL.model_validate_json(text).model_dump_json() == text


def test_an_edit_holds_no_floats() -> None:
    def refuse(number: str) -> float:
        pytest.fail(f"{number} in an EDL")

    json.loads(EDL.model_validate(edit()).model_dump_json(), parse_float=refuse)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"video": [clip(0), clip(1, start=31)]}, "reached 30", id="gap"),
        pytest.param({"video": [clip(0), clip(1, start=29)]}, "reached 30", id="overlap"),
        pytest.param({"duration": 91}, "ends at frame 90", id="short of its end"),
        pytest.param({"video": [clip(0), clip(1, id="v1")]}, "used twice", id="clip id twice"),
        pytest.param({"video": [clip(0), clip(1, source="who")]}, "does not exist", id="unknown source"),
        pytest.param({"video": [clip(0), clip(1, reason="why")]}, "does not exist", id="unknown reason"),
        pytest.param(
            {"video": [clip(0), clip(1, source_in=300000, source_out=330720)]}, "outside its source", id="past the end"
        ),
        pytest.param({"video": [clip(0), clip(1, source_out=62000)]}, "differ by", id="wrong length"),
        pytest.param(
            {"video": [clip(0, crop=[{"frame": 0, "x": 1900, "y": 0, "width": 608, "height": 1080}]), clip(1)]},
            "leaves the picture",
            id="crop outside",
        ),
        pytest.param({"video": [clip(0, fade_in=20, fade_out=20), clip(1)]}, "fades are longer", id="fades too long"),
        pytest.param({"overlays": [clip(0, id="o1", start=80)]}, "ends after the edit", id="overlay outside"),
        pytest.param({"captions": [{"start": 0, "end": 30, "lines": ["hi"]}]}, "caption style", id="style missing"),
        pytest.param({"canvas": {"width": 1921, "height": 1080}}, "odd side", id="odd canvas"),
        pytest.param({"rate": "0"}, "greater than 0", id="no rate"),
        pytest.param({"surprise": 1}, "not permitted", id="unknown field"),
    ],
)
def test_nonsense_is_refused_by_name(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        EDL.model_validate(edit(**changes))
