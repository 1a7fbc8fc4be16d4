"""What a judge said of a question: asked once, and remembered, so that no retry asks again or gets another edit."""

from pydantic import ValidationError

from activities.artifacts import read_object
from activities.context import ActivityContext
from activities.declarations import PlanOutput
from activities.judging import Judge, JudgeUnheardError
from activities.output_keys import unheard_key, verdict_key
from activities.uploads import upload_bytes
from schemas.errors import CinemaError, ErrorCode
from schemas.judging import Question, Verdict
from stores import Analyses, Bucket

#: What the store says of an answer that has to be asked for again.
_NOT_KNOWN = frozenset({ErrorCode.OBJECT_MISSING, ErrorCode.OBJECT_CORRUPT})


class Verdicts:
    """An answer holds for the project, for whoever asks the same; that there was none holds for the job."""

    def __init__(self, context: ActivityContext) -> None:
        self._judge = context.judge
        self._objects = context.objects
        self._analyses = Analyses(context.database)

    @property
    def has_judge(self) -> bool:
        return self._judge is not None

    async def on(self, question: Question, asked: PlanOutput) -> Verdict | None:
        """What the judge says, or why it was not heard; ``None`` where there is no judge.

        One asks at a time: outputs of a job that ask the same must hear the same, or they could overlap.
        """
        if self._judge is None:
            return None
        key = self._judge.key(question)
        unheard = unheard_key(asked.owner_id, asked.project_id, asked.job_id, key)
        heard = verdict_key(asked.owner_id, asked.project_id, key)
        async with self._analyses.making(f"verdict {asked.project_id} {key}"):
            known = await self._known(unheard) or await self._known(heard)
            if known is not None:
                return known
            verdict = await _asked(self._judge, question)
            stored_at = unheard if verdict.ranking is None else heard
            await upload_bytes(self._objects, Bucket.OUTPUTS, stored_at, verdict.model_dump_json().encode())
            return verdict

    async def _known(self, key: str) -> Verdict | None:
        try:
            return Verdict.model_validate_json(await read_object(self._objects, Bucket.OUTPUTS, key))
        except ValidationError:
            # Another version has written it, in a form of its own.
            return None
        except CinemaError as error:
            if error.code in _NOT_KNOWN:
                return None
            raise


async def _asked(judge: Judge, question: Question) -> Verdict:
    try:
        return Verdict(judge=judge.name, ranking=await judge.rank(question))
    except JudgeUnheardError as error:
        return Verdict(judge=judge.name, failure=str(error))
