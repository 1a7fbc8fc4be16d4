"""How this installation delivers webhooks, as its settings say."""

from activities.webhook_sending import WebhookSending
from cinema.made_once import made_once
from cinema.settings import Settings
from cinema.stack.layout import Layout
from schemas.webhooks import DeliveryPolicy
from stores.sealing import Seal, new_key


def webhook_sending(settings: Settings) -> WebhookSending:
    """For workers."""
    return WebhookSending(
        seal=webhook_seal(settings), policy=delivery_policy(settings), ca_file=settings.webhook_ca_file
    )


def webhook_seal(settings: Settings) -> Seal:
    """Encrypts endpoints' secrets with the keys of the settings, or with one that is made once for the home folder."""
    if settings.webhook_keys is not None:
        return Seal(settings.webhook_keys.get_secret_value().split(","))
    return Seal([made_once(Layout(settings.home).webhook_key, new_key)])


def delivery_policy(settings: Settings) -> DeliveryPolicy:
    """Where endpoints may be."""
    return DeliveryPolicy(allow_http=settings.webhook_allow_http, allow_private=settings.webhook_allow_private)
