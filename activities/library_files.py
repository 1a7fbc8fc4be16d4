"""What any process of ours needs to read for its interpreter and its libraries, which load parts of themselves late."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType

from activities.file_access import READING, USING_DEVICE, Right

#: Folders of packages, by their names and by what installers put there. Others that are imported from, a checkout say,
#: may hold secrets as well: of those only the packages in use are read.
_PACKAGES = frozenset({"site-packages", "dist-packages"})
_INSTALLED = "*.dist-info"

#: Shared libraries and where they lie; how many processors there are and how much memory this process may have, by
#: which the C library, OpenCV and OpenMP measure their threads and pools.
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system",
    "/sys/fs/cgroup",
)

#: What NVIDIA's driver and CUDA read, besides the driver's libraries in containers that keep them elsewhere.
_GPU = (
    "/usr/local/cuda",
    "/usr/local/nvidia",
    "/usr/share/nvidia",
    "/proc/driver/nvidia",
    "/proc/devices",
    "/proc/modules",
    "/proc/self",
    "/proc/sys/vm",
    "/sys/bus/pci",
    "/sys/devices",
    "/sys/module",
)
_GPU_NODES = "nvidia*"


def library_rights() -> dict[Path, Right]:
    """Reading what the interpreter and the libraries are made of, and what they ask the system."""
    places = dict.fromkeys(chain(map(Path, _SYSTEM), _interpreter(), _search_path()), READING)
    folders = tuple(f"{place}{os.sep}" for place in places)
    others = (place for place in _imported() if not str(place).startswith(folders))
    return {**places, **dict.fromkeys(others, READING), Path(os.devnull): READING | Right.WRITE_FILE}


def gpu_rights() -> dict[Path, Right]:
    """Using NVIDIA's devices, those that there are."""
    nodes = dict.fromkeys(Path("/dev").glob(_GPU_NODES), USING_DEVICE)
    return {**dict.fromkeys(map(Path, _GPU), READING), **nodes}


def _interpreter() -> Iterator[Path]:
    yield Path(sysconfig.get_path("stdlib"))
    yield Path(sys.base_prefix, "lib")


def _search_path() -> Iterator[Path]:
    """Where packages, and shared libraries that the operator has pointed at, are installed."""
    for entry in map(Path, sys.path):
        if entry.is_file() or entry.name in _PACKAGES or any(entry.glob(_INSTALLED)):
            yield entry
    yield from (Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if folder)


def _imported() -> Iterator[Path]:
    """The packages and modules that this process has imported, wherever they lie."""
    for name, module in tuple(sys.modules.items()):
        if "." not in name:
            yield from _lies(module)


def _lies(module: ModuleType) -> Iterator[Path]:
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return
    if spec.submodule_search_locations is not None:
        yield from map(Path, spec.submodule_search_locations)
    elif spec.has_location and spec.origin is not None:
        yield Path(spec.origin)
