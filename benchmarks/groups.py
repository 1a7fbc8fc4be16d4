"""The groups that ``make bench`` runs, in order."""

from benchmarks import analysis_cost, api, director, job, jobs, picture, render
from benchmarks.frame import Group

GROUPS: dict[str, Group] = {group.NAME: group for group in (job, jobs, api, analysis_cost, director, render, picture)}
