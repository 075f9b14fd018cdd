"""Who reads on waits for no decision: the next slate is decided while they look at a page."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from myriorama.bootstrap.feeds import create_rankers, create_state, create_stretches
from myriorama.feed.ahead import Ahead
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.live_state import LiveState
from myriorama.feed.ranked_feeds import Place, RankedFeeds, RankedPage
from myriorama.feed.ranking import Ranking
from myriorama.feed.slates import Slates
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool, async_pool
from myriorama.store.signing import Signer
from projections.accounts import Accounts
from projections.videos import Videos
from ranking.decision import Decision
from ranking.pipeline import rank
from ranking.query import Query
from ranking.state import State
from tests.authors import open_account
from tests.folding import fold
from tests.publishing import publish

LATE_S = 60.0
VIDEOS = 200
LIMIT = 20


class House(NamedTuple):
    """A house that ranks, and somebody who lives there."""

    ranked: RankedFeeds
    live: LiveState[State]
    alice: UUID


Story = Callable[[House], Coroutine[None, None, None]]


@pytest.fixture
def play(log: Log, database_url: str, pool: Pool, tmp_path: Path) -> Callable[[Story], None]:
    """Tell a story of Alice in a house with 200 videos of ten people."""
    alice = open_account(log, "alice")
    authors = [open_account(log, f"author_{n}") for n in range(10)]
    for number in range(VIDEOS):
        publish(log, authors[number % 10], f"Number {number}, about {number % 7}")
    fold(pool, Accounts(), Videos())
    objects = FolderObjects(tmp_path / "objects")

    @asynccontextmanager
    async def house() -> AsyncGenerator[House]:
        stretches = create_stretches(pool, objects)
        with LiveState(database_url, stretches, create_state, folded=lambda _: None) as live:
            assert await asyncio.to_thread(live.reached, stretches.heads(), timeout_s=LATE_S)
            async with async_pool(database_url) as reads:
                feeds = Feeds(reads, Cards(reads, Signer(b"a secret of the tests, long enough")))
                await feeds.load()
                ranking = Ranking(live, create_rankers(objects))
                ranked = RankedFeeds(feeds, ranking, Slates(reads))
                yield House(ranked, live, alice)
                ranked.close()
                ranking.close()

    async def told(story: Story) -> None:
        async with house() as its:
            await story(its)

    return lambda story: asyncio.run(told(story))


PATIENCE_S = 20.0


def decisions() -> float:
    return REGISTRY.get_sample_value("myriorama_ranking_call_seconds_count") or 0.0


async def turn(house: House, place: Place | None, *, limit: int = LIMIT) -> RankedPage:
    return await house.ranked.page(house.alice.bytes, "for_you", place, limit=limit)


async def decided(count: float) -> None:
    """Return once so many slates were decided."""
    until = time.monotonic() + LATE_S
    while decisions() < count:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


def test_no_page_after_the_first_decides_while_the_viewer_waits_and_none_is_shown_twice(
    play: Callable[[Story], None],
) -> None:
    async def scroll(house: House) -> None:
        before = decisions()
        pages = [await turn(house, None)]
        while pages[-1].place is not None:
            is_at_end = len(pages) % 3 == 0  # of a slate of sixty
            await decided(before + (len(pages) + 2) // 3 + is_at_end)
            known = decisions()

            pages.append(await turn(house, pages[-1].place))

            assert decisions() == known
        shown = [video_id for page in pages for video_id in page.video_ids]
        assert len(shown) == len(set(shown)) == VIDEOS
        slates = [page for page in pages if page.ranking is not None]
        assert len({page.decision_id for page in pages}) == len(slates) == 4

    play(scroll)


def test_what_was_decided_ahead_is_made_again_from_what_is_logged_of_it(
    play: Callable[[Story], None], tmp_path: Path
) -> None:
    async def scroll(house: House) -> None:
        before = decisions()
        first = await turn(house, None, limit=60)
        await decided(before + 2)
        second = await turn(house, first.place)

        logged = [page.ranking for page in (first, second)]

        assert second.decision_id != first.decision_id
        for text, shown in zip(logged, ([], first.video_ids), strict=True):
            assert text is not None
            decision = Decision.decode(text)
            assert [video.bytes for video in decision.pending] == shown
            query = Query(
                decision.decision,
                decision.viewer.bytes,
                "for_you",
                decision.as_of_ms,
                decision.seed,
                pending=tuple(shown),
            )
            with house.live.read() as state:
                assert state is not None
                ranker = create_rankers(FolderObjects(tmp_path)).choice.ranker
                again = rank(state, ranker, state.active.policy, query)
            assert again.encode().decode() == text

    play(scroll)


def test_who_asks_before_it_is_decided_is_shown_the_same_as_who_asks_again(
    play: Callable[[Story], None],
) -> None:
    async def hurry(house: House) -> None:
        before = decisions()
        first = await turn(house, None, limit=60)
        second = await turn(house, first.place)
        again = await turn(house, first.place)

        assert second.video_ids == again.video_ids
        assert (second.ranking is None, again.ranking) == (False, None)
        assert decisions() == before + 2

    play(hurry)


def test_what_another_device_was_shown_meanwhile_is_not_shown_of_what_was_decided_ahead(
    play: Callable[[Story], None],
) -> None:
    async def two_devices(house: House) -> None:
        before = decisions()
        first = await turn(house, None, limit=60)
        await decided(before + 2)
        elsewhere = await turn(house, None)

        second = await turn(house, first.place)

        assert second.video_ids
        assert not set(second.video_ids) & {*elsewhere.video_ids, *first.video_ids}

    play(two_devices)


def test_what_is_left_of_a_slate_is_shown_if_it_fills_half_a_page(
    play: Callable[[Story], None],
) -> None:
    async def scroll(house: House) -> None:
        first = await turn(house, None, limit=40)

        rest = await turn(house, first.place, limit=40)

        assert rest.decision_id == first.decision_id
        assert len(rest.video_ids) == 20

    play(scroll)


def test_nothing_is_decided_ahead_while_somebody_waits_and_who_asks_takes_it_over() -> None:
    async def story() -> None:
        is_idle, both, done = asyncio.Event(), asyncio.Event(), list[str]()

        async def idle() -> None:
            await is_idle.wait()

        async def first() -> None:
            done.append("first")
            both.set()

        async def second() -> None:
            done.append("second")

        ahead = Ahead(idle)
        ahead.begin(b"1", first)
        ahead.begin(b"2", second)
        await asyncio.sleep(0)
        await ahead.settle(b"1")
        assert not done

        is_idle.set()
        ahead.begin(b"3", first)
        await both.wait()
        assert done == ["second", "first"]

    asyncio.run(story())


def test_what_fails_ahead_is_left_to_whoever_asks() -> None:
    async def story() -> None:
        begun = asyncio.Event()

        async def idle() -> None:
            """Wait for nobody."""

        async def fail() -> None:
            begun.set()
            await asyncio.sleep(0)
            raise ConnectionError("the database is away")

        ahead = Ahead(idle)
        ahead.begin(b"1", fail)
        await begun.wait()

        await ahead.settle(b"1")

        decided = asyncio.Event()

        async def decide() -> None:
            decided.set()

        ahead.begin(b"1", decide)
        await asyncio.wait_for(decided.wait(), PATIENCE_S)
        assert decided.is_set()

    asyncio.run(story())
