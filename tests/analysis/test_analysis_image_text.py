"""Pictures and texts in one space: what an installed model says of them, and what becomes of a broken one."""

from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from analysis import run_analyzers, settle_parameters, watching
from analysis.image_embeddings import ImageEmbeddingAnalysis
from analysis.image_text import CLIP, CLIP_FILES, DECLARATION, FOLDER, ImageEncoder, TextEncoder, find_image_text
from analysis.parts import Parts
from analysis.probe import probe
from analysis.speech_embeddings import MOST_WORDS, PAUSE_US, passages_of
from analysis.watching import watch
from schemas.analysing import AnalysisRequest, embeddable
from schemas.errors import CinemaError, ErrorCode
from schemas.facts import EmbeddedFrame, ImageEmbeddings, SpeechEmbeddings, Transcript, Word
from schemas.media import AssetKind
from schemas.progress import ignore_progress
from tests.analysis.analysis_media import MakeClip, noise, scene
from tests.analysis.image_text_models import cosine, declare, install, plain, save

pytestmark = pytest.mark.media

RED, GREEN, BLUE = plain(220, 10, 10), plain(10, 220, 10), plain(10, 10, 220)


def words(text: str, *, at: float = 0.0) -> tuple[Word, ...]:
    return tuple(
        Word(start_us=round((at + 0.4 * n) * 1e6), end_us=round((at + 0.4 * n + 0.3) * 1e6), text=one, probability=0.9)
        for n, one in enumerate(text.split())
    )


def asked(path: Path, analyzer: str, models: Path, **parameters: str) -> AnalysisRequest:
    settled = settle_parameters(analyzer, parameters, models)
    kind = AssetKind.A_ROLL if analyzer == "speech_embeddings" else AssetKind.B_ROLL
    return AnalysisRequest(analyzer=analyzer, path=path, kind=kind, parameters=settled)


def shown(path: Path, models: Path) -> ImageEmbeddings:
    (found,) = run_analyzers([asked(path, "image_embeddings", models)], ignore_progress, models)
    assert isinstance(found, ImageEmbeddings)
    return found


def said(transcript: Transcript, models: Path) -> SpeechEmbeddings:
    request = asked(models, "speech_embeddings", models).model_copy(update={"transcript": transcript})
    (found,) = run_analyzers([request], ignore_progress, models)
    assert isinstance(found, SpeechEmbeddings)
    return found


def test_a_picture_looks_like_the_words_for_it(tmp_path: Path) -> None:
    model = install(tmp_path)
    pictures, texts = ImageEncoder(model, tmp_path), TextEncoder(model, tmp_path)
    red = pictures.encode(RED[..., ::-1])
    assert len(red) == pictures.dimensions == 3
    assert cosine(red, texts.encode("Look at the red door.")) > 0.95
    assert cosine(red, texts.encode("Look at the blue door.")) < 0.2


def test_only_the_middle_of_a_wide_picture_is_seen(tmp_path: Path) -> None:
    model = install(tmp_path)
    wide = np.concatenate([BLUE[:, :45], RED[:, :90], BLUE[:, :45]], axis=1)
    assert ImageEncoder(model, tmp_path).encode(wide[..., ::-1]) == ImageEncoder(model, tmp_path).encode(RED[..., ::-1])


def test_a_text_is_cut_to_what_the_model_takes_and_closed(tmp_path: Path) -> None:
    """Of 16 tokens the first and last say that it begins and ends; without the last this network says nothing."""
    texts = TextEncoder(install(tmp_path), tmp_path)
    assert texts.encode("red " * 14) == texts.encode("red " * 14 + "blue " * 100) != texts.encode("red blue")


def test_every_scene_is_seen_once_it_has_settled_and_long_ones_again(make_clip: MakeClip, tmp_path: Path) -> None:
    install(tmp_path)
    frames = [RED] * 50 + [scene(1)] * 50 + [plain(10, 10, 120 + number // 2) for number in range(200)]
    found = shown(make_clip(frames=frames), tmp_path)
    assert found.space is not None
    assert found.space.related == 0.6
    assert [frame.at_us / 1e6 for frame in found.frames] == pytest.approx([0.4, 2.4, 4.4, 8.0], abs=0.12)
    texts = TextEncoder(install(tmp_path), tmp_path)
    red, blue = texts.encode("red"), texts.encode("blue")
    assert cosine(found.frames[0].vector, red) > 0.95
    assert all(cosine(frame.vector, blue) > 0.95 for frame in found.frames[2:])


def test_what_stands_still_is_seen_once(make_clip: MakeClip, tmp_path: Path) -> None:
    install(tmp_path)
    typed = [RED.copy() for _ in range(250)]
    for picture in typed[100:]:
        picture[40:44, 40:50] = 255
    slides = make_clip(frames=typed + [GREEN] * 150)
    assert [frame.at_us / 1e6 for frame in shown(slides, tmp_path).frames] == pytest.approx([0.4, 10.4], abs=0.12)


def test_sampling_goes_on_from_any_stretch(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "STRETCH_US", 8_000_000)
    monkeypatch.setattr(watching, "BESIDES_US", 5_000_000)
    model = install(tmp_path)
    pictures = [np.roll(scene(number // 90), number, axis=1) for number in range(1000)]
    path = make_clip(frames=pictures, encoder={"preset": "ultrafast", "x264-params": "keyint=40"})

    def seen(found: Sequence[str]) -> tuple[str, list[str]]:
        kept: list[str] = []
        parts = Parts(found, lambda _, content: kept.append(content))
        analysis = ImageEmbeddingAnalysis(model, ImageEncoder(model, tmp_path), parts)
        (answer,) = watch(path, probe(path), [analysis])
        return answer.model_dump_json(), kept

    whole, parts = seen(())
    assert len(parts) == 4
    assert len(ImageEmbeddings.model_validate_json(whole).frames) > 15
    for done in range(1, 5):
        assert seen(parts[:done]) == (whole, parts[done:])


def test_two_hours_of_pictures_are_no_burden() -> None:
    frame = EmbeddedFrame(at_us=7_199_000_000, vector=bytes(range(256)) * 2)
    embedded = ImageEmbeddings(space=CLIP.space, frames=(frame,) * (7200 // 4))
    assert len(embedded.model_dump_json()) < 1_500_000
    assert ImageEmbeddings.model_validate_json(embedded.model_dump_json()) == embedded


def test_a_talk_is_embedded_sentence_by_sentence(tmp_path: Path) -> None:
    install(tmp_path)
    spoken = words("The door here is red. It is blue in there.")
    found = said(Transcript(model="test", language="en", words=spoken), tmp_path)
    assert [(one.start_us, one.end_us) for one in found.passages] == [(0, 1_900_000), (2_000_000, 3_900_000)]
    texts = TextEncoder(install(tmp_path), tmp_path)
    assert [one.vector for one in found.passages] == [
        texts.encode("The door here is red."),
        texts.encode("It is blue in there."),
    ]


def test_a_language_that_the_model_does_not_know_is_left_alone(tmp_path: Path) -> None:
    install(tmp_path)
    found = said(Transcript(model="test", language="de", words=words("Die Tür hier ist rot.")), tmp_path)
    assert found.space is None
    assert found.passages == ()
    assert found.note is not None
    assert "does not know the language de" in found.note


def test_words_are_heard_and_read_in_one_call(make_clip: MakeClip, tmp_path: Path) -> None:
    install(tmp_path)
    path = make_clip("talk.wav", sound=noise(1.0, -30, channels=2))
    requests = [
        AnalysisRequest(analyzer="transcript", path=path, kind=AssetKind.A_ROLL, parameters={"model": "none"}),
        asked(path, "speech_embeddings", tmp_path),
    ]
    told: list[float] = []
    transcript, embeddings = run_analyzers(requests, told.append, tmp_path)
    assert isinstance(transcript, Transcript)
    assert isinstance(embeddings, SpeechEmbeddings)
    assert told == sorted(told)


_WORDS = st.lists(st.tuples(st.sampled_from(["so", "a", "boat.", "left,", "Why?"]), st.integers(0, 3_000_000)))


@given(_WORDS)
def test_every_word_is_in_one_passage(drawn: list[tuple[str, int]]) -> None:
    spoken, at = [], 0
    for text, gap in drawn:
        spoken.append(Word(start_us=at + gap, end_us=at + gap + 200_000, text=text, probability=1.0))
        at = spoken[-1].end_us
    passages = list(passages_of(spoken))
    assert list(chain.from_iterable(passages)) == spoken
    for passage in passages:
        assert 1 <= len(passage) <= MOST_WORDS
        assert all(after.start_us - before.end_us < PAUSE_US for before, after in pairwise(passage))


def test_without_a_model_nothing_is_asked_and_nothing_is_said(make_clip: MakeClip, tmp_path: Path) -> None:
    assert find_image_text(tmp_path) is None
    assert settle_parameters("image_embeddings", {}, tmp_path) == {"encoder": "none"}
    found = shown(make_clip(frames=[RED] * 20), tmp_path)
    assert (found.space, found.frames) == (None, ())
    assert said(Transcript(model="test", language="en", words=words("It is red here.")), tmp_path).space is None


def test_what_is_matched_is_said_in_a_roll_and_shown_in_the_others(make_clip: MakeClip) -> None:
    film = probe(make_clip("film.mov", frames=[RED] * 5, sound=noise(0.2, -30, channels=2)))
    mute = probe(make_clip("mute.mp4", frames=[RED] * 5))
    assert embeddable(film, AssetKind.A_ROLL) == ("speech_embeddings",)
    assert embeddable(mute, AssetKind.A_ROLL) == ()
    assert embeddable(mute, AssetKind.B_ROLL) == embeddable(film, AssetKind.SCREEN) == ("image_embeddings",)
    assert embeddable(film, AssetKind.AUDIO) == ()


def test_another_model_makes_other_artifacts(tmp_path: Path) -> None:
    first = install(tmp_path)
    settled = settle_parameters("image_embeddings", {}, tmp_path)
    assert settled == {"encoder": first.identity}
    second = install(tmp_path, name="colours-2")
    assert settle_parameters("image_embeddings", {}, tmp_path) == {"encoder": second.identity}
    with pytest.raises(CinemaError, match="not installed any more") as raised:
        run_analyzers([asked(tmp_path, "speech_embeddings", tmp_path, encoder=first.identity)], print, tmp_path)
    assert raised.value.info.retryable


def test_the_public_model_is_known_by_its_content() -> None:
    assert [(file.name, file.sha256) for file in CLIP.files] == [(file.name, file.sha256) for file in CLIP_FILES]
    assert all(file.url.startswith("https://") and file.url.endswith(file.name) for file in CLIP_FILES)
    assert CLIP.space.unrelated < CLIP.space.related


def _spoilt(models: Path, name: str, content: bytes) -> None:
    (models / FOLDER / name).write_bytes(content)


def _removed(models: Path) -> None:
    (models / FOLDER / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(_removed, "tokenizer.json is missing", id="missing"),
        pytest.param(
            lambda models: _spoilt(models, "vision_model_quantized.onnx", b"\0" * 99),
            "vision_model_quantized.onnx is not the file that model.json declares",
            id="another content",
        ),
        pytest.param(lambda models: _spoilt(models, DECLARATION, b"{}"), "declares no model: name", id="no model"),
        pytest.param(lambda models: _spoilt(models, DECLARATION, b"\xff"), "declares no model: its text", id="no text"),
        pytest.param(
            lambda models: _spoilt(models, DECLARATION, b'{"tokenizer": {"name": "../../passwd", "sha256": ""}}'),
            "declares no model",
            id="a file outside",
        ),
    ],
)
def test_what_is_not_as_declared_is_refused_before_it_is_loaded(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    install(tmp_path)
    spoil(tmp_path)
    with pytest.raises(CinemaError, match="cannot be used") as raised:
        settle_parameters("image_embeddings", {}, tmp_path)
    assert raised.value.code is ErrorCode.MODEL_UNAVAILABLE
    assert says in raised.value.message
    assert "Install it again, or remove its folder." in raised.value.message


def _network(path: Path, kind: str, *, takes: str = "pixel_values", makes: str = "image_embeds", side: int = 8) -> None:
    given = helper.make_tensor_value_info(takes, TensorProto.FLOAT, [1, 3, side, side])
    made = helper.make_tensor_value_info(makes, TensorProto.FLOAT, [1, "n"] if kind == "Flatten" else [1, 3, "h", "w"])
    save(path, helper.make_graph([helper.make_node(kind, [takes], [makes])], "other", [given], [made]))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda path: path.write_bytes(b"no network"), "no network that can be run here", id="rubbish"),
        pytest.param(
            lambda path: _network(path, "Flatten", makes="last_hidden_state"),
            "should make image_embeds of pixel_values",
            id="another output",
        ),
        pytest.param(
            lambda path: _network(path, "Flatten", takes="image"), "it makes image_embeds of image", id="another input"
        ),
        pytest.param(lambda path: _network(path, "Relu"), "image_embeds is no vector", id="no vector"),
        pytest.param(
            lambda path: _network(path, "Flatten", side=16), "does not take what it is given", id="another size"
        ),
    ],
)
def test_a_network_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    install(tmp_path)
    make(tmp_path / FOLDER / "vision_model_quantized.onnx")
    model = declare(tmp_path)
    with pytest.raises(CinemaError, match=says) as raised:
        ImageEncoder(model, tmp_path)
    assert raised.value.code is ErrorCode.MODEL_UNAVAILABLE


def test_vectors_without_a_direction_are_refused(tmp_path: Path) -> None:
    model = install(tmp_path)
    with pytest.raises(CinemaError, match="without a direction"):
        ImageEncoder(model, tmp_path).encode(plain(0, 0, 0))


def test_a_tokenizer_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / FOLDER / "tokenizer.json").write_text("{}")
    with pytest.raises(CinemaError, match=r"tokenizer\.json is no tokenizer"):
        TextEncoder(declare(tmp_path), tmp_path)
