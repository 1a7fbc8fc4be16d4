"""What our workflows are given, answer and fail with, encrypted before it reaches the Temporal server.

The format is that of Temporal's own samples in every language, so that a client elsewhere needs only the key: the whole
payload, serialised and sealed with AES-256-GCM under a random 96-bit nonce, which precedes it, and the key's id in the
metadata. Random nonces are safe for 2³² payloads under one key (NIST SP 800-38D); rotate keys long before.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from cinema.settings import Settings, SettingsError, variable

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"

KEY_BYTES = 32
NONCE_BYTES = 12

#: Keys may be written in the URL-safe alphabet as well.
_STANDARD = str.maketrans("-_", "+/")

_KEY_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")


class DecryptionError(Exception):
    """A payload cannot be decrypted with the keys at hand; the message names the key that it needs."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by id. New payloads are encrypted with the ``current`` one; the others read what was encrypted before."""

    current: str
    keys: Mapping[str, AESGCM]

    @staticmethod
    def parse(text: str) -> "KeyRing":
        """Keys as ``id:base64``, separated by commas or new lines, the current one first.

        Raises:
            ValueError: It cannot be understood; the message tells why and no key.
        """
        keys: dict[str, AESGCM] = {}
        for entry in filter(None, re.split(r"[,\s]+", text)):
            key_id, _, encoded = entry.partition(":")
            if not _KEY_ID_FORM.fullmatch(key_id):
                raise ValueError("each key is written as id:base64, with letters, digits, '.', '_' and '-' in the id")
            if key_id in keys:
                raise ValueError(f"key {key_id} is there twice")
            keys[key_id] = AESGCM(_key_bytes(key_id, encoded))
        if not keys:
            raise ValueError("there is no key")
        return KeyRing(current=next(iter(keys)), keys=keys)


class EncryptionCodec(PayloadCodec):
    """Encrypts every payload; decrypts those that are encrypted, and lets older, plain ones through."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they were before they were encrypted.

        Raises:
            DecryptionError: A key is not there or not the right one, or a payload was altered.
        """
        return [
            self._decrypted(payload) if payload.metadata.get("encoding") == ENCODING else payload
            for payload in payloads
        ]

    def _encrypted(self, payload: Payload) -> Payload:
        key_id = self._ring.current
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ring.keys[key_id].encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id.encode()}, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        key = self._ring.keys.get(key_id)
        if key is None:
            raise DecryptionError(
                f"This was encrypted with key {key_id!r}, which is not among the keys of this process."
            )
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(key.decrypt(nonce, sealed, None))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError(
                f"This was encrypted with another key {key_id!r} than that of this process, or altered since."
            ) from error


def payload_codec(settings: Settings) -> EncryptionCodec | None:
    """How the settings have payloads encrypted; ``None`` where they do not.

    Raises:
        SettingsError: The keys cannot be read or understood.
    """
    name, text = _written_keys(settings)
    if text is None:
        return None
    try:
        return EncryptionCodec(KeyRing.parse(text))
    except ValueError as error:
        raise SettingsError(f"{variable(name)}: {error}") from error


def _written_keys(settings: Settings) -> tuple[str, str | None]:
    """The keys as they are written down, and the setting that says so."""
    if settings.payload_keys_file is None:
        return "payload_keys", _plain(settings.payload_keys)
    name = "payload_keys_file"
    try:
        return name, settings.payload_keys_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable(name)}: {error}") from error


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _key_bytes(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.translate(_STANDARD), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"key {key_id} is not {KEY_BYTES} bytes in base64 (make one with: openssl rand -base64 32)")
    return key
