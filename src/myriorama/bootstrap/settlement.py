"""What is reported of ads and settled: joined to PostgreSQL, and to the keys of ad tokens."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.invalid_traffic import InvalidTraffic
from ads.prefixes import Prefixes
from ads.tokens import Tokens
from myriorama.api.ad_events import AdReports
from myriorama.application.line_items import LineItems
from myriorama.billing.ad_events import AdEvents
from myriorama.billing.outbox import Outbox
from myriorama.feed.ad_recordings import Recordings
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock, open_pool
from myriorama.store.signing import Signer
from myriorama.workers.budget_keeper import BudgetKeeper
from myriorama.workers.elected import Elected, Together
from myriorama.workers.pacer import Pacer
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


def create_settler(settings: Settings) -> Together:
    """Join to PostgreSQL who settles, and who keeps budgets as advertisers set them."""
    url = settings.database_url
    pool = open_pool(url, size_max=4)
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    outbox = Outbox(pool)
    settler = Settler(tokens, outbox)
    keeper = BudgetKeeper(LineItems(Log(pool)))
    return Together(
        Elected(url, AdvisoryLock.SETTLEMENT, "settler", settler.work),
        Elected(url, AdvisoryLock.BUDGETS, "budget keeper", keeper.work),
        close=outbox.close,
    )


def create_pacer(settings: Settings) -> Elected:
    """Join the pacer to PostgreSQL."""
    pacer = Pacer(Recordings(), every_s=settings.pace_every_s)
    return Elected(settings.database_url, AdvisoryLock.PACER, "pacer", pacer.work)
