"""The layers around every route, in their order."""

from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api.edge.auditing import Auditing
from api.edge.body_sizes import BodySizes
from api.edge.envelope import Envelope
from api.edge.exchange import REQUEST_ID
from api.edge.faults import Faults
from api.edge.hosts import Hosts
from api.edge.patience import Patience
from api.edge.rates import RateLimiting
from api.edge.rules import EDITS, LARGEST_EDIT, UNRECORDED, UPLOADS, EdgeRules
from stores import Pool
from stores.audit_log import AuditLog

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
#: What pages elsewhere may send, and read of our answers; the second halves are tus 1.0's.
SENT: Final = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Last-Event-ID"),
    *("Range", REQUEST_ID),
    *("Tus-Resumable", "Upload-Checksum", "Upload-Length", "Upload-Metadata", "Upload-Offset", "Upload-Token"),
)
READ: Final = (
    *("Content-Disposition", "Content-Range", "ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"),
    *("WWW-Authenticate", REQUEST_ID),
    *("Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version"),
    *("Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
)


def add_edge(app: FastAPI, rules: EdgeRules, database: Pool) -> None:
    """Put the layers around ``app``; each is added around those before it."""
    app.add_middleware(Patience, longest_s=rules.longest_s, elsewhere=UPLOADS)
    app.add_middleware(BodySizes, most=rules.largest_body, elsewhere=UPLOADS, larger={EDITS: LARGEST_EDIT})
    app.add_middleware(Auditing, rows=AuditLog(database), unrecorded=UNRECORDED)
    if rules.rates is not None:
        app.add_middleware(RateLimiting, rates=rules.rates)
    if rules.hosts:
        app.add_middleware(Hosts, names=rules.hosts)
    app.add_middleware(Faults)
    if rules.origins:
        # Without credentials: tokens are sent by pages on purpose, and there are no cookies to send along.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=rules.origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=READ,
        )
    app.add_middleware(Envelope, strict_transport=rules.strict_transport)
