"""What hostile media could still do in a child that it has taken over: reach nothing but what it was given."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from activities import confinement
from activities.file_access import landlock_abi
from activities.made_files import require_made_in
from activities.sandbox import ChildTask, SandboxLimits, run_in_child
from activities.system_calls import can_refuse
from schemas.errors import ErrorCode, TransientError
from tests.activities.prying_child import Medium, Pried, Pry, pictures_of
from tests.conftest import REPOSITORY

PRY = ChildTask("tests.activities.prying_child", Pry)
PICTURES = 12
#: As no demuxer of ours is ever opened: everything that a reference may lead to is let through.
WIDE_OPEN = {
    "protocol_whitelist": "file,concat,subfile,crypto,data,pipe,fd",
    "allowed_extensions": "ALL",
    "extension_picky": "0",
    "safe": "0",
}

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not (landlock_abi() and can_refuse()), reason="needs a Linux with Landlock and seccomp"),
]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A creator's own footage, in the store."""
    return footage(tmp_path / "objects" / "assets" / "creator" / "talk.mp4")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Another creator's footage beside it."""
    return footage(tmp_path / "objects" / "assets" / "other" / "secret.ts")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the child works."""
    (tmp_path / "scratch" / "work").mkdir(parents=True)
    return tmp_path / "scratch" / "work"


def footage(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for _ in range(PICTURES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((54, 64), np.uint8), format="yuv420p")))
        container.mux(stream.encode(None))
    return path


async def pry(asked: Pry) -> Pried:
    return await run_in_child(
        PRY, asked, Pried, limits=SandboxLimits(), time_limit=timedelta(minutes=5), on_progress=_nobody_watches
    )


async def _nobody_watches(_: float) -> None:
    """It takes a moment."""


async def test_a_child_reads_what_it_was_given_and_nothing_else(
    given: Path, secret: Path, folder: Path, tmp_path: Path
) -> None:
    settings = tmp_path / ".env"
    settings.write_text("CINEMA_SIGNING_KEY=secret\n")
    neighbour = folder.parent / "neighbour"
    neighbour.mkdir()
    (neighbour / "output.mp4").write_bytes(b"another job's")
    others = (secret, settings, neighbour / "output.mp4", REPOSITORY / "pyproject.toml", Path("/etc/passwd"))
    assert all(path.open("rb").close() is None for path in others), "this user may read them"
    pried = await pry(Pry(given=given, folder=folder, others=others))
    assert pried.read == (str(given),), "nothing of the others', and nothing of the parent's /proc"


async def test_a_child_changes_nothing_outside_its_folder(given: Path, secret: Path, folder: Path) -> None:
    before = secret.read_bytes(), _state(secret), _state(given)
    pried = await pry(Pry(given=given, folder=folder, others=(secret,)))
    assert pried.changed == ("write inside", "move inside", "remove inside")
    assert (secret.read_bytes(), _state(secret), _state(given)) == before
    assert list(folder.iterdir()) == []


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_mode, found.st_uid, found.st_gid, found.st_size, found.st_mtime_ns


async def test_media_that_refers_to_other_files_shows_nothing_of_them_even_without_our_allow_lists(
    given: Path, secret: Path, folder: Path
) -> None:
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    script = f"ffconcat version 1.0\nfile 'file:{secret}'\n"
    shown = []
    for content, demuxer in ((playlist, "hls"), (script, "concat")):
        given.write_text(content)
        medium = Medium(path=str(given), demuxer=demuxer, options=WIDE_OPEN)
        assert pictures_of(medium) == PICTURES, "where it may, it leads there"
        shown += (await pry(Pry(given=given, folder=folder, others=(secret,), media=(medium,)))).pictures
    assert shown == [0, 0]


async def test_addresses_that_lead_to_other_files_show_nothing_of_them(given: Path, secret: Path, folder: Path) -> None:
    media = tuple(
        Medium(path=address, options=WIDE_OPEN)
        for address in (f"file:{secret}", f"concat:{secret}", f"subfile,,start,0,end,0,,:{secret}")
    )
    assert [pictures_of(medium) for medium in media] == [PICTURES] * 3
    own = Medium(path=str(given))
    pried = await pry(Pry(given=given, folder=folder, others=(secret,), media=(*media, own)))
    assert pried.pictures == (0, 0, 0, PICTURES), "its own is decoded as ever"


async def test_a_container_with_other_files_in_it_is_decoded_and_leaves_none_of_them(
    given: Path, secret: Path, folder: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "packed.mkv"
    with av.open(str(given)) as source, av.open(str(packed), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        container.add_attachment(str(secret), "application/octet-stream", b"#!/bin/sh\n")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    pried = await pry(Pry(given=packed, folder=folder, others=(secret,), media=(Medium(path=str(packed)),)))
    assert pried.pictures == (PICTURES,)
    assert list(folder.iterdir()) == []


def test_by_itself_it_keeps_from_files_ports_abstract_sockets_and_signals_and_needs_no_privilege(
    tmp_path: Path,
) -> None:
    done = confined(
        "if os.geteuid() == 0:\n    os.setgroups([])\n    os.setgid(65534)\n    os.setuid(65534)\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "abstract = socket.socket(socket.AF_UNIX)\nabstract.bind('\\0cinema-%d' % os.getpid())\nabstract.listen()\n"
        "child = os.fork()\n"
        "if child:\n    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "prctl(38, 1, 0, 0, 0)\n"
        "keep_to({})\n"
        "refused('/etc/passwd', lambda: open('/etc/passwd'))\n"
        "refused('port', lambda: socket.socket().connect(listener.getsockname()), abi=4)\n"
        "refused('abstract', lambda: socket.socket(socket.AF_UNIX).connect(abstract.getsockname()), abi=6)\n"
        "refused('signal', lambda: os.kill(os.getppid(), 0), abi=6)\n",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["/etc/passwd", "port", "abstract", "signal"]


def test_a_process_that_runs_threads_already_is_not_taken_for_confined(tmp_path: Path) -> None:
    done = confined(
        "threading.Thread(target=lambda: os.read(os.pipe()[0], 1), daemon=True).start()\nkeep_to({})\n", tmp_path
    )
    assert done.returncode != 0
    assert "2 threads run in it" in done.stderr


def test_where_there_is_no_landlock_work_goes_on_and_whoever_starts_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = confined(
        "from dataclasses import replace\nimport platform\nfrom activities import system_calls\n"
        "machine = system_calls._MACHINES[platform.machine()]\n"
        "without = replace(machine, refused=(*machine.refused, 444))\n"
        "system_calls._MACHINES[platform.machine()] = without\n"
        "system_calls.refuse_dangerous_calls()\n"
        "keep_to({})\nprint(landlock_abi(), len(open('/etc/passwd').read()) > 0)\n",
        tmp_path,
    )
    assert done.stdout.split() == ["0", "True"], done.stderr
    monkeypatch.setattr(confinement, "log", structlog.get_logger())
    monkeypatch.setattr(confinement, "landlock_abi", lambda: 0)
    with capture_logs() as logs:
        confinement.tell_confinement()
    (said,) = logs
    assert said["log_level"] == "warning"
    assert "can read every file of this user" in said["event"]


def confined(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program that takes files from itself; ``refused`` prints what is refused as it should be."""
    beginning = (
        "import ctypes, os, socket, sys, threading\n"
        "from activities.file_access import keep_to, landlock_abi\n"
        "prctl = ctypes.CDLL(None).prctl\n"
        "def refused(name, attempt, abi=1):\n"
        "    try:\n        attempt()\n"
        "    except PermissionError:\n        print(name)\n"
        "    else:\n        print(name if landlock_abi() < abi else 'not ' + name)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", beginning + program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_rules_may_name_what_is_not_there(tmp_path: Path) -> None:
    done = confined("from pathlib import Path\nprctl(38, 1, 0, 0, 0)\nkeep_to({Path('/nowhere'): 12})\n", tmp_path)
    assert done.returncode == 0, done.stderr


def test_models_that_are_linked_from_elsewhere_can_be_read_and_what_lies_beside_them_not(tmp_path: Path) -> None:
    large, models = tmp_path / "large disk", tmp_path / "models"
    (large / "small").mkdir(parents=True)
    (large / "small" / "model.bin").write_bytes(b"weights")
    (large / "secret").write_bytes(b"secret")
    models.mkdir()
    (models / "small").symlink_to(large / "small")
    done = confined(
        "from pathlib import Path\n"
        "from activities.file_needs import FileNeeds, model_files\n"
        "prctl(38, 1, 0, 0, 0)\n"
        "keep_to(FileNeeds(model_files(Path('models'))).rights())\n"
        "print(open('models/small/model.bin').read())\n"
        "refused('secret', lambda: open('large disk/secret'))\n",
        tmp_path,
    )
    assert done.stdout.split() == ["weights", "secret"], done.stderr


def test_installed_packages_are_imported_late_and_a_checkout_gives_no_more_than_what_is_in_use(tmp_path: Path) -> None:
    installed, checkout = tmp_path / "installed", tmp_path / "checkout"
    (installed / "late-1.0.dist-info").mkdir(parents=True)
    (installed / "late.py").write_text("LOADED = 'late'\n")
    (checkout / "used").mkdir(parents=True)
    (checkout / "used" / "__init__.py").touch()
    (checkout / "used" / "part.py").write_text("LOADED = 'part'\n")
    (checkout / ".env").write_text("CINEMA_SIGNING_KEY=secret")
    done = confined(
        f"sys.path += [{str(installed)!r}, {str(checkout)!r}]\n"
        "import used\n"
        "from activities.file_needs import FileNeeds\n"
        "prctl(38, 1, 0, 0, 0)\n"
        "keep_to(FileNeeds().rights())\n"
        "import late, used.part\n"
        "print(late.LOADED, used.part.LOADED)\n"
        f"refused('.env', lambda: open({str(checkout / '.env')!r}))\n",
        tmp_path,
    )
    assert done.stdout.split() == ["late", "part", ".env"], done.stderr


def test_a_file_that_a_child_has_not_made_is_not_taken_for_its_work(folder: Path, secret: Path) -> None:
    made = folder / "output.mp4"
    made.write_bytes(b"made")
    require_made_in(folder, [made])
    (folder / "link").symlink_to(secret)
    (folder / "name").hardlink_to(secret)
    for claimed in (secret, folder / "link", folder / "name", folder / "nothing", folder / ".." / "work", folder):
        with pytest.raises(TransientError) as caught:
            require_made_in(folder, [made, claimed])
        assert caught.value.code is ErrorCode.PROCESS_CRASHED
