"""The disk for working files is full: the attempt fails for what it is, and goes through when there is room again.

On a real, small file system (tmpfs), which only root can mount. The object store's full disk is among its other faults.
"""

import os
import subprocess
from collections.abc import Iterator

import pytest

from schemas.edl import Variant
from schemas.errors import ErrorCode
from tests.faults.stack_under_fault import StackUnderFault, until
from tests.faults.verdict import judge

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

TOO_SMALL, LARGE_ENOUGH = "size=64k", "size=256m"


def mount(*arguments: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", *arguments], check=True, capture_output=True)


@pytest.fixture
def small_disk(stack: StackUnderFault) -> Iterator[str]:
    """A scratch folder on a disk too small for any render."""
    folder = str(stack.scratch)
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    try:
        mount("-o", TOO_SMALL, "tmpfs", folder)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"a file system cannot be mounted here: {error.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_scratch_disk_full(stack: StackUnderFault, small_disk: str) -> None:
    job = await stack.order(Variant.VERTICAL_REEL)
    await until(lambda: stack.said("worker-render", ErrorCode.DISK_FULL), "an attempt fails for want of room")
    mount("-o", f"remount,{LARGE_ENOUGH}", "tmpfs", small_disk)
    await judge(stack, job, repeated=("render vertical_reel",), attempts=4)
