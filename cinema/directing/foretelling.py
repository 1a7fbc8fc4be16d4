"""What a job over this footage will take, as far as is known before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from activities.estimating import Capacity, Source, Speeds, estimate
from analysis import applicable
from cinema.settings import Settings
from schemas.edl import Variant
from schemas.estimate import JobEstimate
from schemas.media import AssetKind, MediaProbe
from stores import Ledger, Pool
from stores.workload import unfinished_outputs

#: Finished pieces of work of each kind that speeds are taken from, the latest ones.
MOST_MEASURED = 200


@dataclass(frozen=True)
class Deployment:
    """How fast this installation is, and how much it has to do."""

    speeds: Speeds
    capacity: Capacity


def unmeasured(settings: Settings) -> Deployment:
    """An installation of which only the settings are known."""
    return Deployment(Speeds(()), _capacity(settings))


async def look_around(settings: Settings, pool: Pool) -> Deployment:
    """What the ledger and the open jobs say now."""
    measured = await Ledger(pool).measured(MOST_MEASURED)
    waiting = await unfinished_outputs(pool)
    return Deployment(Speeds(measured), _capacity(settings, waiting))


def foretell(
    footage: Sequence[tuple[AssetKind, MediaProbe]], variants: Sequence[Variant], deployment: Deployment
) -> JobEstimate:
    """The estimate for a job that makes ``variants`` of ``footage``."""
    talked = any(kind is AssetKind.A_ROLL and probe.dialogue is not None for kind, probe in footage)
    sources = [_source(kind, probe, talked=talked) for kind, probe in footage]
    return estimate(sources, variants, deployment.speeds, deployment.capacity)


def _source(kind: AssetKind, probe: MediaProbe, *, talked: bool) -> Source:
    aligned = ("alignment",) if talked and kind is AssetKind.AUDIO and probe.dialogue is not None else ()
    return Source(kind, probe.duration_us, applicable(probe, kind) + aligned)


def _capacity(settings: Settings, waiting: dict[Variant, int] | None = None) -> Capacity:
    return Capacity(settings.analysis_slots, settings.render_slots, waiting or {})
