"""What the API works with, handed in by the process that serves it."""

from dataclasses import dataclass, field
from uuid import UUID

from temporalio.client import Client

from activities.estimating import Capacity
from api.authentication import LocalIssuer, TokenVerifier
from api.edge.rules import EdgeRules
from api.finishing import Finisher
from api.live import JobChanges
from schemas.webhooks import DeliveryPolicy
from stores import LocalObjects, ObjectStore, Pool
from stores.sealing import Seal


@dataclass(frozen=True)
class LocalSignIn:
    """Signs in whoever asks from this machine, as the one owner of this installation."""

    issuer: LocalIssuer
    owner_id: UUID


@dataclass(frozen=True)
class WebhookRules:
    """How webhooks' secrets are kept, and where deliveries may go."""

    seal: Seal
    policy: DeliveryPolicy


@dataclass(frozen=True)
class ApiContext:
    """Connections of one API process, and its rules.

    ``address`` is where clients reach the API; without it, where each request has reached it. ``webhooks`` is absent
    where there is no key to keep their secrets with, ``sign_in`` where a sign-in service issues the tokens;
    ``capacity`` is what the workers do at once, which estimates go by; ``documented`` offers interactive documentation.
    """

    database: Pool
    temporal: Client
    objects: ObjectStore
    verifier: TokenVerifier
    changes: JobChanges
    finisher: Finisher
    address: str | None = None
    edge: EdgeRules = field(default_factory=EdgeRules)
    capacity: Capacity = field(default_factory=Capacity)
    webhooks: WebhookRules | None = None
    sign_in: LocalSignIn | None = None
    documented: bool = False

    @property
    def embedded(self) -> LocalObjects:
        """The store in a local folder, for routes that there are over it alone: its addresses are the API's own."""
        if not isinstance(self.objects, LocalObjects):
            raise TypeError("objects lie elsewhere")
        return self.objects
