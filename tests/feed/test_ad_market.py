"""The market: what may be advertised now, as the read side and the pacing say."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import psycopg
import pytest

from ads.chances import FEATURES, Learnt, Ratio
from ads.probability import Probabilities
from myriorama.billing.leases import Lease
from myriorama.billing.purses import Purses
from myriorama.feed.ad_chances import publish
from myriorama.feed.ad_market import AdMarket
from myriorama.store.log import Log
from myriorama.store.postgres import async_pool
from myriorama.store.projected import Projected
from tests.api.feed_ads import Advertised

PATIENCE_S = 240.0
PUBLISH = "INSERT INTO ad_pacing (line_id, multiplier, published) VALUES (%s, 0.25, 7)"


BROKEN = "INSERT INTO ad_chances VALUES (%s, '{}', 1, 1, 1, 1, 1)"


class Nobody:
    """A lessor without money."""

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        del line_id, wanted_micros, least_micros
        return None

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        del lease_id, issued_micros


def play(url: str, act: Callable[[AdMarket], Awaitable[None]]) -> None:
    """Let a market follow the read side while somebody acts."""

    async def acting() -> None:
        async with async_pool(url) as pool:
            market, projected = AdMarket(url, pool, Purses(Nobody())), Projected(url)
            market.follow(projected)
            running = [asyncio.create_task(market.run()), asyncio.create_task(projected.run())]
            try:
                await act(market)
            finally:
                for task in running:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    asyncio.run(acting())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what another task does of its own accord
            await asyncio.sleep(0.02)


def version_of(market: AdMarket) -> int:
    return 0 if market.stall is None else market.stall.index.version


@pytest.mark.usefixtures("projecting")
def test_it_holds_what_may_be_shown_at_the_price_that_is_paced(database_url: str, log: Log) -> None:
    advertised = Advertised(log)

    async def act(market: AdMarket) -> None:
        await until(lambda: market.stall is not None)
        before, stall = version_of(market), market.stall
        assert stall is not None
        assert [line.line_id for line in stall.index.lines] == [advertised.line.id]
        assert stall.creatives[advertised.creative.id].name == "Fox and Sons"
        assert stall.index.table.bid.tolist() == [4_200.0]

        with psycopg.connect(database_url) as connection:
            connection.execute(PUBLISH, (advertised.line.id,))
            connection.execute("NOTIFY ad_pacing")
        await until(lambda: version_of(market) > before)
        assert market.stall is not None
        assert market.stall.index.table.bid.tolist() == [1_050.0]

    play(database_url, act)


@pytest.mark.usefixtures("projecting")
def test_it_decides_by_the_chances_that_were_learnt_last(database_url: str, log: Log) -> None:
    Advertised(log)
    prior = Probabilities.prior()
    head = msgspec.structs.replace(prior.click, intercept=0.0)
    learnt = msgspec.structs.replace(prior, version=FEATURES, click=head)

    async def act(market: AdMarket) -> None:
        await until(lambda: market.stall is not None)
        before, stall = version_of(market), market.stall
        assert stall is not None
        assert stall.index.probabilities == prior

        with psycopg.connect(database_url, autocommit=True) as connection:
            fair = Ratio(1.0, 1.0)
            published = publish(connection, Learnt(learnt, fair, fair), 1_000)
            await until(lambda: version_of(market) > before)
            connection.execute(BROKEN, (published + 1,))
        await market.refresh()
        assert market.stall is not None
        assert market.stall.index.probabilities == learnt

    play(database_url, act)


@pytest.mark.usefixtures("projecting")
def test_it_is_swapped_whole_and_empty_when_nothing_may_be_shown(
    database_url: str, log: Log
) -> None:
    advertised = Advertised(log)

    async def act(market: AdMarket) -> None:
        await until(lambda: market.stall is not None)
        held = market.stall
        await asyncio.to_thread(advertised.pause)
        await until(lambda: market.stall is None)
        assert held is not None
        assert len(held.index) == 1  # whoever decides by it meanwhile is not disturbed
        await asyncio.to_thread(advertised.resume)
        await until(lambda: market.stall is not None)

    play(database_url, act)


@pytest.mark.usefixtures("projecting")
def test_a_grant_that_ends_by_itself_takes_its_ads_with_it(database_url: str, log: Log) -> None:
    advertised = Advertised(log)

    async def act(market: AdMarket) -> None:
        await until(lambda: market.stall is not None)
        ends = datetime.now(UTC) + timedelta(seconds=2)
        advertised.grant.renew(expires_at=ends, at=datetime.now(UTC))
        await asyncio.to_thread(log.save, advertised.grant)
        await until(lambda: market.stall is None)
        assert datetime.now(UTC) >= ends

    play(database_url, act)
