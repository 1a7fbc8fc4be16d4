import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities.scratch import LOCK_GRACE, sweep, working_folder

pytestmark = pytest.mark.unit


def test_a_folder_goes_with_its_block_even_when_that_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), working_folder(tmp_path, "render") as folder:
        (folder / "half.mp4").write_bytes(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_sweeping_takes_what_a_killed_worker_left_and_nothing_in_use(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal\n"
        "from activities.scratch import working_folder\n"
        f"with working_folder(pathlib.Path({str(tmp_path)!r}), 'lost') as folder:\n"
        "    (folder / 'half.mp4').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    with working_folder(tmp_path, "live") as live:
        swept = sweep(tmp_path)
        assert [folder.name.split("-")[0] for folder in swept] == ["lost"]
        assert list(tmp_path.iterdir()) == [live]


def test_a_folder_whose_worker_died_before_it_could_lock_it_goes_after_a_while(tmp_path: Path) -> None:
    orphan = tmp_path / "orphan"
    orphan.mkdir()
    assert sweep(tmp_path) == ()
    long_ago = orphan.stat().st_mtime - 2 * LOCK_GRACE
    os.utime(orphan, (long_ago, long_ago))
    assert sweep(tmp_path) == (orphan,)


def test_sweeping_a_folder_that_was_never_made_is_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path / "never") == ()
