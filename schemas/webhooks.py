"""Webhooks: what receivers are sent, and the endpoints, deliveries and attempts that their owners see.

Payload, headers and signatures follow the Standard Webhooks specification 1.0.0 (standardwebhooks.com).
"""

from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from annotated_types import Ge, Len
from pydantic import AwareDatetime, Field, HttpUrl, TypeAdapter, ValidationError

from schemas.edl import Variant
from schemas.errors import CinemaError, ErrorCode
from schemas.jobs import JobStatus, OutputStatus
from schemas.model import Model
from schemas.public_addresses import is_public

#: Version of the payloads. Fields may be added within a version; none is removed or changes its meaning.
PAYLOAD_VERSION: Final = 1

#: Where endpoints may listen, besides port 80 where plain HTTP is allowed.
HTTPS_PORTS = frozenset({443, 8443})
HTTP_PORTS = frozenset({80})

LONGEST_DESCRIPTION = 500


class EventType(StrEnum):
    JOB_STARTED = "job.started"
    JOB_COMPLETED = "job.completed"
    JOB_PARTIAL = "job.partial"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    OUTPUT_COMPLETED = "output.completed"
    OUTPUT_FAILED = "output.failed"
    OUTPUT_CANCELLED = "output.cancelled"
    RETENTION_EXPIRING = "retention.expiring"
    TEST_PING = "test.ping"


class EventError(Model):
    """Why something failed. Codes may be added: receivers should not enumerate them."""

    code: str
    message: str
    retryable: bool


class OutputSummary(Model):
    output_id: UUID
    variant: Variant
    number: Annotated[int, Ge(1)] = 1
    count: Annotated[int, Ge(1)] = 1
    status: OutputStatus


class JobData(Model):
    """A job as it was at the moment of the event. ``message`` is a sentence for people."""

    job_id: UUID
    project_id: UUID
    status: JobStatus
    message: str
    error: EventError | None
    outputs: tuple[OutputSummary, ...]


class OutputData(Model):
    """An output as it was at the moment of the event: ``number`` of the ``count`` of its variant in the job.

    ``attempt`` counts its renders.
    """

    output_id: UUID
    job_id: UUID
    project_id: UUID
    variant: Variant
    number: Annotated[int, Ge(1)] = 1
    count: Annotated[int, Ge(1)] = 1
    status: OutputStatus
    attempt: Annotated[int, Ge(0)]
    message: str
    error: EventError | None


class RetentionData(Model):
    """Files of a project that will be deleted from ``expires_at`` on, because the plan keeps them no longer."""

    notice_id: UUID
    project_id: UUID
    expires_at: AwareDatetime
    message: str


class PingData(Model):
    endpoint_id: UUID
    message: str


class _Event(Model):
    """What every event has. ``id`` is also the header ``webhook-id``: the same however often the event is sent."""

    id: Annotated[str, Field(pattern=r"^evt_[0-9a-f]{32}$")]
    version: Literal[1]
    timestamp: AwareDatetime


class JobEvent(_Event):
    type: Literal[
        EventType.JOB_STARTED,
        EventType.JOB_COMPLETED,
        EventType.JOB_PARTIAL,
        EventType.JOB_FAILED,
        EventType.JOB_CANCELLED,
    ]
    data: JobData


class OutputEvent(_Event):
    type: Literal[EventType.OUTPUT_COMPLETED, EventType.OUTPUT_FAILED, EventType.OUTPUT_CANCELLED]
    data: OutputData


class RetentionEvent(_Event):
    type: Literal[EventType.RETENTION_EXPIRING]
    data: RetentionData


class PingEvent(_Event):
    type: Literal[EventType.TEST_PING]
    data: PingData


WebhookEvent: TypeAlias = Annotated[
    JobEvent | OutputEvent | RetentionEvent | PingEvent, Field(discriminator="type", title="WebhookEvent")
]
EVENT: TypeAdapter[WebhookEvent] = TypeAdapter(WebhookEvent)


def webhook_id(event_id: UUID) -> str:
    """The id that receivers know an event by."""
    return f"evt_{event_id.hex}"


def webhook_json_schema() -> dict[str, Any]:
    """JSON Schema of every payload."""
    return EVENT.json_schema(mode="serialization")


class EndpointStatus(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """``OWNER`` asked for it, the receiver answered 410 (``GONE``), or it has been ``FAILING`` for days."""

    OWNER = "owner"
    GONE = "gone"
    FAILING = "failing"


class WebhookEndpoint(Model):
    """Where an owner's events are sent. ``failing_since`` is the first failure after the last success."""

    id: UUID
    owner_id: UUID
    url: str
    description: str
    event_types: tuple[EventType, ...]
    status: EndpointStatus
    disabled_reason: DisabledReason | None = None
    disabled_notice: str | None = None
    disabled_at: AwareDatetime | None = None
    failing_since: AwareDatetime | None = None
    created_at: AwareDatetime


class NewEndpoint(Model):
    """What an owner asks for. Every event type but the test is subscribed by default."""

    url: Annotated[str, Field(examples=["https://example.com/hooks/cinema"])]
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)] = ""
    event_types: Annotated[tuple[EventType, ...], Len(1, len(EventType))] = tuple(
        kind for kind in EventType if kind is not EventType.TEST_PING
    )


class DeliveryStatus(StrEnum):
    """``WAITING`` to be started, ``DELIVERING`` until an attempt succeeds or none is left."""

    WAITING = "waiting"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        return self in {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}


class WebhookDelivery(Model):
    """One event on its way to one endpoint; a replay is a new delivery of the same event."""

    id: UUID
    owner_id: UUID
    event_id: UUID
    event_type: EventType
    endpoint_id: UUID
    replay_of: UUID | None = None
    status: DeliveryStatus
    attempts: Annotated[int, Ge(0)]
    next_attempt_at: AwareDatetime | None = None
    last_error: str | None = None
    created_at: AwareDatetime
    settled_at: AwareDatetime | None = None


class WebhookAttempt(Model):
    """One request. Without ``duration_ms`` it is under way, or whoever made it was interrupted.

    ``response`` is the beginning of the answer's body.
    """

    delivery_id: UUID
    number: Annotated[int, Ge(1)]
    started_at: AwareDatetime
    duration_ms: Annotated[int, Ge(0)] | None = None
    status_code: int | None = None
    response: str | None = None
    error: str | None = None


class DeliveryPolicy(Model):
    """Where deliveries may go. Both are for development: plain HTTP, and any address and port."""

    allow_http: bool = False
    allow_private: bool = False


_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def checked_url(text: str, policy: DeliveryPolicy) -> HttpUrl:
    """The URL in its normal form: international names in ASCII, odd spellings of addresses as the address.

    What its name leads to is checked when something is delivered, not here: names change.

    Raises:
        CinemaError: Nothing may be delivered there (``WEBHOOK_REFUSED``).
    """
    try:
        url = _URL.validate_python(text)
    except ValidationError as error:
        raise refused("This is no URL of the form https://example.com/path.") from error
    if url.scheme != "https" and not policy.allow_http:
        raise refused("A webhook is only sent over https.")
    if url.username is not None or url.password is not None:
        raise refused("The URL must not contain a user name or password.")
    if url.fragment is not None:
        raise refused("The URL must not contain a fragment (#).")
    ports = HTTPS_PORTS if url.scheme == "https" else HTTP_PORTS
    if url.port not in ports and not policy.allow_private:
        raise refused(f"A webhook is only sent to port {' or '.join(map(str, sorted(ports)))}.")
    if not policy.allow_private and _is_private_literal(bare_host(url)):
        raise refused("A webhook is only sent to a public address.")
    return url


def bare_host(url: HttpUrl) -> str:
    """The URL's host, an IPv6 address without its brackets."""
    return (url.host or "").removeprefix("[").removesuffix("]")


def refused(message: str) -> CinemaError:
    return CinemaError(ErrorCode.WEBHOOK_REFUSED, message)


def _is_private_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
