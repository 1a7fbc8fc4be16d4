"""One small error hierarchy: a code to act on, a sentence a creator understands, and whether a retry can help."""

from enum import StrEnum
from typing import Self

from schemas.model import Model


class ErrorCode(StrEnum):
    """Stable codes; clients and dashboards match on these, never on sentences."""

    MEDIA_UNREADABLE = "media_unreadable"
    MEDIA_FORBIDDEN_FORMAT = "media_forbidden_format"
    MEDIA_EMPTY = "media_empty"
    MEDIA_NO_STREAMS = "media_no_streams"
    MEDIA_TOO_LARGE = "media_too_large"
    MEDIA_DAMAGED = "media_damaged"
    NO_USABLE_ASSET = "no_usable_asset"
    SOURCE_TOO_SHORT = "source_too_short"
    NO_SPEECH = "no_speech"
    NO_PICTURE = "no_picture"
    DELIVERY_CHECK_FAILED = "delivery_check_failed"
    ENCODER_FAILED = "encoder_failed"
    PROCESS_CRASHED = "process_crashed"
    PROCESS_TIMED_OUT = "process_timed_out"
    WORKER_STOPPING = "worker_stopping"
    VIDEO_BEING_MADE = "video_being_made"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    MODEL_UNAVAILABLE = "model_unavailable"
    OBJECT_MISSING = "object_missing"
    OBJECT_CORRUPT = "object_corrupt"
    STORE_UNAVAILABLE = "store_unavailable"
    INVALID_INPUT = "invalid_input"
    INVALID_TRANSITION = "invalid_transition"
    STALE_ATTEMPT = "stale_attempt"
    NOT_FOUND = "not_found"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    LIMIT_EXCEEDED = "limit_exceeded"
    RATE_LIMITED = "rate_limited"
    WEBHOOK_REFUSED = "webhook_refused"
    STACK_UNAVAILABLE = "stack_unavailable"
    NOT_STARTED = "not_started"
    WORK_ENDED = "work_ended"
    INTERNAL = "internal"


#: What can be wrong with a creator's material: a matter for them, not for whoever is on call.
OF_MATERIAL = frozenset(
    {
        ErrorCode.MEDIA_UNREADABLE,
        ErrorCode.MEDIA_FORBIDDEN_FORMAT,
        ErrorCode.MEDIA_EMPTY,
        ErrorCode.MEDIA_NO_STREAMS,
        ErrorCode.MEDIA_TOO_LARGE,
        ErrorCode.MEDIA_DAMAGED,
        ErrorCode.NO_USABLE_ASSET,
        ErrorCode.SOURCE_TOO_SHORT,
        ErrorCode.NO_SPEECH,
        ErrorCode.NO_PICTURE,
    }
)


class ErrorInfo(Model):
    """An error as it is stored with an output and sent to a client."""

    code: ErrorCode
    message: str
    retryable: bool


class CinemaError(Exception):
    """Base of every error we raise on purpose.

    ``retryable`` says whether the same call may succeed later without anyone changing its input.
    """

    retryable = False

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def info(self) -> ErrorInfo:
        return ErrorInfo(code=self.code, message=self.message, retryable=self.retryable)

    @staticmethod
    def from_info(info: ErrorInfo) -> "CinemaError":
        """The error again on this side of a process boundary: its class carries only whether a retry can help."""
        error_class: type[CinemaError] = TransientError if info.retryable else CinemaError
        return error_class(info.code, info.message)


class MediaRefused(CinemaError):
    """The asset cannot be used as it is; the message says what is wrong with it."""


class OutputRefused(CinemaError):
    """This output cannot be made from this material (too short, no speech); its siblings may well be."""


class DeliveryRejected(CinemaError):
    """A finished file missed a hard delivery limit and is not published."""


class ConflictError(CinemaError):
    """A status change that is impossible, or a write by an attempt that has been superseded."""


class VideoBeingMade(ConflictError):
    """Somebody else makes a video, or a part of one, with the same picture and sound; both go by ``render_key``."""

    retryable = True

    def __init__(self, render_key: str) -> None:
        super().__init__(ErrorCode.VIDEO_BEING_MADE, "The same video is being made already; this waits for it.")
        self.render_key = render_key


class TransientError(CinemaError):
    """Something around us failed (disk, database, object store, process); a retry can help."""

    retryable = True

    @classmethod
    def store(cls, message: str) -> Self:
        return cls(ErrorCode.STORE_UNAVAILABLE, message)


class RateLimited(TransientError):
    """Too many requests in a while; the next one is granted after ``retry_after_s`` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(ErrorCode.RATE_LIMITED, f"Too many requests; go on in {retry_after_s} s.")
        self.retry_after_s = retry_after_s
