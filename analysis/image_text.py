"""Pictures and texts as vectors in one space, by a model such as CLIP, where an operator has installed one.

A model is the folder ``image-text`` among the models: two ONNX networks and a tokenizer, as they are published, and
``model.json``, which declares what they are and their checksums. Without that file there is no model; where a file is
not what was declared nothing is done with it.

The names of inputs and outputs are those of Optimum's export of CLIP, which Transformers.js reads as well:
``pixel_values`` to ``image_embeds``; ``input_ids``, and ``attention_mask`` where the network has it, to
``text_embeds``.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import cv2
import numpy as np
import onnxruntime
from annotated_types import Ge, Le, Len
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as refusals
from pydantic import Field, ValidationError
from tokenizers import Tokenizer

from analysis.models import PinnedFile, checksum_of, find_pinned
from analysis.planes import Picture
from schemas.errors import CinemaError, ErrorCode, TransientError
from schemas.facts import Embedded, EmbeddingSpace, SignedUnit
from schemas.model import Model

FOLDER: Final = "image-text"
DECLARATION: Final = "model.json"
#: Numbers in a vector; models in use have 384 to 1152.
MOST_DIMENSIONS: Final = 4096
#: Whole numbers from minus this to this stand for the numbers of a vector: its direction is kept to a fifth of a
#: degree, in an eighth of the room.
_STEPS: Final = 127
_IMAGE_INPUT, _IMAGE_OUTPUT = "pixel_values", "image_embeds"
_TEXT_INPUTS, _TEXT_OUTPUT = ("input_ids", "attention_mask"), "text_embeds"
#: What the runtime says of a network that it cannot load or run; its exceptions have no base of their own.
_REFUSED: Final = (
    refusals.EPFail,
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NoModel,
    refusals.NoSuchFile,
    refusals.NotImplemented,
    refusals.RuntimeException,
)

Values = NDArray[np.float64]
Colours = tuple[float, float, float]


class DeclaredFile(Model):
    """A file of the model's folder, known by its content."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ImageTextModel(Model):
    """What an installed model is, and how it wants its pictures and texts.

    Attributes:
        name: what people call it.
        image_encoder: network from pictures to vectors.
        text_encoder: network from tokens to vectors.
        tokenizer: of the library ``tokenizers``, as JSON.
        side: pixels of a picture's side; the middle square of the picture is scaled to it.
        mean: of red, green and blue, 0 to 1, subtracted.
        deviation: of the same, divided by.
        most_tokens: a longer text is cut.
        languages: that it knows (ISO 639); none for all.
        unrelated: cosine, about, of a picture and a text that have nothing to do with each other.
        related: cosine from which on a picture is taken to show what a text says.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")]
    image_encoder: DeclaredFile
    text_encoder: DeclaredFile
    tokenizer: DeclaredFile
    side: Annotated[int, Ge(8), Le(1024)]
    mean: Colours
    deviation: tuple[Annotated[float, Ge(0.001)], Annotated[float, Ge(0.001)], Annotated[float, Ge(0.001)]]
    most_tokens: Annotated[int, Ge(3), Le(1024)]
    languages: Annotated[tuple[str, ...], Len(0, 200)] = ()
    unrelated: SignedUnit
    related: SignedUnit

    @property
    def files(self) -> tuple[DeclaredFile, ...]:
        return self.image_encoder, self.text_encoder, self.tokenizer

    @property
    def identity(self) -> str:
        """Its name, and a digest of everything that its vectors depend on."""
        return f"{self.name}-{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]}"

    @property
    def space(self) -> EmbeddingSpace:
        return EmbeddingSpace(model=self.identity, unrelated=self.unrelated, related=self.related)


_PUBLISHED_AT: Final = (
    "https://huggingface.co/Xenova/clip-vit-base-patch32/resolve/d15189d7028b43f1d3e65039190477f6af591c2a"
)
#: CLIP ViT-B/32 (Radford et al. 2021, MIT), its networks in eight bits, as exported for Transformers.js: 156 MB.
CLIP_FILES: Final = (
    PinnedFile(
        "vision_model_quantized.onnx",
        "583fd1110a514667812fee7d684952aaf82a99b959760c8d7dca7e0ab9839299",
        f"{_PUBLISHED_AT}/onnx/vision_model_quantized.onnx",
    ),
    PinnedFile(
        "text_model_quantized.onnx",
        "73baab855d406190da9faa498cfedf65f15cf309f4cc7385b7b032e6d08e5c3a",
        f"{_PUBLISHED_AT}/onnx/text_model_quantized.onnx",
    ),
    PinnedFile(
        "tokenizer.json",
        "f7f3b7af117d467b58374797691a6438d3e6b9e9cef800dfd5dced7f697a90cd",
        f"{_PUBLISHED_AT}/tokenizer.json",
    ),
)
#: Side, mean and deviation as in its ``preprocessor_config.json``; 77 tokens as trained. ``related``: the makers of
#: LAION-400M looked at pictures and texts by this model's cosine and found 0.28 "okay in many cases"; LAION-5B was
#: filtered by it (Schuhmann et al. 2022). ``unrelated``: a word for something else stays about 0.2 (CLIP's issue 405).
CLIP: Final = ImageTextModel(
    name="clip-vit-base-patch32",
    image_encoder=DeclaredFile(name=CLIP_FILES[0].name, sha256=CLIP_FILES[0].sha256),
    text_encoder=DeclaredFile(name=CLIP_FILES[1].name, sha256=CLIP_FILES[1].sha256),
    tokenizer=DeclaredFile(name=CLIP_FILES[2].name, sha256=CLIP_FILES[2].sha256),
    side=224,
    mean=(0.48145466, 0.4578275, 0.40821073),
    deviation=(0.26862954, 0.26130258, 0.27577711),
    most_tokens=77,
    languages=("en",),
    unrelated=0.2,
    related=0.28,
)


def find_image_text(models: Path) -> ImageTextModel | None:
    """The model that is installed; ``None`` where none is. Loads nothing of it.

    Raises:
        CinemaError: ``model_unavailable`` where what is installed is not what was declared.
    """
    folder = models / FOLDER
    declaration = folder / DECLARATION
    if not declaration.is_file():
        return None
    try:
        model = ImageTextModel.model_validate_json(declaration.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its text"
        raise _unusable(f"{DECLARATION} declares no model: {where}: {first['msg']}") from error
    for file in model.files:
        if not (folder / file.name).is_file():
            raise _unusable(f"{file.name} is missing")
        if checksum_of(folder / file.name) != file.sha256:
            raise _unusable(f"{file.name} is not the file that {DECLARATION} declares")
    return model


def install_clip(models: Path) -> ImageTextModel:
    """Puts CLIP where a model is looked for, its declaration last; what lies there already is not fetched again.

    Raises:
        CinemaError: ``model_unavailable`` where a file cannot be fetched, or another model is installed.
    """
    folder = models / FOLDER
    declaration = folder / DECLARATION
    if declaration.is_file() and declaration.read_text("utf-8", "replace") != _declared(CLIP):
        raise CinemaError(ErrorCode.MODEL_UNAVAILABLE, f"{declaration} declares another model; remove it first.")
    missing = [file.url for file in CLIP_FILES if find_pinned(file, folder) is None]
    if missing:
        message = f"Could not be fetched: {', '.join(missing)}. Put what lies there into {folder}, and run this again."
        raise CinemaError(ErrorCode.MODEL_UNAVAILABLE, message)
    partial = folder / f".{DECLARATION}.{os.getpid()}"
    partial.write_text(_declared(CLIP), "utf-8")
    partial.replace(declaration)
    return CLIP


def _declared(model: ImageTextModel) -> str:
    return model.model_dump_json(indent=1) + "\n"


def settled_model(wanted: str | None, models: Path) -> str:
    """The identity of the model that will be used: what was wanted, or what is installed; ``none`` for none."""
    if wanted is not None:
        return wanted
    model = find_image_text(models)
    return "none" if model is None else model.identity


def wanted_model(wanted: str | None, models: Path) -> ImageTextModel | None:
    """The installed model, which must be the wanted one, or ``None`` where none is wanted or none is installed.

    Raises:
        TransientError: another one was installed meanwhile; asked again, the answer is kept as that one's.
    """
    model = None if wanted == "none" else find_image_text(models)
    if wanted not in {None, "none"} and (model is None or model.identity != wanted):
        raise TransientError(ErrorCode.MODEL_UNAVAILABLE, f"The image-text model {wanted} is not installed any more.")
    return model


def _unusable(reason: str) -> CinemaError:
    message = f"The installed image-text model cannot be used: {reason}. Install it again, or remove its folder."
    return CinemaError(ErrorCode.MODEL_UNAVAILABLE, message)


class ImageEncoder:
    """Makes a vector of a picture."""

    def __init__(self, model: ImageTextModel, models: Path) -> None:
        self._model = model
        self._session = _load(models / FOLDER, model.image_encoder, (_IMAGE_INPUT,), _IMAGE_OUTPUT)
        self.dimensions = len(self._run(np.zeros((model.side, model.side, 3), np.uint8)))

    def encode(self, picture: Picture) -> Embedded:
        """Of an upright BGR picture (rows, columns, 3)."""
        return _packed(self._run(picture))

    def _run(self, picture: Picture) -> Values:
        pixels = _middle_square(picture, self._model.side)[..., ::-1] / 255
        normalised = (pixels - np.array(self._model.mean)) / np.array(self._model.deviation)
        batch = np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], np.float32)
        return _vector(self._session, {_IMAGE_INPUT: batch}, _IMAGE_OUTPUT)


class TextEncoder:
    """Makes a vector of a text."""

    def __init__(self, model: ImageTextModel, models: Path) -> None:
        self._tokenizer = _load_tokenizer(models / FOLDER, model)
        self._session = _load(models / FOLDER, model.text_encoder, _TEXT_INPUTS, _TEXT_OUTPUT)

    def encode(self, text: str) -> Embedded:
        """What the text has too many tokens of is left out."""
        tokens = self._tokenizer.encode(text)
        given = dict(zip(_TEXT_INPUTS, (tokens.ids, tokens.attention_mask), strict=True))
        inputs = {one.name: np.array([given[one.name]], np.int64) for one in self._session.get_inputs()}
        return _packed(_vector(self._session, inputs, _TEXT_OUTPUT))


def _load_tokenizer(folder: Path, model: ImageTextModel) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(folder / model.tokenizer.name))
    except Exception as error:  # the library raises nothing more particular
        raise _unusable(f"{model.tokenizer.name} is no tokenizer ({error})") from error
    tokenizer.enable_truncation(model.most_tokens)
    return tokenizer


def _load(folder: Path, file: DeclaredFile, inputs: Sequence[str], output: str) -> onnxruntime.InferenceSession:
    """A network that takes some of these inputs, the first among them, and has this output."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # A waiting thread would burn a core that decoding can use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(folder / file.name), options, providers=["CPUExecutionProvider"])
    except _REFUSED as error:
        raise _unusable(f"{file.name} is no network that can be run here ({error})") from error
    taken, given = [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]
    if inputs[0] not in taken or not set(taken) <= set(inputs) or output not in given:
        names = f"it makes {', '.join(given)} of {', '.join(taken)}, and should make {output} of {inputs[0]}"
        raise _unusable(f"{file.name} is another kind of network: {names}")
    return session


def _vector(session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[np.generic]], output: str) -> Values:
    try:
        (answer,) = session.run([output], dict(inputs))
    except _REFUSED as error:
        raise _unusable(f"it does not take what it is given ({error})") from error
    vector = np.asarray(answer, np.float64)
    if vector.ndim != 2 or len(vector) != 1 or not 0 < vector.size <= MOST_DIMENSIONS:
        raise _unusable(f"{output} is no vector, but of shape {vector.shape}")
    return vector.ravel()


def _packed(vector: Values) -> Embedded:
    longest = float(np.abs(vector).max())
    if not 0 < longest < np.inf:
        raise _unusable("it makes vectors without a direction")
    return np.rint(vector / longest * _STEPS).astype(np.int8).tobytes()


def _middle_square(picture: Picture, side: int) -> Picture:
    """The middle of a picture, as large as its shorter side, at another size."""
    rows, columns = picture.shape[:2]
    shorter = min(rows, columns)
    top, left = (rows - shorter) // 2, (columns - shorter) // 2
    square = picture[top : top + shorter, left : left + shorter]
    interpolation = cv2.INTER_AREA if shorter > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (side, side), interpolation=interpolation), np.uint8)
