"""The HTTP gateway: everything a creator's client needs, each request as its caller."""

from api.app import create_app
from api.context import ApiContext

__all__ = ["ApiContext", "create_app"]
