"""The creator that everything made at this machine belongs to."""

from uuid import UUID, uuid4

from cinema.made_once import made_once
from cinema.stack.layout import Layout


def local_owner(layout: Layout) -> UUID:
    return UUID(made_once(layout.owner, lambda: str(uuid4())))
