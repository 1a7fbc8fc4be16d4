"""What durability costs and whether it holds: latency, throughput, fairness, stopping, a soak under random kills."""

import asyncio

from benchmarks import jobs_fairness, jobs_latency, jobs_soak, jobs_stopping
from benchmarks.frame import Figures
from benchmarks.jobs_stack import running_stack

NAME = "jobs"


def run() -> Figures:
    """Measure on one stack, the soak last: it is not kind to what it runs on."""
    return asyncio.run(_measure())


async def _measure() -> Figures:
    fairness = await jobs_fairness.measure()
    async with running_stack() as stack:
        latency = await jobs_latency.measure(stack)
        stopping = await jobs_stopping.measure(stack)
        soak = await jobs_soak.measure(stack)
    return {**fairness, **latency, **stopping, **soak}
