"""Commands on the webhooks of advertisers; their secrets are derived, and stored nowhere."""

from base64 import b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.ad_webhook.aggregate import AdWebhook
from domain.ad_webhook.errors import AdWebhookNotFound, TooManyAdWebhooks
from domain.ad_webhook.events import AdWebhookOpened
from myriorama.application.tenancy import advertiser_of
from myriorama.store.front import rows
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried
from myriorama.store.postgres import Pool

WEBHOOKS_MAX = 10

# Those that the read side knows, and those that were opened since: of whom, they say themselves.
_KNOWN = """
    SELECT webhook_id FROM ad_webhooks WHERE advertiser_id = %s
    UNION
    SELECT originator_id FROM events
    WHERE topic = %s AND position > coalesce(
        (SELECT position FROM projection_positions WHERE name = 'ad_webhooks'), 0)
"""

Key = Callable[[str], bytes]
"""Returns the key of a purpose."""


@dataclass(frozen=True)
class Opened:
    """A webhook, and the secret that is shown this once."""

    webhook_id: UUID
    secret: str


class WebhookSecrets:
    """Derives secrets: of a webhook, each of another number."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def secret(self, webhook_id: UUID, number: int) -> str:
        """Return a secret as Standard Webhooks spells it."""
        key = self._key(f"ad webhook {webhook_id} {number}")
        return f"whsec_{b64encode(key).decode()}"


class AdWebhooks:
    """What editors of an advertiser do with its webhooks."""

    def __init__(
        self, log: Log, pool: Pool, secrets: WebhookSecrets, *, inside: Collection[str]
    ) -> None:
        """Take the hosts (host:port) that may be reached though they are inside."""
        self._log = log
        self._pool = pool
        self._secrets = secrets
        self._inside = inside

    @retried
    def open(self, advertiser_id: UUID, url: str, *, by: UUID, at: datetime) -> Opened:
        """Tell an advertiser things at a URL from now on.

        Raises:
            AdvertiserNotFound: there is none, or `by` does not act for it.
            AdWebhookURLInvalid: nothing may be sent there.
            TooManyAdWebhooks: it has as many as it may have.
        """
        advertiser = advertiser_of(self._log, advertiser_id, by=by, needs="editor")
        webhook = AdWebhook.open(
            new_id(), advertiser_id=advertiser.id, url=url, inside=self._inside, by=by, at=at
        )
        self._require_room(advertiser.id, webhook.id)
        self._log.save(webhook, expect={advertiser.id: advertiser.version})
        return Opened(webhook.id, self._secrets.secret(webhook.id, webhook.secret_number))

    @retried
    def rotate_secret(
        self, advertiser_id: UUID, webhook_id: UUID, *, by: UUID, at: datetime
    ) -> Opened:
        """Sign with a new secret, and for a day with the one before, too.

        Raises:
            AdWebhookNotFound: the advertiser has none such.
        """
        webhook = self._own(advertiser_id, webhook_id, by=by)
        webhook.rotate_secret(by=by, at=at)
        self._log.save(webhook)
        return Opened(webhook.id, self._secrets.secret(webhook.id, webhook.secret_number))

    @retried
    def close(self, advertiser_id: UUID, webhook_id: UUID, *, by: UUID, at: datetime) -> None:
        """Tell nothing there any more.

        Raises:
            AdWebhookNotFound: the advertiser has none such.
        """
        webhook = self._own(advertiser_id, webhook_id, by=by)
        webhook.close(by=by, at=at)
        self._log.save(webhook)

    @retried
    def disable(self, webhook_id: UUID, *, failing_since: datetime, at: datetime) -> None:
        """Tell nothing any more where nobody has answered since."""
        webhook = self._log.find(AdWebhook, webhook_id)
        if webhook is not None:
            webhook.disable(failing_since=failing_since, at=at)
            self._log.save(webhook)

    def _require_room(self, advertiser_id: UUID, new: UUID) -> None:
        """Count what is there besides `new`, which a command that is sent again has opened.

        Members who open one in the same instant do not see one another's: one more does no harm to
        what the bound is for.
        """
        found = rows(self._pool, _KNOWN, (advertiser_id, AdWebhookOpened.TOPIC))
        known = (self._log.find(AdWebhook, webhook_id) for (webhook_id,) in found)
        there = [each for each in known if each and not each.is_closed and each.id != new]
        if sum(each.advertiser_id == advertiser_id for each in there) >= WEBHOOKS_MAX:
            raise TooManyAdWebhooks(f"An advertiser has {WEBHOOKS_MAX} webhooks at most.")

    def _own(self, advertiser_id: UUID, webhook_id: UUID, *, by: UUID) -> AdWebhook:
        advertiser_of(self._log, advertiser_id, by=by, needs="editor")
        webhook = self._log.find(AdWebhook, webhook_id)
        if webhook is None or webhook.advertiser_id != advertiser_id:
            raise AdWebhookNotFound("The advertiser has no such webhook.")
        return webhook
