"""Why a webhook refuses a command."""

from domain.errors import Conflict, Invalid, NotFound


class AdWebhookNotFound(NotFound):
    """The advertiser has no such webhook."""


class AdWebhookURLInvalid(Invalid):
    """A webhook is an https URL on a public host, at its usual port."""


class TooManyAdWebhooks(Conflict):
    """An advertiser has 10 webhooks at most."""
