"""Keeping secrets that we must be able to read again, so that a copy of the database alone gives none of them away."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from schemas.errors import CinemaError, ErrorCode


def new_key() -> str:
    """A key for :class:`Seal`: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode()


class Seal:
    """Encrypts with the first of its keys and decrypts with any, so that a key can be replaced (Fernet tokens).

    Raises:
        ValueError: A key is not 32 bytes in URL-safe base64, or there is none.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def close(self, secret: str) -> str:
        """The secret, encrypted."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret again.

        Raises:
            CinemaError: It was sealed with a key that is not here (``INTERNAL``).
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise CinemaError(
                ErrorCode.INTERNAL, "A secret was encrypted with a key that this process does not have."
            ) from error
