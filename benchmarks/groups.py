"""The groups that ``make bench`` runs, in order."""

from benchmarks import analysis_cost, job, reel
from benchmarks.frame import Group

GROUPS: dict[str, Group] = {group.NAME: group for group in (job, analysis_cost, reel)}
