"""A worker process for one task queue: ``python -m cinema.worker --queue cinema-render``."""

import argparse
import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.accelerators import GpuPolicy
from activities.confinement import tell_confinement
from activities.context import ActivityContext
from activities.declarations import TaskQueue
from activities.hardware import found_hardware
from activities.matching import can_match
from activities.registry import activities_for
from activities.sandbox import SandboxLimits
from activities.scratch import sweep
from activities.speech import SpeechProcesses, speech_places
from cinema.connections import connected_temporal, database, objects
from cinema.exits import leaving
from cinema.hosting import slots, worker_for
from cinema.judge import judge
from cinema.readiness import say_ready
from cinema.retention_schedule import keep_retention_schedule
from cinema.sandboxing import sandbox_limits
from cinema.settings import Settings, load_settings
from cinema.stopping import stop_on_signals
from cinema.telemetry.endpoint import watched
from cinema.telemetry.metrics import PoolMetrics, register
from cinema.telemetry.probes import Probes
from cinema.telemetry.process import observe_service
from cinema.temporal_setup import require_search_attributes
from cinema.webhook_sending import webhook_sending
from schemas.errors import TransientError
from schemas.rendering import EncoderSettings, SegmentLengths
from schemas.speech import WhisperChoice
from stores import ObjectStore, Pool
from stores.health import objects_answer, postgres_answers
from workflows.contract import JOBS_QUEUE

#: Whose workers look at pictures.
ANALYSIS_QUEUES = frozenset({TaskQueue.ANALYSIS, TaskQueue.ANALYSIS_GPU})

#: Time between two looks for what killed writers left in the object store.
TIDY_INTERVAL = timedelta(minutes=10)

log = structlog.get_logger("cinema.worker")


async def serve_queue(queue: TaskQueue, settings: Settings) -> None:
    """Work on ``queue`` until a signal asks to stop, then let running work finish as long as the settings allow."""
    stop = stop_on_signals()
    tell_confinement()
    for folder in sweep(settings.scratch_folder):
        log.info("removed what a killed worker left", folder=str(folder))
    if queue in ANALYSIS_QUEUES:
        # A damaged model is told of before any footage comes.
        await asyncio.to_thread(can_match, settings.models)
    client = await connected_temporal(settings)
    if queue is JOBS_QUEUE:
        await require_search_attributes(client)
    async with database(settings, held=slots(queue, settings)) as pool:
        context = await _with_hardware(activity_context(settings, pool, queue), queue)
        tidying = asyncio.create_task(_tidy(context.objects))
        worker = worker_for(queue, client, activities_for(queue, context), settings)
        register(PoolMetrics(pool))
        probes = Probes(
            alive=lambda: worker.is_running,
            needs={
                "postgres": postgres_answers(pool),
                "temporal": client.service_client.check_health,
                "objects": objects_answer(context.objects),
            },
            stopping=stop,
        )
        if queue is JOBS_QUEUE:
            await _schedule_sweeps(client, settings)
        async with watched(settings, probes), worker:
            log.info("working", queue=queue)
            say_ready()
            await stop.wait()
            log.info("draining", queue=queue)
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)
        await context.speech.aclose()
        await context.objects.aclose()


async def _schedule_sweeps(client: Client, settings: Settings) -> None:
    """Sweeps are no reason for jobs to wait: where it fails, the next worker to start does it."""
    try:
        await keep_retention_schedule(client, settings)
    except (RPCError, TimeoutError) as error:
        log.warning("the schedule of retention sweeps could not be set", error=str(error) or "no change in time")


async def _tidy(store: ObjectStore) -> None:
    """Now and again remove the half-written objects of workers that were killed."""
    while True:
        try:
            removed = await store.sweep_temporary()
        except TransientError as error:
            log.warning("the object store could not be tidied", error=error.message)
        else:
            if removed:
                log.info("removed what killed writers left", files=removed)
        await asyncio.sleep(TIDY_INTERVAL.total_seconds())


def activity_context(settings: Settings, pool: Pool, queue: TaskQueue = TaskQueue.JOBS) -> ActivityContext:
    """What the activities of this process work with."""
    settings.scratch_folder.mkdir(parents=True, exist_ok=True)
    return ActivityContext(
        database=pool,
        objects=objects(settings),
        models=settings.models,
        scratch=settings.scratch_folder,
        webhooks=webhook_sending(settings),
        encoder=EncoderSettings(
            crf=settings.encoder_crf,
            preset=settings.encoder_preset,
            threads=settings.encoder_threads,
            audio_bitrate=settings.encoder_audio_bitrate,
        ),
        segments=SegmentLengths(usual_s=settings.segment_seconds),
        limits=_sandbox_limits(settings, queue),
        gpu=GpuPolicy(work=settings.gpu_work, patience_s=settings.gpu_patience_seconds),
        whisper=WhisperChoice(
            name=settings.whisper_model,
            beam_size=settings.whisper_beam_size,
            device=settings.whisper_device,
            arithmetic=settings.whisper_arithmetic,
        ),
        speech=SpeechProcesses(_sandbox_limits(settings, queue), speech_places(slots(queue, settings))),
        judge=judge(settings),
    )


async def _with_hardware(context: ActivityContext, queue: TaskQueue) -> ActivityContext:
    """What renders on a graphics processor tries it first."""
    if queue is not TaskQueue.RENDER_GPU:
        return context
    return replace(context, hardware=await found_hardware(context.limits))


def _sandbox_limits(settings: Settings, queue: TaskQueue) -> SandboxLimits:
    limits = sandbox_limits(settings)
    return limits.model_copy(update={"address_space_bytes": None}) if queue.needs_gpu else limits


def main() -> None:
    parser = argparse.ArgumentParser(description="Work on one of Cinema AI's task queues until told to stop.")
    parser.add_argument("--queue", type=TaskQueue, choices=list(TaskQueue), required=True)
    queue: TaskQueue = parser.parse_args().queue
    with leaving():
        settings = load_settings()
        observe_service(settings, service=f"worker-{queue.name.lower().replace('_', '-')}")
        asyncio.run(serve_queue(queue, settings))


if __name__ == "__main__":
    main()
