"""Plans as they are made: an edit that was brought is taken only whole, and only from its own project."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from activities.artifacts import object_key, read_object
from activities.context import ActivityContext
from activities.declarations import AnalysedAsset, AssetRef, OutputRef, PlanOutput
from activities.output_keys import edit_key
from activities.planning import PlanningActivities
from activities.uploads import upload_bytes
from activities.webhook_sending import WebhookSending
from director import PlanOptions, plan
from schemas.analysing import ArtifactRef
from schemas.edl import EDL, Variant
from schemas.errors import CinemaError, DeliveryRejected
from schemas.facts import AssetFacts
from schemas.invalid_input import InvalidInput
from schemas.jobs import BroughtPlan, JobRequest, Project
from stores import Bucket, Jobs, LocalObjects, Pool
from stores.sealing import Seal, new_key
from tests.director.test_director_review import recut, talk_of_two_lines

pytestmark = pytest.mark.postgres

REEL = Variant.VERTICAL_REEL


@pytest.fixture
def footage() -> AssetFacts:
    return talk_of_two_lines(ident=f"a_roll-{'a' * 16}")


@pytest.fixture
def edl(footage: AssetFacts) -> EDL:
    return plan([footage], REEL, PlanOptions())


@dataclass(frozen=True)
class Studio:
    """A project with footage that is analysed, and the activities that plan its outputs."""

    planning: PlanningActivities
    jobs: Jobs
    objects: LocalObjects
    project: Project
    footage: AnalysedAsset

    async def keep(self, content: bytes, *, project_id: UUID | None = None, name: str | None = None) -> str:
        """Store an edit as the API does, and say its SHA-256, or what it is said to have."""
        digest = name or hashlib.sha256(content).hexdigest()
        key = edit_key(self.project.owner_id, project_id or self.project.id, digest)
        await upload_bytes(self.objects, Bucket.OUTPUTS, key, content)
        return digest

    async def order(self, edl_sha256: str) -> PlanOutput:
        """To plan a new job's only output by this edit."""
        request = JobRequest(variants=(REEL,), plans=(BroughtPlan(variant=REEL, edl_sha256=edl_sha256),))
        job = await self.jobs.create(self.project.owner_id, self.project.id, request)
        return PlanOutput(
            job_id=job.id,
            owner_id=self.project.owner_id,
            project_id=self.project.id,
            project_name=self.project.name,
            output=OutputRef(output_id=job.outputs[0].id, variant=REEL, status=job.outputs[0].status),
            request=request,
            assets=(self.footage,),
        )


@pytest.fixture
async def studio(
    pool: Pool, local_objects: LocalObjects, project: Project, footage: AssetFacts, tmp_path: Path
) -> Studio:
    context = ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path,
        scratch=tmp_path,
        webhooks=WebhookSending(Seal([new_key()])),
    )
    refs = []
    for analyzer in ("probe", "transcript", "shots", "faces", "sound"):
        key = hashlib.sha256(analyzer.encode()).hexdigest()
        refs.append(ArtifactRef(analyzer=analyzer, key=key, object_key=object_key(key)))
        content = getattr(footage, analyzer).model_dump_json().encode()
        await upload_bytes(local_objects, Bucket.ANALYSIS, refs[-1].object_key, content)
    asset = AssetRef(asset_id=uuid4(), name=footage.name, kind=footage.kind, object_key="k", sha256=footage.sha256)
    analysed = AnalysedAsset(asset=asset, artifacts=tuple(refs))
    return Studio(PlanningActivities(context), Jobs(pool), local_objects, project, analysed)


async def test_the_edit_that_was_brought_becomes_the_plan(studio: Studio, edl: EDL) -> None:
    mine = recut(edl, (1.0, 3.1), (7.0, 9.1))
    asked = await studio.order(await studio.keep(mine.model_dump_json().encode()))
    planned = await studio.planning.plan_output(asked)
    stored = EDL.model_validate_json(await read_object(studio.objects, Bucket.OUTPUTS, planned.edl_key))
    assert stored.model_copy(update={"decisions": mine.decisions}) == mine
    assert stored.decisions[-1].kind == "edited_by_hand"
    assert all(row.passed for row in planned.review)
    assert await studio.planning.plan_output(asked) == planned, "as often as its worker dies"
    assert (await studio.jobs.get(asked.job_id)).outputs[0].edl_key == planned.edl_key


async def test_what_cannot_be_rendered_is_refused_for_good(studio: Studio, edl: EDL) -> None:
    lie = edl.model_dump_json().replace('"display_width":1920', '"display_width":1922')
    bitten = recut(edl, (1.1, 3.1)).model_dump_json()
    for content, refusal, says in (
        ("{}", InvalidInput, "Field required"),
        (lie, InvalidInput, "not as the file was measured"),
        (bitten, DeliveryRejected, "cuts inside a word"),
    ):
        asked = await studio.order(await studio.keep(content.encode()))
        with pytest.raises(refusal, match=says) as refused:
            await studio.planning.plan_output(asked)
        assert not refused.value.retryable


async def test_an_edit_lies_with_its_project_and_is_what_it_is_called(studio: Studio, edl: EDL) -> None:
    content = edl.model_dump_json().encode()
    elsewhere = await studio.keep(content, project_id=uuid4())
    miscalled = await studio.keep(content, name="b" * 64)
    for digest in (elsewhere, miscalled):
        with pytest.raises(CinemaError) as refused:
            await studio.planning.plan_output(await studio.order(digest))
        assert not refused.value.retryable
