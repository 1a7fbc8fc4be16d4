"""Types of settings that say who may reach us, under which names, and how much they may ask."""

import string
from ipaddress import ip_network
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_settings import NoDecode

_HOST_CHARACTERS: Final = frozenset(string.ascii_lowercase + string.digits + "-.:")


def separated(listed: object) -> object:
    """The parts of a text that commas separate, without the spaces around them."""
    return tuple(part.strip() for part in listed.split(",") if part.strip()) if isinstance(listed, str) else listed


def _origin(text: str) -> str:
    """As browsers send it (RFC 6454, section 6.2), and never all of them."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{text!r} is no origin such as https://app.example.com")
    if "*" in text or "@" in text:
        raise ValueError(f"{text!r} is no single origin such as https://app.example.com")
    return text


def _host_name(text: str) -> str:
    bare = text.removeprefix("*.")
    if not bare or not set(bare.lower()) <= _HOST_CHARACTERS:
        raise ValueError(f"{text!r} is no host name such as api.example.com or *.example.com")
    return text


def _network(text: str) -> str:
    ip_network(text)
    return text


Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(separated)]
HostNames = Annotated[tuple[Annotated[str, AfterValidator(_host_name)], ...], NoDecode, BeforeValidator(separated)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(separated)]

#: So many requests in such a time, as the library ``limits`` reads it.
Rate = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,6}/([1-9][0-9]{0,2})?(second|minute|hour)$")]
