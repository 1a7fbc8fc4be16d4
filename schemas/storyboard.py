"""A video at a glance: small pictures of it, evenly in time, side by side in one image."""

from typing import Annotated

from annotated_types import Gt

from schemas.model import Model

Pixels = Annotated[int, Gt(0)]


class StoryboardGrid(Model):
    """``count`` pictures of ``width`` by ``height`` pixels, in rows of ``columns``, each for ``step_ms`` milliseconds.

    The last one is for what is left of ``duration_ms``.
    """

    count: Annotated[int, Gt(0)]
    columns: Annotated[int, Gt(0)]
    width: Pixels
    height: Pixels
    step_ms: Annotated[int, Gt(0)]
    duration_ms: Annotated[int, Gt(0)]


class Storyboard(Model):
    """Where the image lies, in bucket ``thumbs``, and what is where in it."""

    image_key: str
    grid: StoryboardGrid
