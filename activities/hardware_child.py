"""The sandboxed child that tries the graphics processor: a driver that crashes or hangs takes nothing else with it."""

from pydantic import BaseModel

from activities.child import serve
from activities.file_needs import FileNeeds
from activities.hardware import TryHardware
from render.hardware import probe_hardware
from schemas.progress import ProgressCallback


def try_hardware(_asked: TryHardware, _progress: ProgressCallback) -> BaseModel:
    return probe_hardware()


if __name__ == "__main__":
    serve(try_hardware, TryHardware, lambda _: FileNeeds(gpu=True))
