"""Plans as they are made: an edit that was brought is taken only whole, and only from its own project."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from activities.artifacts import object_key, read_object
from activities.context import ActivityContext
from activities.declarations import AnalysedAsset, AssetRef, OutputRef, PlannedOutput, PlanOutput
from activities.judging import Judge, LanguageModel
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
from schemas.jobs import BroughtPlan, JobRequest, OutputRequest, Project
from stores import Bucket, Jobs, LocalObjects, Pool
from stores.sealing import Seal, new_key
from tests.activities.receiver import Behaviour, answer, receiving
from tests.activities.test_activities_judging import said
from tests.director.test_director_choosing import long_talk
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

    context: ActivityContext
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
        return (await self.orders(request))[0]

    async def orders(self, request: JobRequest) -> list[PlanOutput]:
        """To plan all outputs of a new job."""
        job = await self.jobs.create(self.project.owner_id, self.project.id, request)
        return [
            PlanOutput(
                job_id=job.id,
                owner_id=self.project.owner_id,
                project_id=self.project.id,
                project_name=self.project.name,
                output=OutputRef(output_id=output.id, variant=output.variant, status=output.status),
                request=request,
                assets=(self.footage,),
            )
            for output in job.outputs
        ]

    def judged_by(self, judge: Judge | None) -> PlanningActivities:
        return PlanningActivities(replace(self.context, judge=judge))

    async def stored(self, planned: PlannedOutput) -> EDL:
        return EDL.model_validate_json(await read_object(self.objects, Bucket.OUTPUTS, planned.edl_key))


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
    return Studio(context, PlanningActivities(context), Jobs(pool), local_objects, project, analysed)


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


@pytest.mark.parametrize("footage", [long_talk()])
class TestAJudge:
    """Is asked once, is followed, and cannot stop an output from being made."""

    HOOKS = JobRequest(outputs=(OutputRequest(variant=Variant.HOOK_CUT, count=2),))
    MODEL = "a model"

    async def test_is_asked_once_for_all_outputs_and_retries_and_the_next_job(self, studio: Studio) -> None:
        async with receiving(said(passages=["p3", "p4"]), answer(500)) as receiver:
            planning = studio.judged_by(LanguageModel(f"http://127.0.0.1:{receiver.port}", self.MODEL))
            orders = await studio.orders(self.HOOKS)
            edits = await self._edits(studio, planning, orders)
            assert edits == await self._edits(studio, planning, orders), "a retry"
            again = await self._edits(studio, planning, await studio.orders(self.HOOKS))
        assert len(receiver.requests) == 1
        assert [edit.video for edit in edits] == [edit.video for edit in again]
        unasked = await self._edits(studio, studio.planning, await studio.orders(self.HOOKS))
        assert edits[0].video not in [edit.video for edit in unasked]
        assert [edit.decisions[-1].kind for edit in edits] == ["judge", "judge"]

    @pytest.mark.parametrize("behaviour", [answer(500), said(passages=["p99"])], ids=["failing", "unknown id"])
    async def test_that_is_not_heard_changes_nothing_and_is_asked_by_the_next_job(
        self, studio: Studio, behaviour: Behaviour
    ) -> None:
        unasked = await self._edits(studio, studio.planning, await studio.orders(self.HOOKS))
        assert all(decision.kind != "judge" for edit in unasked for decision in edit.decisions)
        async with receiving(behaviour, said(passages=["p3"])) as receiver:
            planning = studio.judged_by(LanguageModel(f"http://127.0.0.1:{receiver.port}", self.MODEL))
            orders = await studio.orders(self.HOOKS)
            edits = await self._edits(studio, planning, orders)
            assert edits == await self._edits(studio, planning, orders), "a retry, though it would answer now"
            assert len(receiver.requests) == 1
            heard = await self._edits(studio, planning, await studio.orders(self.HOOKS))
        assert [edit.model_copy(update={"decisions": edit.decisions[:-1]}) for edit in edits] == unasked
        assert "was not heard" in edits[0].decisions[-1].sentence
        assert heard[0].video != edits[0].video

    async def test_has_nothing_to_say_of_the_whole_story(self, studio: Studio) -> None:
        planning = studio.judged_by(LanguageModel("http://127.0.0.1:1", self.MODEL))
        orders = await studio.orders(JobRequest(variants=(Variant.CINEMATIC_FULL,)))
        (edit,) = await self._edits(studio, planning, orders)
        assert all(decision.kind != "judge" for decision in edit.decisions)

    @staticmethod
    async def _edits(studio: Studio, planning: PlanningActivities, orders: Sequence[PlanOutput]) -> list[EDL]:
        planned = await asyncio.gather(*(planning.plan_output(asked) for asked in orders))
        return [await studio.stored(one) for one in planned]
