"""Which activities a worker hosts for which task queue."""

from collections.abc import Callable, Sequence
from typing import Any

from activities.accelerators import AcceleratorActivities
from activities.analysing import AnalysisActivities
from activities.context import ActivityContext
from activities.declarations import TaskQueue
from activities.deletion import DeletionActivities
from activities.job_deletion import JobDeletionActivities
from activities.jobs import JobActivities
from activities.opening import OpeningActivities
from activities.planning import PlanningActivities
from activities.queued_work import find_queued_work
from activities.rendering import RenderActivities
from activities.rendering_parts import PartActivities
from activities.retention import RetentionActivities
from activities.videos import VideoActivities
from activities.webhooks import WebhookActivities


def activities_for(queue: TaskQueue, context: ActivityContext) -> Sequence[Callable[..., Any]]:
    """The implementations of every activity declared for ``queue``."""
    match queue:
        case TaskQueue.JOBS:
            jobs, planning = JobActivities(context), PlanningActivities(context)
            webhooks = WebhookActivities(context.database, context.webhooks)
            return (
                OpeningActivities(context).open_job,
                jobs.load_job,
                jobs.enter_stage,
                jobs.refuse_asset,
                jobs.fail_output,
                jobs.cancel_outputs,
                jobs.approve_outputs,
                jobs.reopen_outputs,
                jobs.settle_job,
                planning.plan_output,
                PartActivities(context).begin_parts,
                webhooks.attempt_delivery,
                webhooks.abandon_delivery,
                AcceleratorActivities(context.gpu).find_accelerators,
                find_queued_work,
                VideoActivities(context).await_video,
                *_removal(context),
            )
        case TaskQueue.ANALYSIS:
            analysis = AnalysisActivities(context)
            return (analysis.probe_asset, analysis.analyse_asset, analysis.analyse_pass)
        case TaskQueue.ANALYSIS_GPU:
            analysis = AnalysisActivities(context)
            return (analysis.analyse_asset, analysis.analyse_pass)
        case TaskQueue.RENDER | TaskQueue.RENDER_GPU:
            parts = PartActivities(context)
            return (
                RenderActivities(context).render_output,
                parts.render_sound,
                parts.render_segment,
                parts.assemble_output,
            )


def _removal(context: ActivityContext) -> Sequence[Callable[..., Any]]:
    """Everything that lets go of what is kept no longer."""
    retention = RetentionActivities(context.database, context.objects)
    deletion = DeletionActivities(context.database, context.objects)
    jobs = JobDeletionActivities(context.database, context.objects)
    return (
        retention.announce_expiry,
        retention.expire_outputs,
        retention.expire_assets,
        retention.remove_unused_analyses,
        retention.remove_unused_segments,
        deletion.begin_deletion,
        deletion.find_unsettled_jobs,
        deletion.cancel_job_rows,
        deletion.take_inventory,
        deletion.remove_project_objects,
        deletion.finish_deletion,
        jobs.begin_job_deletion,
        jobs.remove_job_objects,
        jobs.finish_job_deletion,
    )
