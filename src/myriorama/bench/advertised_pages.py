"""By how long ads keep a page: pages of a feed in memory, made with ads and without, in turn.

All that is around a decision is in it: the viewer, the slots, holds, tokens, URLs and the record.
Time is that of the thread, as of decisions; what the wall clock says stands beside it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from ads.index import Index
from ads.tokens import Tokens
from myriorama.api.feed import FeedPages
from myriorama.api.paging import Cursors
from myriorama.bench.outcome import Progress, percentile
from myriorama.bench.scratch import scratch_house
from myriorama.bench.world import fill
from myriorama.billing.leases import TOKEN_LIFE_MS, Lease
from myriorama.billing.purses import Purses
from myriorama.bootstrap.feeds import RankedParts
from myriorama.feed.ad_clients import Clients
from myriorama.feed.ad_market import ShownCreative, Stall
from myriorama.feed.ad_pages import AdPages
from myriorama.feed.ad_preferences import AdPreferences
from myriorama.feed.ad_slots import AdSlots
from myriorama.feed.ad_viewers import AdViewers
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.view_tokens import ViewTokens
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import async_pool, closed_pool
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer
from myriorama.store.viewlog import Views

ACCOUNTS, VIDEOS = 400, 5_000
PAGES, WARMING = 4_000, 400
LENGTH = 20

_HEADERS = [
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"user-agent", b"Myriorama/1.0 (iOS)"),
]


class Rich:
    """A lessor who grants all that is wanted."""

    def __init__(self) -> None:
        self._granted = 0

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        self._granted += 1
        until_ms = time.time_ns() // 1_000_000 + TOKEN_LIFE_MS
        micros = max(wanted_micros, least_micros)
        return Lease(self._granted, line_id, 739_943, micros, 5_000, until_ms)

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        del lease_id, issued_micros


@dataclass(frozen=True)
class Standing:
    """A market that stays as it is."""

    stall: Stall


def added(progress: Progress, index: Index) -> Mapping[str, float]:
    """Make pages of which half has ads from an index; return what ads add to one, in ms."""
    with scratch_house() as house:
        people = fill(house.database_url, accounts=ACCOUNTS, videos=VIDEOS)
        found = asyncio.run(_measured(house.database_url, house.folder, people, index))
    progress(f"ads add {found['added_p99_ms']:.3f} ms to a page at the 99th percentile")
    return found


async def _measured(
    url: str, folder: Path, people: Sequence[UUID], index: Index
) -> Mapping[str, float]:
    signer, pool = Signer(b"a secret of the benchmark, which is long"), async_pool(url)
    purses = Purses(Rich())
    async with pool:
        with Views(url) as views, purses:
            feeds, cursors = Feeds(pool, Cards(pool, signer)), Cursors(signer)
            await feeds.load()
            objects = FolderObjects(folder / "objects")
            parts = RankedParts.of(url, closed_pool(url), pool, objects, feeds, Projected(url))
            ranked = parts.feeds  # whose part in other feeds is to hear what they have shown
            preferences, slots = AdPreferences(pool), AdSlots(pool)
            viewers = AdViewers(pool, preferences, key=b"a key")
            for each in (preferences, viewers, slots):
                await each.load()
            holds = purses.of([line.line_id for line in index.lines])
            ads = AdPages(
                Standing(Stall(index, holds, _creatives(index))),
                viewers,
                slots,
                purses,
                Tokens({1: b"a key of the benchmark, of bytes"}),
                signer,
                Clients(),
                token_life_ms=TOKEN_LIFE_MS,
                patience_s=1.0,
            )
            view_tokens = ViewTokens(signer)
            plain = FeedPages(feeds, ranked, cursors, view_tokens, views)
            sold = FeedPages(feeds, ranked, cursors, view_tokens, views, ads)
            return await _timed(plain, sold, people)


async def _timed(plain: FeedPages, sold: FeedPages, people: Sequence[UUID]) -> Mapping[str, float]:
    worked: dict[FeedPages, list[float]] = {plain: [], sold: []}
    wall: dict[FeedPages, list[float]] = {plain: [], sold: []}
    ads = 0
    for turn in range(PAGES):
        viewer = people[turn % len(people)]
        # Which comes first changes, so that neither finds more in the caches of the machine.
        for pages in (plain, sold)[:: 1 - 2 * (turn % 2)]:
            began, began_wall = time.thread_time_ns(), time.perf_counter_ns()
            answer = await pages.page(viewer, "latest", cursor=None, limit=LENGTH, headers=_HEADERS)
            wall[pages].append((time.perf_counter_ns() - began_wall) / 1e6)
            worked[pages].append((time.thread_time_ns() - began) / 1e6)
            ads += answer.body.count(b'"ad_decision_id"')
        await asyncio.sleep(0)
    if not ads:
        # What pages without ads cost says nothing of ads.
        raise RuntimeError("no page had an ad")
    added = [with_ads - bare for with_ads, bare in zip(*_warm(worked, sold, plain), strict=True)]
    by_wall = [with_ads - bare for with_ads, bare in zip(*_warm(wall, sold, plain), strict=True)]
    return {
        "added_p50_ms": percentile(added, 0.5),
        "added_p99_ms": percentile(added, 0.99),
        "added_wall_p99_ms": percentile(by_wall, 0.99),
        "ads_per_served_page": ads / PAGES,
    }


def _warm(timed: Mapping[FeedPages, list[float]], *pages: FeedPages) -> Sequence[Sequence[float]]:
    """Return the times of each, without those in which memories were filled."""
    return [timed[each][WARMING:] for each in pages]


def _creatives(index: Index) -> Mapping[UUID, ShownCreative]:
    return {
        creative.creative_id: ShownCreative(
            creative_id=creative.creative_id,
            advertiser_id=line.advertiser_id,
            name="Fox and Sons",
            website="shop.example.com",
            headline="Spring",
            width=480,
            height=854,
            duration_ms=creative.duration_ms,
            video_key=f"videos/{creative.creative_id}/video.mp4",
            poster_key=f"posters/{creative.creative_id}/poster.jpg",
            thumbnail_key=f"thumbnails/{creative.creative_id}/thumbnail.webp",
            landing_url="https://shop.example.com/spring",
            call_to_action="shop_now",
            ai_label="generated",
            category=creative.category,
        )
        for line in index.lines
        for creative in line.creatives
    }
