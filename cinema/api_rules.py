"""What the API asks of requests, as the settings say."""

from urllib.parse import urlsplit

from limits import parse
from limits.errors import ConfigurationError

from api.context import WebhookRules
from api.edge.rates import RateRules, Rates
from api.edge.rules import EdgeRules
from api.edge.windows import LocalWindows, SharedWindows, Windows
from cinema.settings import Environment, Settings, SettingsError, variable
from cinema.webhook_sending import delivery_policy, webhook_seal


def edge_rules(settings: Settings) -> EdgeRules:
    """Hosts, origins, sizes, times and rates.

    Raises:
        SettingsError: In production nothing says which names this API has; or the store of rates cannot be used.
    """
    production = settings.environment is Environment.PRODUCTION
    return EdgeRules(
        hosts=_hosts(settings) if production else settings.api_hosts,
        origins=settings.api_origins,
        strict_transport=production,
        longest_s=settings.api_timeout_seconds,
        rates=_rates(settings) if settings.rate_limits else None,
    )


def webhook_rules(settings: Settings) -> WebhookRules:
    return WebhookRules(webhook_seal(settings), delivery_policy(settings))


def _hosts(settings: Settings) -> tuple[str, ...]:
    if settings.api_hosts:
        return settings.api_hosts
    named = urlsplit(settings.api_url or "").hostname
    if named is None:
        raise SettingsError(
            f"{variable('api_hosts')}: production needs the API's host names, or {variable('api_url')}."
        )
    return (named,)


def _rates(settings: Settings) -> Rates:
    rules = RateRules(
        reads=parse(settings.rate_reads),
        writes=parse(settings.rate_writes),
        uploads=parse(settings.rate_uploads),
        sign_ins=parse(settings.rate_sign_ins),
        address_multiple=settings.rate_address_multiple,
    )
    return Rates(rules, _windows(settings))


def _windows(settings: Settings) -> Windows:
    if settings.rate_store is None:
        return LocalWindows()
    try:
        return SharedWindows(settings.rate_store.get_secret_value())
    except ConfigurationError as error:
        raise SettingsError(f"{variable('rate_store')}: this store cannot be used: {error}") from error
