"""Figures are kept, shown and refused; costs are told."""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.frame import BenchmarkError, Figures, IncompleteError, run_groups, write_figures
from benchmarks.groups import GROUPS
from benchmarks.timing import Cost, cost_of, interleaved, median_ratio

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Subject:
    NAME: str
    figures: Figures | None = None

    def run(self) -> Figures:
        if self.figures is None:
            raise BenchmarkError("There is no footage.")
        return self.figures


def test_figures_are_kept_as_a_flat_sorted_object_and_shown(tmp_path: Path) -> None:
    console = Console(record=True, width=80)
    assert run_groups([Subject("speed", {"speed.wall": 1.23456789, "speed.cpu": 2})], console, tmp_path) == 0
    text = (tmp_path / "speed.json").read_text()
    assert list(json.loads(text)) == ["speed.cpu", "speed.wall"]
    assert json.loads(text) == {"speed.wall": 1.234568, "speed.cpu": 2.0}
    assert "speed.wall" in console.export_text()


def test_a_group_that_cannot_measure_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    console = Console(record=True, width=80)
    assert run_groups([Subject("lame"), Subject("well", {"well.x": 1.0})], console, tmp_path) == 1
    assert "lame: There is no footage." in console.export_text()
    assert [path.name for path in tmp_path.iterdir()] == ["well.json"]


def test_what_a_group_measured_before_it_failed_is_kept(tmp_path: Path) -> None:
    class Half:
        NAME = "half"

        def run(self) -> Figures:
            raise IncompleteError("The network is down.", {"half.x": 1.0})

    console = Console(record=True, width=80)
    assert run_groups([Half()], console, tmp_path) == 1
    assert "half: The network is down." in console.export_text()
    assert json.loads((tmp_path / "half.json").read_text()) == {"half.x": 1.0}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_not_kept(value: float, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="speed"):
        write_figures(tmp_path / "speed.json", {"speed": value})
    assert not list(tmp_path.iterdir())


def test_groups_go_by_their_names() -> None:
    assert all(name == group.NAME for name, group in GROUPS.items())
    assert {"job", "render"} <= set(GROUPS)


def test_the_cost_of_a_command_is_its_own() -> None:
    work = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    busy, idle = cost_of([sys.executable, "-c", work]), cost_of([sys.executable, "-c", "import time; time.sleep(0.2)"])
    assert busy.cpu_s >= 0.2
    assert idle.cpu_s < busy.cpu_s
    assert min(busy.wall_s, idle.wall_s) >= 0.2


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(BenchmarkError, match=r"status 3: no such footage"):
        cost_of([sys.executable, "-c", "import sys; print('no such footage'); sys.exit(3)"])


def test_two_commands_are_measured_by_turns() -> None:
    order: list[str] = []

    def cost(name: str, seconds: float) -> Cost:
        order.append(name)
        return Cost(wall_s=seconds, cpu_s=seconds)

    pairs = interleaved(lambda: cost("A", 3), lambda: cost("B", 2), 3)
    assert order == ["A", "B"] * 3
    assert median_ratio([(a.wall_s, b.wall_s) for a, b in pairs]) == 1.5
