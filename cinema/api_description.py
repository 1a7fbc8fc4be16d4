"""The API's description with every route there can be; ``python -m cinema.api_description`` prints it."""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
from temporalio.client import Client

from api import ApiContext, create_app
from api.authentication import KeyRing, LocalIssuer, TokenVerifier
from api.context import LocalSignIn, WebhookRules
from api.finishing import Finisher
from api.live import JobChanges
from cinema.looking import Looking
from cinema.settings import Settings
from schemas.webhooks import DeliveryPolicy
from stores import LocalObjects
from stores.local_arrivals import LocalArrivals
from stores.sealing import Seal, new_key

_NOWHERE = "127.0.0.1:9"


async def api_description() -> dict[str, Any]:
    """OpenAPI 3.1, of the API as the embedded stack runs it. Nothing is connected to."""
    issuer = LocalIssuer(LocalIssuer.new_key())
    nothing = asyncpg.create_pool(f"postgresql://nobody@{_NOWHERE}/none", min_size=0)
    with TemporaryDirectory() as folder:
        objects = LocalObjects(Path(folder), base_url=f"http://{_NOWHERE}", signing_key=b"0" * 32)
        context = ApiContext(
            database=nothing,
            temporal=await Client.connect(_NOWHERE, lazy=True),
            objects=objects,
            verifier=TokenVerifier(KeyRing([issuer.verification_key]), issuer.rules),
            changes=JobChanges(nothing),
            finisher=Finisher(nothing, LocalArrivals(objects), Looking(Settings())),
            webhooks=WebhookRules(Seal([new_key()]), DeliveryPolicy()),
            sign_in=LocalSignIn(issuer, UUID(int=0)),
        )
        return create_app(context).openapi()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(api_description()), indent=1, ensure_ascii=False) + "\n")
