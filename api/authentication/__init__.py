"""Who is asking: tokens verified against keys that may rotate, and the caller that they make."""

from api.authentication.keys import KeyRing, VerificationKey
from api.authentication.local_issuer import LocalIssuer
from api.authentication.remote_keys import RemoteKeys
from api.authentication.tokens import Claims, TokenRules, TokenVerifier

__all__ = ["Claims", "KeyRing", "LocalIssuer", "RemoteKeys", "TokenRules", "TokenVerifier", "VerificationKey"]
