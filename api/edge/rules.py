"""What an installation asks of requests, whoever sends them."""

from dataclasses import dataclass
from typing import Final

from api.edge.rates import Rates

LARGEST_BODY: Final = 1 << 20
LONGEST_S: Final = 30.0

#: Edits are sent below this path; those of long films have some megabytes.
EDITS: Final = "/outputs/"
LARGEST_EDIT: Final = 16 << 20

#: Below these, bodies are files: their routes look after size and time themselves.
UPLOADS: Final = ("/uploads",)
#: Pieces of an upload, whose beginning is recorded.
UNRECORDED: Final = ("uploads.append",)


@dataclass(frozen=True)
class EdgeRules:
    """Without ``hosts`` any name will do; without ``rates`` nothing is counted.

    ``origins`` are those whose pages a browser lets read our answers. ``strict_transport`` sends browsers here by HTTPS
    alone.
    """

    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    strict_transport: bool = False
    largest_body: int = LARGEST_BODY
    longest_s: float = LONGEST_S
    rates: Rates | None = None
