"""The ads of the feeds of a process, joined to the read side, the budgets and keys of tokens."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.asking import House
from ads.sellers import SELLER_ID
from myriorama.api.openrtb import Sales
from myriorama.billing.exchange import ExchangeWins
from myriorama.billing.leases import TOKEN_LIFE_MS, Leases
from myriorama.billing.purses import Purses
from myriorama.bootstrap.notifying import hosts_inside
from myriorama.bootstrap.settlement import create_ad_tokens, pseudonym_key
from myriorama.feed.ad_bids import AdBids
from myriorama.feed.ad_clients import Clients
from myriorama.feed.ad_market import AdMarket
from myriorama.feed.ad_pages import AdPages
from myriorama.feed.ad_preferences import AdPreferences
from myriorama.feed.ad_slots import AdSlots
from myriorama.feed.ad_viewers import AdViewers
from myriorama.feed.bidders import Bidders
from myriorama.feed.outside_bids import OutsideBids
from myriorama.settings import Settings
from myriorama.store.postgres import Pool, closed_pool
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer


@dataclass(frozen=True)
class FeedAds:
    """What puts ads on pages in this process; in memory, and only while it is followed."""

    leases: Pool
    purses: Purses
    market: AdMarket
    preferences: AdPreferences
    viewers: AdViewers
    slots: AdSlots
    pages: AdPages
    outside: OutsideBids
    elsewhere: Mapping[str, object]
    """What the routes of sellers are given."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        signer: Signer,
    ) -> Self:
        """Join the parts; nothing is open yet."""
        leases = closed_pool(settings.database_url, size_max=1)
        purses = Purses(Leases(leases, f"{socket.gethostname()}:{os.getpid()}"))
        market = AdMarket(settings.database_url, pool, purses)
        preferences = AdPreferences(pool)
        viewers = AdViewers(pool, preferences, key=pseudonym_key(signer))
        slots = AdSlots(pool)
        country = settings.country_header if settings.proxies else ""
        tokens = create_ad_tokens(signer)
        domain = urlsplit(settings.public_url).hostname or "localhost"
        outside = OutsideBids(
            Bidders(hosts_inside(settings)),
            House(domain, settings.seller_name, SELLER_ID),
            key=signer.key("outside bidders"),
        )
        pages = AdPages(
            market,
            viewers,
            slots,
            purses,
            tokens,
            signer,
            Clients(country_header=country),
            token_life_ms=TOKEN_LIFE_MS,
            outside=outside,
        )
        bids = AdBids(
            pool,
            market,
            purses,
            tokens,
            signer,
            public_url=settings.public_url,
            token_life_ms=TOKEN_LIFE_MS,
        )
        elsewhere = {"ad_bids": bids, "ad_sales": Sales(bids, tokens, ExchangeWins(pool))}
        return cls(leases, purses, market, preferences, viewers, slots, pages, outside, elsewhere)

    @asynccontextmanager
    async def following(self, projected: Projected) -> AsyncGenerator[None]:
        """Hold money, and follow what may be advertised, while the context is open."""
        await self.preferences.load()
        await self.viewers.load()
        self.preferences.follow(projected)
        self.viewers.follow(projected)
        self.slots.follow(projected)
        self.market.follow(projected)
        with self.leases:
            self.purses.open()
            tasks = [
                asyncio.create_task(self.market.run()),
                asyncio.create_task(self.viewers.run(_clock_ms)),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task
                await self.outside.close()
                # What was not spent goes back to its budgets at once.
                await asyncio.to_thread(self.purses.close)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000
