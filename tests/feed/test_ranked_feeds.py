"""Ranked feeds that have to do without: without a state, without a model, without a memory."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from myriorama.bootstrap.feeds import create_rankers, create_state, create_stretches
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.live_state import LiveState
from myriorama.feed.ranked_feeds import (
    CursorExpired,
    Place,
    RankedFeeds,
    RankedPage,
    fields_of,
    place_of,
)
from myriorama.feed.ranking import Ranking
from myriorama.feed.served import Served
from myriorama.feed.slates import RankedSlate, Slates
from myriorama.store.event_source import EventSource
from myriorama.store.identity import new_id
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects, ranker_key
from myriorama.store.postgres import Pool, async_pool
from myriorama.store.signing import Signer
from myriorama.store.viewlog import Served as Logged
from projections.accounts import Accounts
from projections.videos import Videos
from ranking.deeds import Deeds, Kind
from ranking.heuristic import Heuristic
from ranking.pipeline import rank
from ranking.query import Query
from ranking.state import State
from tests.authors import open_account
from tests.feed.worlds import PEOPLE, World
from tests.folding import fold
from tests.publishing import publish
from tests.viewing import append

DAY_MS = 86_400_000


@asynccontextmanager
async def without_state(database_url: str, pool: Pool, folder: Path) -> AsyncGenerator[RankedFeeds]:
    """The ranked feeds of a process whose state is not followed yet."""
    objects = FolderObjects(folder / "objects")
    rankers = create_rankers(objects)
    live = LiveState(
        database_url, create_stretches(pool, objects), create_state, folded=lambda _: None
    )
    async with async_pool(database_url) as reads:
        feeds = Feeds(reads, Cards(reads, Signer(b"a secret of the tests, long enough")))
        await feeds.load()
        ranking = Ranking(live, rankers)
        yield RankedFeeds(feeds, ranking, Slates(reads))
        ranking.close()


def test_while_the_state_is_loading_what_is_newest_is_shown_and_nothing_twice(
    database_url: str, pool: Pool, tmp_path: Path
) -> None:
    with psycopg.connect(database_url, autocommit=True) as database:
        world = World(database, Random(1))  # noqa: S311 - makes worlds, no secrets
        for _ in range(80):
            world.change()
        newest = [row[0] for row in world.expected(PEOPLE[0], "latest")]

    async def scroll() -> list[RankedPage]:
        async with without_state(database_url, pool, tmp_path) as ranked:
            pages, place = list[RankedPage](), None
            while True:
                pages.append(await ranked.page(PEOPLE[0].bytes, "for_you", place, limit=4))
                place = pages[-1].place
                if place is None:
                    return pages
                assert place_of(fields_of(place)) == place

    pages = asyncio.run(scroll())

    assert {page.degraded for page in pages} == {"state loading"}
    assert {page.feed for page in pages} == {"latest"}
    assert [UUID(bytes=i) for page in pages for i in page.video_ids] == newest
    assert len(newest) > 4


def test_a_place_of_another_day_is_told_to_have_expired(
    database_url: str, pool: Pool, tmp_path: Path
) -> None:
    long_ago = (time.time_ns() // 1_000_000 - DAY_MS - 1000).to_bytes(6) + bytes(10)

    async def ask() -> None:
        async with without_state(database_url, pool, tmp_path) as ranked:
            await ranked.page(PEOPLE[0].bytes, "for_you", Place(long_ago, 20), limit=4)

    with pytest.raises(CursorExpired):
        asyncio.run(ask())


def test_a_slate_that_is_in_no_memory_is_read_from_the_log_for_its_viewer_alone(
    database_url: str,
) -> None:
    state, alice = create_state(), uuid4()
    decision = rank(
        state, Heuristic(), state.active.policy, Query(uuid4(), alice.bytes, "for_you", 0, 1)
    )
    slate = RankedSlate.of(decision, decision.encode().decode())
    append(
        database_url,
        [],
        [Logged(slate.decision_id, alice.bytes, "for_you", None, [], slate.ranking)],
    )

    async def read() -> tuple[RankedSlate | None, RankedSlate | None, RankedSlate | None]:
        async with async_pool(database_url) as reads:
            slates = Slates(reads)
            mine = await slates.of(slate.decision_id, alice.bytes)
            others = await slates.of(slate.decision_id, uuid4().bytes)
            return mine, others, await slates.of(uuid4().bytes, alice.bytes)

    mine, others, unknown = asyncio.run(read())

    assert mine is not None
    assert (mine.video_ids, mine.rules, mine.kind) == (slate.video_ids, slate.rules, slate.kind)
    assert mine.ranking is None  # it is in the log already
    assert others is None
    assert unknown is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", None])
def test_a_model_that_cannot_be_read_leaves_the_ranking_to_what_ranked_before(
    tmp_path: Path, content: bytes | None
) -> None:
    objects, digest = FolderObjects(tmp_path), "ab" * 32
    if content is not None:
        objects.put(ranker_key(digest), content, media_type="application/octet-stream")
    rankers = create_rankers(objects)

    rankers.keep_up(digest)

    assert rankers.choice.ranker.digest == "heuristic-1"
    assert rankers.choice.degraded == "model refused"
    rankers.keep_up("")
    assert rankers.choice.degraded == "no model"


def test_who_has_watched_a_hundred_thousand_times_is_shown_what_they_have_not(
    log: Log, pool: Pool
) -> None:
    state = create_state()
    people = [open_account(log, f"person_{n}") for n in range(6)]
    for number in range(30):
        publish(log, people[1 + number % 5], f"Number {number}")
    state.fold_domain(EventSource(pool).read(0, 1000, State.TOPICS).events)
    viewer, count = 0, 100_000
    deeds = Deeds.empty(count)
    deeds.kind[:], deeds.viewer[:], deeds.value[:] = Kind.WATCH, viewer, 4000
    deeds.video[:] = np.arange(count) % (len(state.videos) - 10)
    deeds.at_ms[:] = 1_800_000_000_000 + np.arange(count)
    state.fold(deeds)
    query = Query(uuid4(), state.people.id_of(viewer), "for_you", 1_800_000_200_000, 3)

    shown = {placed.video for placed in rank(state, Heuristic(), state.active.policy, query).order}

    assert shown
    assert {state.videos.serial(video.bytes) for video in shown} <= set(range(20, 30))


def test_what_was_served_lately_is_remembered_for_a_day_each_once() -> None:
    served, alice, morning, noon = Served(viewers_max=2), b"alice", b"morning", b"noon"
    first, second = b"1", b"2"

    served.add(alice, [first, second], at_ms=1000, decision_id=morning)
    served.add(alice, [first], at_ms=2000, decision_id=noon)

    assert served.to(alice, at_ms=2000) == [second, first]
    assert served.to(alice, at_ms=1000 + DAY_MS + 1) == [first]
    assert served.by(alice, first, at_ms=2000) == morning
    assert served.by(alice, second, at_ms=1000 + DAY_MS + 1) is None
    assert served.to(b"bob", at_ms=2000) == []
    served.add(b"bob", [first], at_ms=3000, decision_id=noon)
    served.add(b"carol", [first], at_ms=3000, decision_id=noon)
    assert served.to(alice, at_ms=3000) == []


def test_so_many_videos_are_remembered_of_all_viewers_together() -> None:
    served = Served(videos_max=3)

    for viewer in (b"alice", b"bob", b"alice", b"mallory"):
        served.add(viewer, [b"1", b"2"], at_ms=1000, decision_id=viewer)

    assert not served.to(b"bob", at_ms=1000)
    assert not served.to(b"alice", at_ms=1000)
    assert served.to(b"mallory", at_ms=1000) == [b"1", b"2"]


def test_what_a_process_served_before_it_was_killed_does_not_come_again_while_the_next_one_loads(
    log: Log, database_url: str, pool: Pool, tmp_path: Path
) -> None:
    state, alice = create_state(), open_account(log, "alice")
    author = open_account(log, "bob")
    for number in range(200):
        publish(log, author, f"Number {number}")
    state.fold_domain(EventSource(pool).read(0, 1000, State.TOPICS).events)
    now_ms = time.time_ns() // 1_000_000
    decision = rank(
        state, Heuristic(), state.active.policy, Query(new_id(), alice.bytes, "for_you", now_ms, 1)
    )
    slate = RankedSlate.of(decision, decision.encode().decode())
    shown = slate.video_ids[:20]
    append(
        database_url,
        [],
        [Logged(slate.decision_id, alice.bytes, "for_you", None, shown, slate.ranking)],
    )
    fold(pool, Accounts(), Videos())

    async def scroll() -> list[bytes]:
        async with without_state(database_url, pool, tmp_path) as ranked:
            later = list[bytes]()
            place: Place | None = Place(slate.decision_id, 20)
            while place is not None:
                page = await ranked.page(alice.bytes, "for_you", place, limit=20)
                later += page.video_ids
                place = page.place
            return later

    later = asyncio.run(scroll())

    assert len(later) == len(set(later)) == 180
    assert not set(later) & set(shown)
