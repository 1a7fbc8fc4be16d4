"""Creators with real rows and real objects, and time that passes as fast as a test likes."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from temporalio.testing import ActivityEnvironment

from activities.analysis_parts import AnalysisParts
from activities.artifacts import part_ref
from activities.deletion import DeletionActivities
from activities.output_keys import OutputKeys
from activities.removing import Remover
from activities.retention import RetentionActivities
from activities.retention_declarations import BeginDeletion, FinishDeletion, ProjectRef, SweepBatch, SweptBatch
from schemas.analysing import ArtifactRef, version_of
from schemas.edl import Variant
from schemas.jobs import Asset, Job, JobRequest, Output, Project
from schemas.media import AssetKind
from schemas.retention import DeletionRecord, RetentionPolicy, SweepCounts
from schemas.segments import SegmentReport
from schemas.storyboard import Storyboard, StoryboardGrid
from stores import (
    Analyses,
    Assets,
    Bucket,
    IncomingObject,
    Jobs,
    LocalObjects,
    Outputs,
    Pool,
    Projects,
    Removals,
    Retention,
    Segments,
)
from tests.stores.samples import delivered

#: Days that the plan of every creator here keeps things.
KEPT_DAYS = 30

GRID = StoryboardGrid(count=1, columns=1, width=160, height=90, step_ms=1000, duration_ms=900)

POLICY = RetentionPolicy(notice=timedelta(days=7), grace=timedelta(days=14), batch_size=3)


def days(count: float) -> datetime:
    """So many days from now."""
    return datetime.now(UTC) + timedelta(days=count)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class KeptThings:
    """Makes what a creator leaves behind, the way the product makes it."""

    def __init__(self, pool: Pool, objects: LocalObjects) -> None:
        self.pool = pool
        self.objects = objects
        self.assets = Assets(pool)
        self.jobs = Jobs(pool)
        self.outputs = Outputs(pool)
        self.analyses = Analyses(pool)
        self.retention = Retention(pool)
        self.removals = Removals(pool)
        self.remover = Remover(objects, self.removals)

    async def creator(self, kept_days: int | None = KEPT_DAYS) -> UUID:
        plan = f"kept_{kept_days or 'for_good'}"
        await self.pool.execute(
            "insert into plans (id, name, retention_days) values ($1, $1, $2) on conflict do nothing", plan, kept_days
        )
        owner = uuid4()
        await self.pool.execute("insert into profiles (id, plan_id) values ($1, $2)", owner, plan)
        return owner

    async def project(self, owner: UUID) -> Project:
        return await Projects(self.pool).create(owner, "Kitchen talk")

    async def asset(self, project: Project, content: bytes) -> Asset:
        """As the importer stores it: by owner and content, once."""
        digest = sha256(content)
        key = f"{project.owner_id}/{digest}"
        async with self.assets.storing(IncomingObject(project.owner_id, project.id, key, digest)):
            if await self.objects.stat(Bucket.ASSETS, key) is None:
                await self.objects.put(Bucket.ASSETS, key, once(content))
            return await self.assets.add(
                owner_id=project.owner_id,
                project_id=project.id,
                name="talk.mp4",
                kind=AssetKind.A_ROLL,
                object_key=key,
                size_bytes=len(content),
                sha256=digest,
                position=0,
            )

    async def analysis(self, content: bytes, analyzer: str = "shots") -> ArtifactRef:
        """As a worker makes it, unless it is there."""
        key = sha256(content + analyzer.encode())
        ref = ArtifactRef(analyzer=analyzer, key=key, object_key=f"{key[:2]}/{key}.json")
        version = version_of(analyzer)
        async with self.analyses.making(key):
            if await self.analyses.find(key) is None:
                await self.analyses.announce(ref, asset_sha256=sha256(content), analyzer_version=version)
                await self.objects.put(Bucket.ANALYSIS, ref.object_key, once(b"{}"))
                await self.analyses.record(ref, asset_sha256=sha256(content), analyzer_version=version)
        return ref

    async def part(self, content: bytes, whole: ArtifactRef, number: int) -> ArtifactRef:
        """As a worker keeps what is finished of a long analysis."""
        await AnalysisParts(self.pool, self.objects).keep(sha256(content), whole, number, "{}")
        return part_ref(whole, number)

    async def segment(self, project: Project, content: bytes) -> str:
        """As a worker makes a part of a long output; where it lies."""
        segments, key = Segments(self.pool), sha256(content)
        place = f"{project.owner_id}/{project.id}/segments/{key}.mp4"
        async with segments.making(project.owner_id, key) as had:
            assert had
            await segments.announce(project.owner_id, project.id, key, place)
            await self.objects.put(Bucket.OUTPUTS, place, once(content))
            await segments.record(project.id, key, size_bytes=len(content), sha256=key, report=SegmentReport())
        return place

    async def job(self, project: Project, variant: Variant = Variant.HOOK_CUT) -> Job:
        return await self.jobs.create(project.owner_id, project.id, JobRequest(variants=(variant,)))

    async def made(self, project: Project) -> Output:
        """The one completed output of a settled job."""
        job = await self.job(project)
        await self.finish(job)
        return await self.outputs.get(job.outputs[0].id)

    async def finish(self, job: Job) -> None:
        """Everything of the job is rendered and published."""
        for output in job.outputs:
            keys = OutputKeys(job.owner_id, job.project_id, job.id, output.id)
            await self.outputs.plan(output.id, keys.edl)
            attempt = await self.outputs.begin_attempt(output.id)
            for key in (keys.video, keys.edl, keys.otio, keys.srt, keys.vtt):
                await self.objects.put(Bucket.OUTPUTS, key, once(key.encode()))
            await self.objects.put(Bucket.THUMBS, keys.thumbnail, once(b"thumbnail"))
            await self.objects.put(Bucket.THUMBS, keys.storyboard, once(b"storyboard"))
            files = delivered(keys.edl).model_copy(
                update={
                    "video_key": keys.video,
                    "otio_key": keys.otio,
                    "srt_key": keys.srt,
                    "vtt_key": keys.vtt,
                    "thumbnail_key": keys.thumbnail,
                    "storyboard": Storyboard(image_key=keys.storyboard, grid=GRID),
                }
            )
            await self.outputs.complete(output.id, attempt, files)
        await self.jobs.settle(job.id)

    async def delete(self, project: Project) -> DeletionRecord:
        """The project with all that is its alone, step by step, as its workflow does it."""
        run, deletion = ActivityEnvironment().run, DeletionActivities(self.pool, self.objects)
        asked = ProjectRef(project_id=project.id)
        await run(deletion.begin_deletion, BeginDeletion(project_id=project.id, requested_by=str(project.owner_id)))
        await run(deletion.take_inventory, asked)
        removed = await run(deletion.remove_project_objects, asked)
        finish = FinishDeletion(project_id=project.id, keys_checked=removed.keys_checked)
        record: DeletionRecord = await run(deletion.finish_deletion, finish)
        return record

    async def stored(self, bucket: Bucket, prefix: str = "") -> set[str]:
        return {item.key async for item in self.objects.list_sizes(bucket, prefix)}

    async def state(self, table: str, row_id: UUID) -> str:
        """``live``, ``announced``, ``expiring`` or ``expired``."""
        row = await self.pool.fetchrow(f"select * from {table} where id = $1", row_id)
        steps = {"expired": "expired_at", "expiring": "expiring_since", "announced": "expires_at"}
        return next((step for step, column in steps.items() if row[column] is not None), "live")

    async def sweep(self, as_of: datetime, policy: RetentionPolicy = POLICY) -> SweepCounts:
        """A whole sweep, batch by batch, as its workflow does it."""
        counts, activities = SweepCounts(), RetentionActivities(self.pool, self.objects)
        for step in (
            activities.announce_expiry,
            activities.expire_outputs,
            activities.expire_assets,
            activities.remove_unused_analyses,
            activities.remove_unused_segments,
        ):
            batch = SweptBatch(counts=SweepCounts(), more=True)
            while batch.more:
                asked = SweepBatch(policy=policy, as_of=as_of, after=batch.after)
                batch = await ActivityEnvironment().run(step, asked)
                counts = counts.plus(batch.counts)
        return counts

    async def expire(self, at: float) -> SweepCounts:
        """The sweep that tells, and the one after the time it told."""
        await self.sweep(days(at))
        return await self.sweep(days(at) + POLICY.notice)

    async def check(self) -> None:
        """No row that is live names an object that is missing, and nothing that a job needs has begun to expire."""
        live = await self.pool.fetch("""
            select 'assets/' || object_key as name from assets where expiring_since is null
            union select unnest(cinema.output_objects(files, edl_key)) from job_outputs
            where expiring_since is null and status = 'completed'
            union select 'analysis/' || object_key from analyses where usable
            union select 'outputs/' || object_key from segments where usable
        """)
        for row in live:
            bucket, _, key = row["name"].partition("/")
            assert await self.objects.stat(Bucket(bucket), key) is not None, f"{row['name']} is missing"
        assert not await self.pool.fetch("""
            select from assets join jobs using (project_id)
            where not cinema.job_settled(jobs.status) and assets.expiring_since > jobs.updated_at
        """)
