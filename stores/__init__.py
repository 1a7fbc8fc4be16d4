"""What outlives a process: rows in Postgres and objects in a store. All SQL of the project is in this room."""

from stores.analyses import Analyses
from stores.assets import Assets, IncomingObject
from stores.database import ActingAs, Connections, Pool, open_pool
from stores.deletions import Deletions
from stores.job_deletions import JobDeletions
from stores.jobs import Jobs
from stores.ledger import AnalysisWork, Ledger, PartWork, RenderWork
from stores.listening import JOBS_CHANNEL, OUTBOX_CHANNEL, Notifications, listen
from stores.local_objects import LocalObjects
from stores.migration import bootstrap_embedded, migrate
from stores.objects import Bucket, ObjectStat, ObjectStore
from stores.opening import Content, JobOpenings
from stores.outbox import Backlog, Letter, LetterState, Outbox, OutboxEntry
from stores.outputs import Outputs
from stores.plans import Plans
from stores.projects import Projects
from stores.removals import OutputRemoval, Removals, StoredObject
from stores.retention import Retention
from stores.segments import Segments
from stores.videos import Videos

__all__ = [
    "JOBS_CHANNEL",
    "OUTBOX_CHANNEL",
    "ActingAs",
    "Analyses",
    "AnalysisWork",
    "Assets",
    "Backlog",
    "Bucket",
    "Connections",
    "Content",
    "Deletions",
    "IncomingObject",
    "JobDeletions",
    "JobOpenings",
    "Jobs",
    "Ledger",
    "Letter",
    "LetterState",
    "LocalObjects",
    "Notifications",
    "ObjectStat",
    "ObjectStore",
    "Outbox",
    "OutboxEntry",
    "OutputRemoval",
    "Outputs",
    "PartWork",
    "Plans",
    "Pool",
    "Projects",
    "Removals",
    "RenderWork",
    "Retention",
    "Segments",
    "StoredObject",
    "Videos",
    "bootstrap_embedded",
    "listen",
    "migrate",
    "open_pool",
]
