"""The settler: what is reported is charged, told and taken back, whoever dies meanwhile."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import LiteralString

import psycopg
import pytest

from myriorama.billing.outbox import Outbox
from myriorama.bootstrap.settlement import create_ad_tokens
from myriorama.settings import Settings
from myriorama.store.postgres import AdvisoryLock, Pool, open_pool
from myriorama.store.signing import Signer
from myriorama.workers.elected import Elected
from myriorama.workers.settler import Settler
from tests.billing.worlds import TOKENS, Market, granted

PATIENCE_S = 60.0
SPENT = "SELECT spent_micros FROM spending WHERE scope = 'line'"
TOLD = """
    SELECT coalesce(sum((convert_from(state, 'UTF8')::json->>'micros')::bigint), 0)::bigint
    FROM events WHERE topic = 'spend.settled'
"""


@pytest.fixture
def market(database_url: str, pool: Pool) -> Iterator[Market]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        market = Market(pool, connection)
        row = connection.execute("SELECT clock_ms()").fetchone()
        assert row is not None
        market.now_ms = int(row[0])
        yield market.fund()


@contextmanager
def settling(url: str) -> Generator[None]:
    with open_pool(url, size_max=2) as pool:
        work = Settler(TOKENS, Outbox(pool)).work
        settler = Elected(url, AdvisoryLock.SETTLEMENT, "settler", work)
        thread = threading.Thread(target=settler.run)
        thread.start()
        try:
            yield
        finally:
            settler.stop()
            thread.join(timeout=PATIENCE_S)


def comes_true(claim: Callable[[], bool]) -> bool:
    deadline = monotonic() + PATIENCE_S
    while not (is_true := claim()) and monotonic() < deadline:
        sleep(0.02)
    return is_true


def number(market: Market, query: LiteralString) -> int:
    row = market.connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def test_what_is_reported_is_charged_and_told(market: Market, database_url: str) -> None:
    lease = granted(market.grant(10_000))

    with settling(database_url), settling(database_url):
        for _ in range(3):
            market.report([market.token(lease, 1_000)])

        assert comes_true(lambda: number(market, TOLD) == 3_000)
    assert number(market, SPENT) == 3_000
    assert market.drift() == 0


def test_what_a_server_held_that_is_gone_is_taken_back(market: Market, database_url: str) -> None:
    market.now_ms -= 700_000
    granted(market.grant(10_000))

    with settling(database_url):
        assert comes_true(lambda: market.held() == {0})


def test_a_settler_that_is_killed_again_and_again_charges_once(
    market: Market, settings: Settings
) -> None:
    tokens = create_ad_tokens(Signer(settings.secret.encode()))
    leases = [granted(market.grant(100_000)) for _ in range(2)]
    environment = {
        **os.environ,
        "MYRIORAMA_DATABASE_URL": settings.database_url,
        "MYRIORAMA_SECRET": settings.secret,
        "MYRIORAMA_WORKER_TOKEN": settings.worker_token,
        "MYRIORAMA_KAFKA": settings.kafka,
        "MYRIORAMA_OBJECTS": settings.objects,
        "MYRIORAMA_HOME": str(settings.home),
    }
    argv = [sys.executable, "-m", "myriorama", "settle"]
    issued = 0

    for _ in range(3):
        with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as settler:  # noqa: S603 - our own program
            before = number(market, SPENT)
            for lease in leases:
                shown = [market.token(lease, 100, tokens=tokens) for _ in range(50)]
                market.report(shown)
                market.report(shown)
                issued += 50
            assert comes_true(lambda: number(market, SPENT) > before)  # noqa: B023 - asked at once
            settler.send_signal(signal.SIGKILL)
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as settler:  # noqa: S603 - our own program
        told = comes_true(lambda: number(market, TOLD) == issued * 100)
        settler.terminate()

    assert told
    assert number(market, SPENT) == issued * 100
    assert market.drift() == 0
