"""How a worker delivers webhooks."""

from dataclasses import dataclass, field
from pathlib import Path

from schemas.webhooks import DeliveryPolicy
from stores.sealing import Seal


@dataclass(frozen=True)
class WebhookSending:
    """What opens the endpoints' secrets, and where deliveries may go.

    ``ca_file`` holds certificates that are trusted besides the public ones.
    """

    seal: Seal
    policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    ca_file: Path | None = None
