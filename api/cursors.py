"""Where a page of a list ended, as an opaque text that its client hands back."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Query

from schemas.invalid_input import InvalidInput
from schemas.resources.page import LARGEST_PAGE, Page

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT = struct.Struct(">q16s")


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page ordered by ``(created_at, id)``, newest first: the next page begins below it."""

    created_at: datetime
    id: UUID

    def cursor(self) -> str:
        microseconds = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(_LAYOUT.pack(microseconds, self.id.bytes)).decode()


def position_of(cursor: str) -> Position:
    """The position that a cursor stands for.

    Raises:
        InvalidInput: it is none of ours.
    """
    try:
        microseconds, identifier = _LAYOUT.unpack(urlsafe_b64decode(cursor.encode("ascii")))
        return Position(_EPOCH + timedelta(microseconds=microseconds), UUID(bytes=identifier))
    except (Base64Error, struct.error, ValueError, OverflowError) as error:
        raise InvalidInput.of("cursor", "is not one that a list gave") from error


Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Most items on the page.")]
Cursor = Annotated[str | None, Query(max_length=64, description="The `next_cursor` of the page before.")]


def below(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The ``(created_at, id)`` that a page begins below; ``None`` for the first page. Raises ``InvalidInput``."""
    if cursor is None:
        return None
    position = position_of(cursor)
    return position.created_at, position.id


class Row(Protocol):
    """An item of a list that is read newest first."""

    @property
    def id(self) -> UUID: ...

    @property
    def created_at(self) -> datetime: ...


RowItem = TypeVar("RowItem", bound=Row)


def page_of(found: Sequence[RowItem], limit: int) -> "Page[RowItem]":
    """The first ``limit`` of what was found; whoever looks for one more learns whether there is another page."""
    items = tuple(found[:limit])
    last = items[-1] if len(found) > limit else None
    return Page(items=items, next_cursor=last and Position(last.created_at, last.id).cursor())
