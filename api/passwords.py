"""Passwords of share links: hashed with scrypt (RFC 7914), salted, slow to guess and the same in time to compare."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from typing import Final

#: Cost, block size and parallelism: 16 MiB and some tens of milliseconds each, of which a request can have one.
COST: Final = 1 << 14
BLOCK_SIZE: Final = 8
PARALLELISM: Final = 1
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


def hashed(password: str) -> str:
    """``scrypt$cost$block size$parallelism$salt$hash``, so that the cost can be raised later. Blocks: use a thread."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(password, salt, COST, BLOCK_SIZE, PARALLELISM)
    return f"scrypt${COST}${BLOCK_SIZE}${PARALLELISM}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def matches(password: str, stored: str) -> bool:
    """Whether ``stored`` was made of this password. Blocks: use a thread."""
    _, cost, block_size, parallelism, salt, digest = stored.split("$")
    given = _scrypt(password, b64decode(salt), int(cost), int(block_size), int(parallelism))
    return hmac.compare_digest(given, b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block_size: int, parallelism: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block_size, p=parallelism, dklen=_HASH_BYTES)
