"""What Supabase Storage's refusals mean to us.

A refusal has a JSON body ``{"statusCode": "404", "error": "not_found", "message": "Object not found"}``; the status of
the response itself is 400 for nearly all of them, so the body's counts (storage, ``src/http/error-handler.ts`` and
``src/internal/errors/codes.ts``).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import structlog
from storage3.exceptions import StorageApiError
from storage3.utils import StorageException

from schemas.errors import CinemaError, ErrorCode, TransientError
from stores.retrying import PassingTrouble

#: Statuses below 500 that say something about the moment: busy, two who write at once, an upload that is elsewhere than
#: we thought, locked by another request, slow down.
_PASSING = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.LOCKED,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_NO_ACCESS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
#: ``error`` or ``code`` of a refusal of our key, which comes with status 400.
_BAD_KEY = frozenset({"InvalidJWT", "Invalid JWT", "Unauthorized"})
_NO_BUCKET = frozenset({"Bucket not found", "NoSuchBucket"})
_BAD_NAME = frozenset({"InvalidKey", "Invalid key"})

log = structlog.get_logger(__name__)


def refusal(response: httpx.Response) -> CinemaError:
    """The error of an answer that is one, its body read already."""
    status, error, message = response.status_code, "", response.text[:200]
    try:
        body = response.json()
        status = int(body.get("statusCode", status))
        error, message = str(body.get("error") or body.get("code")), str(body.get("message"))
    except (ValueError, AttributeError, TypeError):
        # A proxy in front of Storage, or its resumable endpoint, which answers in plain text.
        pass
    return _meaning(status, error, message, pause_s=_retry_after(response))


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns what goes wrong on the way to Storage, or in its client, into our errors."""
    try:
        yield
    except httpx.TransportError as error:
        raise PassingTrouble(f"The object store does not answer ({type(error).__name__}).") from error
    except StorageApiError as error:
        raise _meaning(_status(error.status), str(error.code), str(error.message)) from error
    except (json.JSONDecodeError, StorageException) as error:
        raise PassingTrouble("The object store's answer makes no sense.") from error


def _meaning(status: int, error: str, message: str, *, pause_s: float | None = None) -> CinemaError:
    if error in _NO_BUCKET or message in _NO_BUCKET:
        return TransientError.store("The object store lacks a bucket; an operator makes it with: cinema setup supabase")
    if error in _BAD_NAME:
        return CinemaError(ErrorCode.NOT_FOUND, "There can be no stored file with this name.")
    if status in _NO_ACCESS or error in _BAD_KEY:
        log.error("the object store does not accept our key", status=status, error=error, detail=message)
        return TransientError.store("The object store does not let us in.")
    return _meaning_of_status(status, error, message, pause_s)


def _meaning_of_status(status: int, error: str, message: str, pause_s: float | None) -> CinemaError:
    if status in _ABSENT:
        return CinemaError(ErrorCode.OBJECT_MISSING, "This stored file does not exist.")
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return CinemaError(ErrorCode.MEDIA_TOO_LARGE, "The object store takes no file as large as this one.")
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return TransientError(ErrorCode.DISK_FULL, "The object store is full.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        return PassingTrouble(f"The object store answered {status}.", pause_s=pause_s)
    log.error("the object store refused a request", status=status, error=error, detail=message)
    return TransientError.store(f"The object store refused a request ({status}).")


def _status(given: int | str) -> int:
    try:
        return int(given)
    except ValueError:
        return HTTPStatus.INTERNAL_SERVER_ERROR


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds (RFC 9110, section 10.2.3); a date is left alone, as clocks differ more than pauses last."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
