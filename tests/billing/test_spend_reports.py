"""Reports: their sums are the ledger's to the micro, whatever happened and however they are cut."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from io import BytesIO
from itertools import combinations
from uuid import UUID

import polars as pl
import pytest

from ads.beacons import Beacon
from domain.spend.events import InvalidTrafficCredited, SpendSettled
from myriorama.billing.report_files import Format, report_file
from myriorama.billing.spend_reports import (
    DIMENSIONS,
    VIEWERS_MIN,
    Asked,
    Dimension,
    Row,
    SpendReports,
    total,
)
from myriorama.billing.spending import spending_of
from myriorama.store.log import Log
from myriorama.store.postgres import Pool, async_pool
from tests.billing.histories import History
from tests.billing.worlds import Market

ALWAYS = (date(2026, 10, 1), date(2026, 11, 30))
TOLD = """
    SELECT convert_from(state, 'UTF8') FROM events WHERE topic = %s ORDER BY position
"""


def asked(history: History, *by: Dimension, campaign_id: UUID | None = None) -> Asked:
    return Asked(history.advertiser_id, *ALWAYS, frozenset(by), campaign_id)


def reported(url: str, of: Asked) -> Sequence[Row]:
    async def made() -> Sequence[Row]:
        async with async_pool(url) as pool:
            return await SpendReports(pool).rows(of)

    return asyncio.run(made())


def told(pool: Pool, topic: str) -> list[dict[str, object]]:
    with pool.connection() as connection:
        return [json.loads(state) for (state,) in connection.execute(TOLD, (topic,))]


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_of_every_report_are_what_was_settled_credited_and_spent(
    market: Market, log: Log, database_url: str, seed: int
) -> None:
    history = History(market, log, seed).play()
    settled, credited = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for event in told(market.pool, SpendSettled.TOPIC):
        settled[str(event["line_id"]), str(event["day"])] += int(str(event["micros"]))
    for event in told(market.pool, InvalidTrafficCredited.TOPIC):
        credited[str(event["line_id"]), str(event["day"])] += int(str(event["micros"]))

    by_line_day = reported(database_url, asked(history, "line", "day"))

    assert {
        (str(row.of.line_item_id), str(row.of.day)): row.sums.charged_micros
        for row in by_line_day
        if row.sums.charged_micros
    } == +settled
    assert {
        (str(row.of.line_item_id), str(row.of.day)): row.sums.credited_micros
        for row in by_line_day
        if row.sums.credited_micros
    } == credited
    (budget,) = spending_of(market.connection, "advertiser", history.advertiser_id)
    everything = total(by_line_day)
    assert everything.net_micros == budget.spent_micros > 0
    assert everything.leaked > 0
    assert everything.served > everything.gross[Beacon.VIEWABLE] / 2 > 0
    assert everything.credited > 0
    assert everything.invalid[Beacon.VIEWABLE] > 0
    for size in range(len(DIMENSIONS) + 1):
        for by in combinations(DIMENSIONS, size):
            assert total(reported(database_url, asked(history, *by))) == everything


def test_a_campaign_is_reported_alone(market: Market, log: Log, database_url: str) -> None:
    history = History(market, log, seed=5).play(hours=24)

    rows = {
        each: total(reported(database_url, asked(history, campaign_id=each))).net_micros
        for each in history.campaigns
    }

    for campaign_id, micros in rows.items():
        (budget,) = spending_of(market.connection, "campaign", campaign_id)
        assert micros == budget.spent_micros


def test_what_too_few_viewers_saw_is_told_together_with_something_larger(
    market: Market, log: Log, database_url: str
) -> None:
    history = History(market, log, seed=6).play()

    apart = reported(database_url, asked(history, "line", "creative", "place", "surface"))

    withheld = [row for row in apart if row.of.withheld]
    assert withheld
    assert all(
        (row.of.creative_id, row.of.place, row.of.surface) == (None, None, None) for row in withheld
    )
    assert len(withheld) == len({row.of.line_item_id for row in withheld})
    told_apart = [row for row in apart if not row.of.withheld]
    assert all(row.sums.gross[Beacon.VIEWABLE] >= VIEWERS_MIN for row in told_apart)


def test_a_file_has_the_rows_of_the_report(market: Market, log: Log, database_url: str) -> None:
    rows = reported(database_url, asked(History(market, log, seed=7).play(), "day", "line"))

    read: Iterator[pl.DataFrame] = (
        reader(BytesIO(report_file(rows, kind, currency="EUR"))) for kind, reader in readers()
    )

    for table in read:
        assert table.height == len(rows)
        assert table["net_micros"].sum() == total(rows).net_micros
        assert table["viewable_net"].sum() == sum(
            row.sums.gross[Beacon.VIEWABLE] - row.sums.invalid[Beacon.VIEWABLE] for row in rows
        )
        assert set(table["currency"]) == {"EUR"}


def test_an_empty_report_is_a_file_with_columns(database_url: str) -> None:
    assert database_url

    assert report_file([], "csv", currency="USD").startswith(b"day,campaign_id,line_item_id,")
    assert pl.read_parquet(BytesIO(report_file([], "parquet", currency="USD"))).is_empty()


def readers() -> Sequence[tuple[Format, Callable[[BytesIO], pl.DataFrame]]]:
    return [("csv", pl.read_csv), ("parquet", pl.read_parquet)]
