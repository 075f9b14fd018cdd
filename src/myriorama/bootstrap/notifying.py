"""What advertisers are told: webhooks joined to their secrets, and the notifier to the world."""

from myriorama.application.ad_webhooks import AdWebhooks, WebhookSecrets
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock, Pool, open_pool
from myriorama.store.signing import Signer
from myriorama.workers.elected import Elected
from myriorama.workers.notices import Notices
from myriorama.workers.notifier import Notifier
from myriorama.workers.outside import Outside


def create_ad_webhooks(settings: Settings, log: Log, pool: Pool) -> AdWebhooks:
    """Return what editors of an advertiser do with its webhooks."""
    return AdWebhooks(log, pool, secrets_of(settings), inside=hosts_inside(settings))


def create_notifier(settings: Settings) -> Elected:
    """Join the notifier to PostgreSQL and to the world outside."""
    pool = open_pool(settings.database_url, size_max=2)
    notifier = Notifier(
        Notices(pool),
        create_ad_webhooks(settings, Log(pool), pool),
        secrets_of(settings),
        Outside(hosts_inside(settings)),
    )
    return Elected(settings.database_url, AdvisoryLock.NOTIFIER, "notifier", notifier.work)


def secrets_of(settings: Settings) -> WebhookSecrets:
    """Return what derives the secrets of webhooks."""
    return WebhookSecrets(Signer(settings.secret.encode()).key)


def hosts_inside(settings: Settings) -> frozenset[str]:
    """Return the hosts (host:port) that webhooks may lead to though they are inside."""
    return frozenset(each.strip() for each in settings.webhooks_inside.split(",") if each.strip())
