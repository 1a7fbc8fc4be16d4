"""What the API works with, handed in by the process that serves it."""

from dataclasses import dataclass

from temporalio.client import Client

from stores import LocalObjects, Pool


@dataclass(frozen=True)
class ApiContext:
    """Connections of one API process. ``documented`` offers the interactive documentation."""

    database: Pool
    temporal: Client
    objects: LocalObjects
    documented: bool = False
