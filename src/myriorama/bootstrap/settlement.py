"""What is reported of ads and settled: joined to PostgreSQL, and to the keys of ad tokens."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.invalid_traffic import InvalidTraffic
from ads.prefixes import Prefixes
from ads.tokens import Tokens
from myriorama.api.ad_events import AdReports
from myriorama.billing.ad_events import AdEvents
from myriorama.billing.outbox import Outbox
from myriorama.settings import Settings
from myriorama.store.postgres import open_pool
from myriorama.store.signing import Signer
from myriorama.workers.settler import Settler

_OWN_APPS = ("Myriorama/",)


def create_ad_tokens(signer: Signer) -> Tokens:
    """Return what signs and believes ad tokens in this house."""
    return Tokens({1: signer.key("ad tokens")})


def create_ad_reports(
    settings: Settings, signer: Signer, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]
) -> AdReports:
    """Return what stores reports of ads. No networks of data centres are known."""
    return AdReports(
        create_ad_tokens(signer),
        InvalidTraffic(Prefixes(()), _OWN_APPS),
        AdEvents(pool),
        proxies=settings.proxies,
    )


def create_settler(settings: Settings) -> Settler:
    """Join the settler to PostgreSQL."""
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    return Settler(
        settings.database_url, tokens, Outbox(open_pool(settings.database_url, size_max=2))
    )
