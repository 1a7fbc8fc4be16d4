"""Whose tokens the API accepts, as the settings say: a sign-in service's, or those made at this machine."""

import httpx

from api.authentication import KeyRing, LocalIssuer, RemoteKeys, TokenRules, TokenVerifier, VerificationKey
from api.context import LocalSignIn
from cinema.made_once import made_once
from cinema.owner import local_owner
from cinema.settings import Environment, Settings, SettingsError, variable
from cinema.stack.layout import Layout


def token_verifier(settings: Settings, client: httpx.AsyncClient, local: LocalSignIn | None) -> TokenVerifier:
    """Verifies tokens of the sign-in service, or of this machine's own issuer where there is none."""
    if local is not None:
        return TokenVerifier(KeyRing([local.issuer.verification_key]), local.issuer.rules)
    issuer = _issuer(settings)
    secret = settings.auth_jwt_secret
    fixed = [] if secret is None else [VerificationKey.shared_secret(secret.get_secret_value().encode())]
    published = RemoteKeys(settings.auth_jwks_url or f"{issuer}/.well-known/jwks.json", client)
    return TokenVerifier(KeyRing(fixed, published), TokenRules(issuer, settings.auth_audience))


def local_sign_in(settings: Settings) -> LocalSignIn | None:
    """This machine's own issuer, where no sign-in service is set.

    Raises:
        SettingsError: Neither may be used: production needs a sign-in service.
    """
    if settings.auth_issuer is not None:
        return None
    if settings.environment is Environment.PRODUCTION:
        raise SettingsError(f"{variable('auth_issuer')}: production needs a sign-in service.")
    layout = Layout(settings.home)
    return LocalSignIn(LocalIssuer(made_once(layout.token_key, LocalIssuer.new_key)), local_owner(layout))


def _issuer(settings: Settings) -> str:
    if settings.auth_issuer is None:
        raise SettingsError(f"{variable('auth_issuer')} is not set.")
    return settings.auth_issuer
