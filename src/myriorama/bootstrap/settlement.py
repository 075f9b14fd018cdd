"""What is reported of ads and settled: joined to PostgreSQL, and to the keys of ad tokens."""

from pathlib import Path

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.invalid_traffic import InvalidTraffic
from ads.prefixes import NotAPrefix, Prefixes
from ads.tokens import Tokens
from myriorama.api.ad_events import AdReports
from myriorama.application.line_items import LineItems
from myriorama.billing.ad_events import AdEvents
from myriorama.billing.exchange import ExchangeWins
from myriorama.billing.outbox import Outbox
from myriorama.feed.ad_pseudonyms import Pseudonyms
from myriorama.feed.ad_recordings import Recordings
from myriorama.settings import SettingInvalid, Settings, variable
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock, Pool, open_pool
from myriorama.store.signing import Signer
from myriorama.workers.auditor import Auditor
from myriorama.workers.budget_keeper import BudgetKeeper
from myriorama.workers.chance_learner import ChanceLearner
from myriorama.workers.elected import Elected, Together
from myriorama.workers.pacer import Pacer
from myriorama.workers.settler import Settler
from myriorama.workers.simulator import Simulator
from myriorama.workers.traffic import TrafficJudge

_OWN_APPS = ("Myriorama/",)


def create_ad_tokens(signer: Signer) -> Tokens:
    """Return what signs and believes ad tokens in this house."""
    return Tokens({1: signer.key("ad tokens")})


def pseudonym_key(signer: Signer) -> bytes:
    """Return under which key viewers have the pseudonyms that ad tokens name."""
    return signer.key("ad pseudonyms")


def create_ad_reports(
    settings: Settings, signer: Signer, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]
) -> AdReports:
    """Return what stores reports of ads.

    Raises:
        SettingInvalid: the file of data centres cannot be read, or is none.
    """
    return AdReports(
        create_ad_tokens(signer),
        InvalidTraffic(data_centres(settings), _OWN_APPS),
        AdEvents(pool),
        Pseudonyms(pseudonym_key(signer)),
        ExchangeWins(pool),
        proxies=settings.proxies,
    )


def create_settler(settings: Settings) -> Together:
    """Join to PostgreSQL who settles, keeps budgets, judges traffic afterwards, and audits."""
    url = settings.database_url
    pool = open_pool(url, size_max=4)
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    outbox = Outbox(pool)
    settler = Settler(tokens, outbox)
    keeper = BudgetKeeper(LineItems(Log(pool)))
    return Together(
        Elected(url, AdvisoryLock.SETTLEMENT, "settler", settler.work),
        Elected(url, AdvisoryLock.BUDGETS, "budget keeper", keeper.work),
        Elected(url, AdvisoryLock.TRAFFIC, "traffic judge", TrafficJudge().work),
        Elected(url, AdvisoryLock.AUDIT, "auditor", Auditor().work),
        close=outbox.close,
    )


def create_pacer(settings: Settings) -> Together:
    """Join the pacer, who learns chances, and who plays sandboxes' traffic, to PostgreSQL."""
    url = settings.database_url
    pacer = Pacer(Recordings(), every_s=settings.pace_every_s)
    pool = open_pool(url, size_max=1)
    simulator = create_simulator(settings, pool)
    return Together(
        Elected(url, AdvisoryLock.PACER, "pacer", pacer.work),
        Elected(url, AdvisoryLock.CHANCES, "chance learner", ChanceLearner().work),
        Elected(url, AdvisoryLock.SIMULATIONS, "simulator", simulator.work),
        close=pool.close,
    )


def create_simulator(settings: Settings, pool: Pool) -> Simulator:
    """Join who plays the traffic of sandboxes to the keys of ad tokens. It leases over the pool."""
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    return Simulator(pool, tokens, InvalidTraffic(data_centres(settings), _OWN_APPS))


def data_centres(settings: Settings) -> Prefixes:
    """Return the networks in which nobody watches, as the operator lists them.

    Raises:
        SettingInvalid: the file cannot be read, or is no such list.
    """
    if not settings.data_centres:
        return Prefixes(())
    try:
        with Path(settings.data_centres).open(encoding="utf-8") as lines:
            return Prefixes.of_lines(lines)
    except (OSError, UnicodeDecodeError, NotAPrefix) as error:
        raise SettingInvalid(f"{variable('data_centres')}: {error}") from None
