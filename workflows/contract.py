"""How a program starts, finds and steers our workflows: types, ids, task queue, search attributes, input and result.

The argument and answer of each update and query are in ``schemas.control``.
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from temporalio.common import SearchAttributeKey

from activities.declarations import AnalysedAsset, SettledJob, TaskQueue
from schemas.control import RefusedFile
from schemas.jobs import ArtifactCounts
from schemas.model import Model
from schemas.opening import NewJob

DIRECT_JOB = "DirectJob"

#: Updates. The first three take a ``RetryOutputs``, ``CancelOutputs`` or ``ApproveOutputs``; all answer ``Steered``.
RETRY_OUTPUTS = "retry_outputs"
CANCEL_OUTPUTS = "cancel_outputs"
APPROVE = "approve"
PAUSE = "pause"
RESUME = "resume"

#: Query: no argument, answers ``JobState``.
JOB_STATE = "job_state"

JOBS_QUEUE = TaskQueue.JOBS

#: How long a whole job may take before Temporal ends it: far above any honest job with a week's wait for an approval
#: and a week's pause, so that none runs for ever.
JOB_EXECUTION_TIMEOUT = timedelta(days=30)

OWNER = SearchAttributeKey.for_keyword("CinemaOwner")
PROJECT = SearchAttributeKey.for_keyword("CinemaProject")
JOB_STATUS = SearchAttributeKey.for_keyword("CinemaJobStatus")
VARIANTS = SearchAttributeKey.for_keyword_list("CinemaVariants")

#: Registered by whoever sets up a Temporal namespace: an unregistered one makes a start fail.
SEARCH_ATTRIBUTES = (OWNER, PROJECT, JOB_STATUS, VARIANTS)


#: Of everything that docs/workflows.md promises to programs that start workflows themselves.
CONTRACT_VERSION = 1


class PreparedJob(Model):
    """What a run of the workflow has found out of the footage: by reference, and only what is needed to go on."""

    usable: tuple[AnalysedAsset, ...]
    refused: tuple[RefusedFile, ...] = ()
    artifacts: ArtifactCounts


class ContinuedJob(Model):
    """What a run of the workflow hands on to the next where its history has become too long."""

    paused_until: datetime | None = None
    approve_by: datetime | None = None
    prepared: PreparedJob | None = None


class DirectJobInput(Model):
    """A job to make: one that has its rows already, or a ``new_job`` whose rows the workflow writes first.

    A new job's id is its client's to choose; it is the id of one job for ever. ``continued`` is the workflow's own.
    """

    contract_version: Literal[1] = 1
    job_id: UUID
    new_job: NewJob | None = None
    continued: ContinuedJob | None = None


DirectJobResult = SettledJob


def direct_job_id(job_id: UUID) -> str:
    """The workflow id of a job: one execution per job, whoever starts it."""
    return f"job-{job_id}"


#: The longest summary, in bytes of UTF-8: more than a line of the Web UI shows, and little to keep in every history.
LONGEST_SUMMARY = 200


def summary_line(text: str) -> str:
    """Someone else's text as a summary in the Web UI: one line of bounded length."""
    line = " ".join(text.split())
    encoded = line.encode(errors="replace")
    if len(encoded) <= LONGEST_SUMMARY:
        return line
    return encoded[: LONGEST_SUMMARY - len("…".encode())].decode(errors="ignore") + "…"
