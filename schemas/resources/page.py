"""Lists that are read page by page."""

from typing import Generic, TypeVar

from pydantic import Field

from schemas.model import Model

Item = TypeVar("Item")

LARGEST_PAGE = 100


class Page(Model, Generic[Item]):
    """One page of a list, newest first. ``next_cursor`` asks for the page after it; without one this is the last."""

    items: tuple[Item, ...]
    next_cursor: str | None = Field(None, examples=["AAY_0Y1o-ABTNdYgVqBPn5rJh2kQ3k0l"])
