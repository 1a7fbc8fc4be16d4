"""Addresses that carry their own permission: one method, one object, until a time, within a constraint."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import quote, urlencode

from schemas.errors import CinemaError, ErrorCode
from stores.object_keys import checked_key
from stores.objects import Bucket

#: As long as the digest of HMAC-SHA256 (RFC 2104, section 3: shorter keys weaken it).
MIN_KEY_BYTES = 32


class UrlSigner:
    """Makes and checks addresses ``{base_url}/objects/{bucket}/{key}?expires=...&signature=...``.

    The signature is HMAC-SHA256 over a JSON array of method, bucket, key, expiry (Unix seconds) and constraint, so that
    no two different permissions sign the same text.
    """

    def __init__(self, base_url: str, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the signing key has {len(key)} bytes; it needs {MIN_KEY_BYTES}")
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._clock = clock

    def download_url(self, bucket: Bucket, key: str, *, expires_in: timedelta, filename: str | None) -> str:
        constraint = {} if filename is None else {"filename": filename}
        return self._url("GET", bucket, key, expires_in, constraint)

    def upload_url(self, bucket: Bucket, key: str, *, expires_in: timedelta, max_bytes: int) -> str:
        return self._url("PUT", bucket, key, expires_in, {"max_bytes": str(max_bytes)})

    def verify_download(self, bucket: Bucket, key: str, query: Mapping[str, str]) -> str | None:
        """The file name to save as, if one was signed.

        Raises:
            CinemaError: forged or expired (``NOT_FOUND``, the same for both and for what does not exist).
        """
        self._verify("GET", bucket, key, query, "filename")
        return query.get("filename")

    def verify_upload(self, bucket: Bucket, key: str, query: Mapping[str, str]) -> int:
        """The most bytes that may be uploaded.

        Raises:
            CinemaError: forged or expired (``NOT_FOUND``, the same for both).
        """
        self._verify("PUT", bucket, key, query, "max_bytes")
        return int(query["max_bytes"])

    def _url(self, method: str, bucket: Bucket, key: str, expires_in: timedelta, constraint: dict[str, str]) -> str:
        checked_key(key)
        expires = str(int(self._clock() + expires_in.total_seconds()))
        signature = self._signature(method, bucket, key, expires, next(iter(constraint.values()), None))
        query = urlencode({"expires": expires, **constraint, "signature": signature})
        return f"{self._base_url}/objects/{bucket}/{quote(key)}?{query}"

    def _verify(self, method: str, bucket: Bucket, key: str, query: Mapping[str, str], constraint: str) -> None:
        expires = query.get("expires", "")
        genuine = self._signature(method, bucket, key, expires, query.get(constraint))
        given = query.get("signature", "")
        # The expiry is believed only once the signature over it has been.
        if not hmac.compare_digest(genuine.encode(), given.encode("utf-8", "replace")) or self._clock() >= int(expires):
            raise CinemaError(ErrorCode.NOT_FOUND, "This link is not valid or has expired.")

    def _signature(self, method: str, bucket: Bucket, key: str, expires: str, constraint: str | None) -> str:
        text = json.dumps([method, bucket, key, expires, constraint])
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
