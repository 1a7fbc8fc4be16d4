"""An issuer of our own for the embedded stack: a key that `cinema up` makes, verified like any other."""

import time
from datetime import timedelta
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm

from api.authentication.keys import VerificationKey
from api.authentication.tokens import ROLE, TokenRules

#: Names the issuer in its tokens; it is no address.
ISSUER = "cinema-local"
ALGORITHM = "ES256"
KEY_ID = "local"
LIFETIME = timedelta(hours=12)


class LocalIssuer:
    """Signs tokens for people at this machine."""

    rules = TokenRules(issuer=ISSUER)

    def __init__(self, private_key_pem: str) -> None:
        """Raises ``ValueError`` for anything but an EC key on P-256 in PEM."""
        key = load_pem_private_key(private_key_pem.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("the key that signs local tokens is an EC key on P-256")  # noqa: TRY004 (wrong content)
        self._key = key

    @staticmethod
    def new_key() -> str:
        """A new private key in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def verification_key(self) -> VerificationKey:
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return VerificationKey.of(PyJWK({**public, "kid": KEY_ID, "alg": ALGORITHM}))

    def token(self, owner_id: UUID, *, lifetime: timedelta = LIFETIME) -> str:
        """An access token of this creator's, like Supabase's in what we read of it."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": self.rules.audience,
            "sub": str(owner_id),
            "role": ROLE,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": KEY_ID})
