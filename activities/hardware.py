"""What of this machine's graphics processor works, found out by a child before any work comes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog

from activities.sandbox import ChildTask, SandboxLimits, run_in_child
from render import GAVE_OUT
from schemas.errors import CinemaError, ErrorCode
from schemas.hardware import NO_HARDWARE, Hardware
from schemas.model import Model
from schemas.rendering import RenderResult

#: The first use of a GPU after a start loads and compiles for its driver.
PROBE_TIME = timedelta(seconds=60)

log = structlog.get_logger(__name__)


class TryHardware(Model):
    """Nothing to choose."""


TRY_HARDWARE = ChildTask("activities.hardware_child", TryHardware)


#: What a child ends with that a driver has crashed, hung or left without memory.
_LOST_WITH_DEVICE = frozenset({ErrorCode.PROCESS_CRASHED, ErrorCode.OUT_OF_MEMORY, ErrorCode.ENCODER_FAILED})

RenderOn = Callable[[Hardware, Path], Awaitable[RenderResult]]


async def on_accelerator_or_cpu(render_on: RenderOn, hardware: Hardware, folder: Path) -> RenderResult:
    """Render in ``folder``; should a child that uses the graphics processor be lost over it, once more without.

    Failures that the render itself notices it makes good by itself.
    """
    try:
        return await render_on(hardware, folder)
    except CinemaError as error:
        if hardware.is_none or error.code not in _LOST_WITH_DEVICE:
            raise
        log.warning("rendering again without the graphics processor", error=error.message)
    again = folder / "on-cpu"
    again.mkdir()
    result = await render_on(NO_HARDWARE, again)
    notes = (GAVE_OUT, *result.report.notes)
    return result.model_copy(update={"report": result.report.model_copy(update={"notes": notes})})


async def found_hardware(limits: SandboxLimits, task: ChildTask[TryHardware] = TRY_HARDWARE) -> Hardware:
    """What has worked; nothing, with a line in the log, where even trying goes wrong."""
    try:
        hardware = await run_in_child(
            task,
            TryHardware(),
            Hardware,
            limits=limits,
            time_limit=PROBE_TIME,
            on_progress=_nobody_watches,
        )
    except CinemaError as error:
        log.warning("the graphics processor could not be tried; the CPU does its work", error=error.message)
        return NO_HARDWARE
    log.info("tried the graphics processor", encoders=hardware.encoders, decoders=hardware.decoders)
    return hardware


async def _nobody_watches(_: float) -> None:
    """It takes a moment."""
