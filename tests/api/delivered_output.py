"""A job with one completed output whose files are stored, and one that is still queued."""

import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import httpx

from activities.output_keys import OutputKeys
from schemas.jobs import Job, OutputFiles
from stores import Bucket, Jobs, Outputs
from tests.api.gateway import Gateway
from tests.stores.samples import delivered

CONTENT = {
    "video": b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 900,
    "thumbnail": b"\xff\xd8\xff jpeg",
    "srt": b"1\n00:00:00,000 --> 00:00:01,000\nHello\n",
    "vtt": b"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello\n",
    "edl": b"{}",
    "otio": b'{"OTIO_SCHEMA": "Timeline.1"}',
}


async def delivered_job(gateway: Gateway, creator: httpx.AsyncClient, project: str = "Kitchen talk") -> Job:
    project_id = (await creator.post("/projects", json={"name": project})).json()["id"]
    order = {"variants": ["hook_cut", "vertical_reel"]}
    job_id = UUID((await creator.post(f"/projects/{project_id}/jobs", json=order)).json()["id"])
    job = await Jobs(gateway.pool).get(job_id)
    output = job.outputs[0]
    keys = OutputKeys(job.owner_id, job.project_id, job.id, output.id)
    places = {name: getattr(keys, name) for name in CONTENT}
    for name, content in CONTENT.items():
        bucket = Bucket.THUMBS if name == "thumbnail" else Bucket.OUTPUTS
        await gateway.objects.put(bucket, places[name], _once(content))
    outputs = Outputs(gateway.pool)
    await outputs.plan(output.id, keys.edl)
    files = OutputFiles(
        render_key="0" * 64,
        video_bytes=len(CONTENT["video"]),
        video_sha256=hashlib.sha256(CONTENT["video"]).hexdigest(),
        report=delivered().report,
        **{f"{name}_key": key for name, key in places.items()},
    )
    await outputs.complete(output.id, await outputs.begin_attempt(output.id), files)
    return await Jobs(gateway.pool).get(job_id)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
