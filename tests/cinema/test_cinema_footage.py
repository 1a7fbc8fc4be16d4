"""What the command line names: files, kinds, titles."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinema.directing.footage import BadFootage, parse_footage
from cinema.directing.order import DirectOptions, understand
from schemas.jobs import Pace
from schemas.media import AssetKind
from stores.output_files import file_stem

pytestmark = pytest.mark.unit


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "take 2: final.mp4"
    path.write_bytes(b"x")
    return path


def test_a_kind_after_the_last_colon_is_taken(clip: Path) -> None:
    footage = parse_footage(f"{clip}:b_roll")
    assert (footage.path, footage.kind) == (clip, AssetKind.B_ROLL)


def test_a_colon_in_the_name_is_not_a_kind(clip: Path) -> None:
    footage = parse_footage(str(clip))
    assert (footage.path, footage.kind) == (clip, None)


@pytest.mark.parametrize("kind", list(AssetKind))
def test_every_kind_is_known(clip: Path, kind: AssetKind) -> None:
    assert parse_footage(f"{clip}:{kind}").kind is kind


@pytest.mark.parametrize("argument", ["missing.mp4", "missing.mp4:b_roll", "clip.mp4:drone", "", ":audio", "a\0b"])
def test_what_is_no_file_is_refused_by_name(argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadFootage):
        parse_footage(argument)


def test_a_folder_is_no_footage(tmp_path: Path) -> None:
    with pytest.raises(BadFootage, match="is a folder"):
        parse_footage(str(tmp_path))


def test_a_pipe_is_no_footage(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFootage, match="a device or a pipe"):
        parse_footage(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("names", "in_order", "chosen"),
    [
        (["clip10.mp4", "clip2.mp4"], False, False),
        (["clip10.mp4", "clip2.mp4"], True, True),
        (["clip2.mp4", "clip10.mp4"], False, True),
        (["a.mp4", "B.mp4", "c.mp4"], False, False),
    ],
    ids=["as a shell lists them", "that very order", "another order", "whatever their case"],
)
def test_files_in_the_order_of_a_folder_are_in_nobodys_order(
    tmp_path: Path, names: list[str], in_order: bool, chosen: bool
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    options = DirectOptions(
        files=tuple(str(tmp_path / name) for name in names),
        outputs=None,
        out=tmp_path,
        pace=Pace.NATURAL,
        language=None,
        title=None,
        in_order=in_order,
    )
    assert understand(options).in_given_order is chosen


def test_a_name_in_no_encoding_is_still_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    path.write_bytes(b"x")
    assert parse_footage(str(path)).name == "caf\ufffd.mp4"


@given(st.text())
def test_any_title_becomes_a_plain_file_name(title: str) -> None:
    stem = file_stem(title)
    assert stem
    assert not set(stem) & set('/\\:*?"<>|\0\n\r\t ')
    assert not stem.startswith((".", "-"))
    assert len(os.fsencode(f"{stem}_cinematic_full.edl.json")) < 255


def test_letters_of_every_script_stay() -> None:
    assert file_stem("Été à Zürich — 東京 #3") == "Été_à_Zürich___東京__3"
