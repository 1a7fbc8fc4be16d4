"""Which activities a worker hosts for which task queue."""

from collections.abc import Callable, Sequence
from typing import Any

from activities.analysing import AnalysisActivities
from activities.context import ActivityContext
from activities.declarations import TaskQueue
from activities.jobs import JobActivities
from activities.planning import PlanningActivities
from activities.rendering import RenderActivities


def activities_for(queue: TaskQueue, context: ActivityContext) -> Sequence[Callable[..., Any]]:
    """The implementations of every activity declared for ``queue``."""
    match queue:
        case TaskQueue.JOBS:
            jobs, planning = JobActivities(context), PlanningActivities(context)
            return (
                jobs.load_job,
                jobs.enter_stage,
                jobs.refuse_asset,
                jobs.fail_output,
                jobs.settle_job,
                planning.plan_output,
            )
        case TaskQueue.ANALYSIS:
            analysis = AnalysisActivities(context)
            return (analysis.probe_asset, analysis.analyse_asset)
        case TaskQueue.RENDER:
            return (RenderActivities(context).render_output,)
