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


def inset(**place: int) -> list[dict[str, Any]]:
    return [clip(0, id="o1", place={"x": 1200, "y": 600, "width": 640, "height": 360} | place)]


def said(*words: tuple[str, int, int]) -> dict[str, Any]:
    """A caption on two lines and the times of its words, with what it needs."""
    timed = [{"text": text, "start": start, "end": end} for text, start, end in words]
    style = {"burn_in": True, "left": 10, "top": 10, "right": 1900, "bottom": 1000, "font_size": 40}
    return {
        "captions": [{"start": 10, "end": 40, "lines": ["Hi there,", "you two."], "words": timed}],
        "caption_style": style,
    }


def standing_on(row: int) -> dict[str, Any]:
    """The same, its text standing on a row of the canvas."""
    changes = said(*SAID)
    return {**changes, "captions": [changes["captions"][0] | {"bottom": row}]}


SAID = (("Hi", 10, 14), ("there,", 14, 20), ("you", 22, 30), ("two.", 30, 40))


def test_insets_dissolves_and_timed_words_are_kept() -> None:
    changes = {"overlays": inset(), "video": [clip(0), clip(1, dissolve_in=30, motion="smooth")]}
    edl = EDL.model_validate(edit(**changes, **said(*SAID)))
    assert edl.overlays[0].place is not None
    assert edl.video[1].dissolve_in == 30
    assert edl.captions[0].words[3].text == "two."


def test_words_of_scripts_without_spaces_are_parts_of_their_lines() -> None:
    changes = said(("你好", 10, 14), ("世界", 14, 20))
    changes["captions"][0]["lines"] = ["你好世界"]
    assert EDL.model_validate(edit(**changes))


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
        pytest.param({"overlays": inset(x=1300)}, "leaves the canvas", id="place outside"),
        pytest.param({"overlays": inset(width=641)}, "multiple of 2", id="odd place"),
        pytest.param({"overlays": inset(height=0)}, "greater than 0", id="empty place"),
        pytest.param(
            {"video": [clip(0, place=inset()[0]["place"]), clip(1)]}, "fills the canvas", id="base with place"
        ),
        pytest.param({"video": [clip(0, dissolve_in=5), clip(1)]}, "no base clip before", id="dissolve from nothing"),
        pytest.param({"overlays": [clip(0, id="o1", dissolve_in=5)]}, "no base clip before", id="overlay dissolves"),
        pytest.param({"video": [clip(0), clip(1, dissolve_in=31)]}, "dissolve is longer", id="dissolve too long"),
        pytest.param(
            {"video": [clip(0), clip(1, dissolve_in=5, fade_in=5)]}, "dissolve and a fade", id="dissolve and fade"
        ),
        pytest.param(
            {"video": [clip(0, source_in=15360 * 19, source_out=15360 * 20), clip(1, dissolve_in=5)]},
            "ends before the dissolve",
            id="no handles",
        ),
        pytest.param(said(*SAID[:3]), "not those of its lines", id="a word missing"),
        pytest.param(said(*SAID, ("more", 30, 40)), "not those of its lines", id="a word too many"),
        pytest.param(said(SAID[1], SAID[0], *SAID[2:]), "not those of its lines", id="words in another order"),
        pytest.param(said(*SAID[:3], ("two.", 30, 41)), "outside the caption's time", id="word after its caption"),
        pytest.param(said(*SAID[:3], ("two.", 30, 30)), "empty", id="word of no length"),
        pytest.param(said(*SAID[:2], ("you", 19, 30), SAID[3]), "overlap", id="words at once"),
        pytest.param({"video": [clip(0, grade={"warmth": 101}), clip(1)]}, "100", id="too warm"),
        pytest.param({"captions": [{"start": 0, "end": 30, "lines": ["hi"]}]}, "caption style", id="style missing"),
        pytest.param(standing_on(10), "outside the caption area", id="caption above its area"),
        pytest.param(standing_on(1001), "outside the caption area", id="caption below its area"),
        pytest.param({"canvas": {"width": 1921, "height": 1080}}, "odd side", id="odd canvas"),
        pytest.param({"rate": "0"}, "greater than 0", id="no rate"),
        pytest.param({"surprise": 1}, "not permitted", id="unknown field"),
    ],
)
def test_nonsense_is_refused_by_name(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        EDL.model_validate(edit(**changes))
