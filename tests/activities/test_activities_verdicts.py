"""What a judge said is remembered, and what cannot be understood any more is asked for again."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.context import ActivityContext
from activities.declarations import OutputRef, PlanOutput
from activities.output_keys import verdict_key
from activities.uploads import upload_bytes
from activities.verdicts import Verdicts
from activities.webhook_sending import WebhookSending
from schemas.edl import Variant
from schemas.jobs import Job
from schemas.judging import Question, Ranking
from stores import Bucket, LocalObjects, Pool
from stores.sealing import Seal, new_key

pytestmark = pytest.mark.postgres

QUESTION = Question(variant=Variant.HOOK_CUT)


@dataclass
class Counting:
    """A judge who counts how often it is asked."""

    asked: int = 0
    name: str = "counting"

    def key(self, _: Question) -> str:
        return "ab" * 32

    async def rank(self, _: Question) -> Ranking:
        self.asked += 1
        return Ranking(passages=("p1",))


@pytest.mark.parametrize("left", [b'{"judge": "counting", "places": [1]}', b"{"], ids=["of another version", "half"])
async def test_a_verdict_that_cannot_be_read_is_asked_for_again(
    pool: Pool, local_objects: LocalObjects, job: Job, tmp_path: Path, left: bytes
) -> None:
    judge = Counting()
    context = ActivityContext(
        database=pool,
        objects=local_objects,
        models=tmp_path,
        scratch=tmp_path,
        webhooks=WebhookSending(Seal([new_key()])),
        judge=judge,
    )
    output = job.outputs[0]
    asked = PlanOutput(
        job_id=job.id,
        owner_id=job.owner_id,
        project_id=job.project_id,
        project_name="Kitchen talk",
        output=OutputRef(output_id=output.id, variant=output.variant, status=output.status),
        request=job.request,
        assets=(),
    )
    key = verdict_key(job.owner_id, job.project_id, judge.key(QUESTION))
    await upload_bytes(local_objects, Bucket.OUTPUTS, key, left)
    for _ in range(2):
        verdict = await Verdicts(context).on(QUESTION, asked)
        assert verdict is not None
        assert verdict.ranking == Ranking(passages=("p1",))
    assert judge.asked == 1
