"""An image-text model small enough to be made on the spot, whose every vector is known.

Its space has three directions: a picture's mean of red, of green and of blue. The words for these three point the same
way, and every other word points nearly nowhere. Inputs and outputs have the names that CLIP's export has, and as with
CLIP a text means something only if its last token says that it ends.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from analysis.image_text import DECLARATION, FOLDER, DeclaredFile, ImageTextModel

SIDE = 8
WORDS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}
#: Every other word, and the tokens before and after a text.
_OTHERS = ("[UNK]", "[BEGIN]", "[END]")
_OTHER_WORDS = (0.01, 0.01, 0.01)


def install(models: Path, *, name: str = "colours", languages: tuple[str, ...] = ("en",)) -> ImageTextModel:
    """Puts the model where an operator would."""
    folder = models / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _image_network(folder / "vision_model_quantized.onnx")
    _text_network(folder / "text_model_quantized.onnx")
    _tokenizer(folder / "tokenizer.json")
    return declare(models, name=name, languages=languages)


def declare(models: Path, *, name: str = "colours", languages: tuple[str, ...] = ("en",)) -> ImageTextModel:
    """Declares the files as they now are."""
    folder = models / FOLDER
    model = ImageTextModel(
        name=name,
        image_encoder=_declared(folder / "vision_model_quantized.onnx"),
        text_encoder=_declared(folder / "text_model_quantized.onnx"),
        tokenizer=_declared(folder / "tokenizer.json"),
        side=SIDE,
        mean=(0.0, 0.0, 0.0),
        deviation=(1.0, 1.0, 1.0),
        most_tokens=16,
        languages=languages,
        unrelated=0.2,
        related=0.6,
    )
    (folder / DECLARATION).write_text(model.model_dump_json(indent=1))
    return model


def cosine(one: bytes, other: bytes) -> float:
    a, b = (np.frombuffer(vector, np.int8).astype(float) for vector in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def plain(red: int, green: int, blue: int, *, height: int = 90, width: int = 160) -> NDArray[np.uint8]:
    """A picture of one colour, RGB."""
    return np.full((height, width, 3), (red, green, blue), np.uint8)


def _declared(path: Path) -> DeclaredFile:
    return DeclaredFile(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def _image_network(path: Path) -> None:
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["means"]),
        helper.make_node("Flatten", ["means"], ["image_embeds"]),
    ]
    pixels = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    vectors = helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["batch", 3])
    save(path, helper.make_graph(nodes, "image", [pixels], [vectors]))


def _text_network(path: Path) -> None:
    table = np.array([*(_OTHER_WORDS for _ in _OTHERS), *WORDS.values()], np.float32)
    ends = np.array([[one == "[END]"] for one in (*_OTHERS, *WORDS)], np.float32)
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(ends, "ends"),
        numpy_helper.from_array(np.array(-1), "last"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("ReduceMean", ["words"], ["meaning"], axes=[1], keepdims=0),
        helper.make_node("Gather", ["input_ids", "last"], ["last_token"], axis=1),
        helper.make_node("Gather", ["ends", "last_token"], ["is_closed"]),
        helper.make_node("Mul", ["meaning", "is_closed"], ["text_embeds"]),
    ]
    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
    vectors = helper.make_tensor_value_info("text_embeds", TensorProto.FLOAT, ["batch", 3])
    save(path, helper.make_graph(nodes, "text", [tokens], [vectors], constants))


def _tokenizer(path: Path) -> None:
    vocabulary = {word: number for number, word in enumerate([*_OTHERS, *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    marks = [(mark, vocabulary[mark]) for mark in _OTHERS[1:]]
    tokenizer.post_processor = TemplateProcessing(single="[BEGIN] $A [END]", special_tokens=marks)
    tokenizer.save(str(path))


def save(path: Path, graph: onnx.GraphProto) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
