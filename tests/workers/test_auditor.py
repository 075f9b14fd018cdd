"""The auditor: what disagrees is in a number that an operator watches."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from prometheus_client import REGISTRY

from myriorama.store.postgres import AdvisoryLock, Pool
from myriorama.workers.auditor import Auditor
from myriorama.workers.elected import Elected
from tests.api.feed_ads import until
from tests.billing.worlds import Market, granted


@pytest.fixture
def market(database_url: str, pool: Pool) -> Iterator[Market]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        market = Market(pool, connection)
        (market.now_ms,) = connection.execute("SELECT clock_ms()").fetchone() or (0,)
        yield market.fund()


def test_a_budget_that_disagrees_with_its_leases_is_told(market: Market, database_url: str) -> None:
    granted(market.grant(10_000))
    work = Auditor(every_s=0.05).work
    auditor = Elected(database_url, AdvisoryLock.AUDIT, "auditor", work)
    thread = threading.Thread(target=auditor.run)
    thread.start()

    market.connection.execute("UPDATE spending SET held_micros = 9993 WHERE scope = 'line_day'")

    try:
        until(lambda: REGISTRY.get_sample_value("myriorama_ledger_drift_micros") == 7)
    finally:
        auditor.stop()
        thread.join()
