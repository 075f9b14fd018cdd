"""Ads of pages: whatever goes wrong with them, the page is what it would be without."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
import psycopg
import pytest

from ads.holds import NOBODY, Holds, Numbers
from ads.index import Index
from ads.lines import Creative, Line
from ads.record import AdRecord
from ads.rules import Rules
from ads.tokens import Tokens
from ads.warming import warm_up
from myriorama.feed.ad_clients import Clients
from myriorama.feed.ad_items import AdItem
from myriorama.feed.ad_market import ShownCreative, Stall, Terms
from myriorama.feed.ad_pages import AdPages, Looked, PageAds
from myriorama.feed.ad_preferences import AdPreferences
from myriorama.feed.ad_sessions import Session
from myriorama.feed.ad_slots import AdSlots
from myriorama.feed.ad_viewers import AdViewers
from myriorama.store.postgres import async_pool
from myriorama.store.signing import Signer
from tests.feed.worlds import ACCOUNT, VIDEO

ALICE, BOB = UUID(int=1), UUID(int=2)
VIDEOS = [UUID(int=number) for number in range(100, 120)]
TOKENS = Tokens({1: b"a key of the tests, of thirty-two"})
PATIENT = Rules(deadline_us=1_000_000, explore=0.0)

LINE = Line(
    line_id=UUID(int=51),
    campaign_id=UUID(int=52),
    advertiser_id=UUID(int=53),
    kind="cpm",
    bid_micros=9_000,
    creatives=(Creative(UUID(int=54), "videos/ad.mp4", 4000, "https://shop.example.com"),),
)
SHOWN = ShownCreative(
    creative_id=UUID(int=54),
    advertiser_id=LINE.advertiser_id,
    name="Fox and Sons",
    website="shop.example.com",
    headline="Spring",
    width=480,
    height=854,
    duration_ms=4000,
    video_key="videos/ad.mp4",
    poster_key="posters/ad.jpg",
    thumbnail_key="thumbnails/ad.webp",
    landing_url="https://shop.example.com/spring",
    call_to_action="shop_now",
    ai_label="generated",
    category="toys",
)


@dataclass(frozen=True)
class Lease:
    """Terms of a lease."""

    day: int = 739_943
    tokens_until_ms: int = 1 << 60


class Purse:
    """Money that is there, or is not, or is broken."""

    def __init__(self, *, lease_id: int | None = 7, is_broken: bool = False) -> None:
        self._lease_id = lease_id
        self._is_broken = is_broken

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        del line_row, micros, now_ms, probability
        return self._lease_id

    def unfunded(self) -> Numbers:
        return NOBODY

    def of(self, line_ids: Sequence[UUID]) -> Holds:
        del line_ids
        return self

    def terms(self, lease_id: int) -> Terms:
        del lease_id
        if self._is_broken:
            raise KeyError("the lease has been forgotten")
        return Lease()


@dataclass(frozen=True)
class Market:
    """A market that stays as it is."""

    stall: Stall | None


Page = Callable[[Session | None], Awaitable[PageAds]]


def play(
    url: str,
    act: Callable[[Page], Awaitable[None]],
    purse: Purse | None,
    *,
    is_expected: bool = False,
) -> None:
    """Let somebody look at pages of twenty videos; no purse: there is no market.

    Who is expected is read before their page is made, which then waits for nothing.
    """
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(ACCOUNT, {"n": 1, "id": ALICE})
        database.execute(ACCOUNT, {"n": 2, "id": BOB})
        for n, video_id in enumerate(VIDEOS, 3):
            database.execute(VIDEO, {"n": n, "id": video_id, "author": BOB, "visibility": "public"})
    warm_up()
    stall = None
    if purse is not None:
        stall = Stall(Index.of([LINE], {}, 12), purse, {SHOWN.creative_id: SHOWN})

    async def acting() -> None:
        async with async_pool(url) as pool:
            slots = AdSlots(pool)
            await slots.load()
            viewers = AdViewers(pool, AdPreferences(pool), key=b"a key")
            pages = AdPages(
                Market(stall),
                viewers,
                slots,
                purse or Purse(),
                TOKENS,
                Signer(b"a secret of the tests, long enough"),
                Clients(),
                token_life_ms=600_000,
                rules=PATIENT,
                patience_s=0.0 if is_expected else 60.0,
            )
            if is_expected:
                pages.expect(ALICE.bytes)
                now_ms = time.time_ns() // 1_000_000
                while viewers.kept(ALICE.bytes, now_ms) is None:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.001)
            ids = [video_id.bytes for video_id in VIDEOS]
            await act(
                lambda session: pages.of_page(Looked(ALICE.bytes, "latest", ids, (), session))
            )

    asyncio.run(acting())


def test_an_ad_has_its_token_its_reasons_and_its_neighbours(database_url: str) -> None:
    async def act(page: Page) -> None:
        ads = await page(None)
        (item,) = msgspec.json.decode(ads.items, type=list[AdItem])
        assert ads.record is not None
        (shown,) = AdRecord.decode(ads.record).shown
        token = TOKENS.verify(item.token, now_ms=time.time_ns() // 1_000_000)
        gap = item.position
        assert gap >= 3
        assert (shown.above, shown.below) == (VIDEOS[gap - 1], VIDEOS[gap])
        assert shown.reasons == ("everybody",)
        assert (token.decision_id, token.price_micros) == (
            item.ad_decision_id,
            shown.price_micros,
        )
        assert (token.surface, token.position, token.day) == (2, gap, 739_943)
        assert token.expires_ms == shown.expires_ms <= token.decided_ms + 600_000
        assert ads.session == Session(20, 1, 20 - gap)

    play(database_url, act, Purse())


@pytest.mark.parametrize(
    "purse", [None, Purse(lease_id=None), Purse(is_broken=True)], ids=["market", "money", "lease"]
)
def test_without_a_market_money_or_a_lease_the_page_goes_on_without_ads(
    database_url: str, purse: Purse | None
) -> None:
    async def act(page: Page) -> None:
        ads = await page(Session(20, 1, 5))

        assert ads.items == b"[]"
        assert ads.session == Session(40, 1, 25)
        assert ads.record is None or not AdRecord.decode(ads.record).shown

    play(database_url, act, purse)


def test_what_is_shown_at_once_counts_at_once(database_url: str) -> None:
    async def act(page: Page) -> None:
        pages = await asyncio.gather(*(page(Session(20, 29, 20)) for _ in range(3)))
        again = await page(Session(20, 30, 20))

        assert sum(b"ad_decision_id" in each.items for each in pages) == 3
        assert again.items == b"[]"  # a session has thirty

    play(database_url, act, Purse())


def test_the_first_page_of_a_viewer_who_was_read_meanwhile_has_ads_at_once(
    database_url: str,
) -> None:
    async def act(page: Page) -> None:
        ads = await page(None)

        assert ads.items.count(b"ad_decision_id") == 1

    play(database_url, act, Purse(), is_expected=True)
