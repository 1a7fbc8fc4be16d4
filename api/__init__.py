"""The HTTP gateway: health, and downloads by signed address."""

from api.app import create_app
from api.context import ApiContext

__all__ = ["ApiContext", "create_app"]
