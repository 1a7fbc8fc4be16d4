"""Cinema AI for Python programs: :class:`Client`, and :class:`AsyncClient` with the same surface.

Errors are :class:`~schemas.errors.CinemaError` and its subclasses, with the API's stable codes.
"""

from cinema.client.clients import AsyncClient, Client
from schemas.errors import CinemaError, ConflictError, ErrorCode, TransientError
from schemas.invalid_input import InvalidInput

__all__ = ["AsyncClient", "CinemaError", "Client", "ConflictError", "ErrorCode", "InvalidInput", "TransientError"]
