"""What every test may ask for."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.databases import server_dsn, template
from tests.exploring import EXPLORED

#: Here alone, so that all folders share them: a fixture that is imported elsewhere is another one.
__all__ = ["server_dsn", "template"]

# How long an example takes says how busy the machine is, and nothing of the code. The examples are the same each time,
# so that a change is judged by what it changes; ``make explore`` looks at new ones, and at more of them.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=EXPLORED == 1,
    max_examples=100 * EXPLORED,
)
settings.load_profile("any machine")

REPOSITORY = Path(__file__).parent.parent

#: The Temporal command that its wheel puts beside Python.
TEMPORAL = Path(sys.executable).parent / "temporal"

#: Below this folder: what runs whole stacks. Two at once would be in each other's way, so one worker runs them all.
STACKS = ("system", "faults", "cinema/test_cinema_stack.py")


class ByModule(LoadScopeScheduling):
    """Hands out whole modules, and everything that runs stacks as one."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0].removeprefix("tests/")
        return "stacks" if module.startswith(STACKS) else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run side by side, those of a module stay together: they share what is costly to set up."""
    return ByModule(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest work first, so that no worker ends long after the others; and the same order in each of them.

    Within a module that is the order of its lines; cases may come from a set, which each process orders as it likes.
    """
    items.sort(key=lambda item: (not _module(item).startswith(STACKS), _module(item), item.location[1], item.nodeid))


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of labelled footage; it is not part of the project, so tests that need it are skipped without it."""
    folder = Path(os.environ.get("CINEMA_TEST_MEDIA", REPOSITORY.parent / "shared" / "media"))
    if not folder.is_dir():
        pytest.skip("no labelled footage here (set CINEMA_TEST_MEDIA)")
    return folder


def _module(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).as_posix()
