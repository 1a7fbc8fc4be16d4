"""What the API works with, handed in by the process that serves it."""

from dataclasses import dataclass
from uuid import UUID

from temporalio.client import Client

from api.authentication import LocalIssuer, TokenVerifier
from api.live import JobChanges
from stores import LocalObjects, Pool


@dataclass(frozen=True)
class LocalSignIn:
    """Signs in whoever asks from this machine, as the one owner of this installation."""

    issuer: LocalIssuer
    owner_id: UUID


@dataclass(frozen=True)
class ApiContext:
    """Connections of one API process.

    ``sign_in`` is absent where a sign-in service issues the tokens; ``documented`` offers interactive documentation.
    """

    database: Pool
    temporal: Client
    objects: LocalObjects
    verifier: TokenVerifier
    changes: JobChanges
    sign_in: LocalSignIn | None = None
    documented: bool = False
