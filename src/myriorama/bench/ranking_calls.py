"""Bench `feed`: how long a ranking call takes among 100,000 videos, and a page of its slate.

The catalogue lies in PostgreSQL, as the read side has it, and in a state of the ranking, with a
month of what people watched. The model is fitted on the spot: what its heads predict is beside the
point, how many trees they have is not. scikit-learn and LightGBM score the same rows by as many.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from myriorama.api.feed import FeedPages
from myriorama.api.paging import Cursors
from myriorama.bench import scoring_peers, scrolling
from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.ranking_world import WATCHES, examples_of, rows_of, state_of
from myriorama.bench.scoring_peers import timed
from myriorama.bench.scratch import scratch_house
from myriorama.bench.world import fill
from myriorama.bootstrap.feeds import create_rankers, create_stretches
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.live_state import LiveState
from myriorama.feed.ranked_feeds import RankedFeeds
from myriorama.feed.ranking import Ranking
from myriorama.feed.slates import Slates
from myriorama.feed.view_tokens import ViewTokens
from myriorama.store.objects import FolderObjects, ranker_key
from myriorama.store.postgres import async_pool, open_pool
from myriorama.store.signing import Signer
from myriorama.store.viewlog import Views
from ranking.model import Model
from ranking.pipeline import rank
from ranking.policy import DEFAULT
from ranking.query import Query
from ranking.state import State
from ranking.training import fitting
from ranking.training.forests import Growth

ACCOUNTS = 3_000
VIDEOS = 100_000
CALLS = 400
PAGE = 20

_SCORINGS = 300
_SCROLLS = 1
"""The number of the one who scrolls on end."""

_PLAN = fitting.Plan(
    watch=Growth(trees=200, leaf_rows_min=20),
    order=Growth(trees=120, rate=0.03, leaf_rows_min=20),
    other=Growth(trees=200, leaf_rows_min=20),
    positives_min=400,
)


class _Turned(msgspec.Struct):
    """What of a page leads to the next."""

    next_cursor: str | None


class Timings(NamedTuple):
    """What ranking calls took, in ms, and how many slates a second that makes on one core.

    `cpu` is what they took of the core, whoever else was at work on the machine.
    """

    calls: list[float]
    cpu: list[float]
    slates_per_s: float


class Turned(NamedTuple):
    """What pages took, in ms; what was shown on end; and what asking for less came to."""

    pages: list[float]
    scrolled: scrolling.Scrolled
    shares: scrolling.Shares


def measure(progress: Progress) -> Outcome:
    """Fill a scratch house, rank in it, and turn pages."""
    chance = np.random.default_rng(5)
    with scratch_house() as house:
        people = fill(house.database_url, accounts=ACCOUNTS, videos=VIDEOS)
        now_ms = time.time_ns() // 1_000_000
        state = state_of(house.database_url, chance, now_ms)
        progress(f"{len(state.videos):,} videos and {WATCHES:,} watches are in the state")
        examples = examples_of(state, chance, now_ms)
        model = fitting.fit(examples, None, progress, until_ms=now_ms, plan=_PLAN).model
        trees = {name: len(forest.columns) for name, forest in model.forests.items()}
        progress(f"a model of {len(trees)} forests, {sum(trees.values())} trees")
        rows = rows_of(state, chance, now_ms)
        worked = time.thread_time()
        scoring_ms = median(timed(lambda: _scored(model, rows), _SCORINGS))
        scoring_cpu_ms = 1000 * (time.thread_time() - worked) / _SCORINGS
        beside = scoring_peers.measure(examples, rows, trees, progress)
        timings = _called(state, model, people, now_ms)
        progress(f"{timings.slates_per_s:.0f} slates a second")
        turned = asyncio.run(_paged(house.database_url, house.folder, state, model, people))
        viewer = people[_SCROLLS]
        decided = scrolling.decided_for(house.database_url, viewer)
        scrolled = scrolling.figures(state, model, viewer, turned.scrolled, decided)
    return Outcome(
        "feed",
        figures={
            "scoring_ms": scoring_ms,
            "scoring_cpu_ms": scoring_cpu_ms,
            "call_p50_ms": median(timings.calls),
            "call_p99_ms": percentile(timings.calls, 0.99),
            "call_cpu_p50_ms": median(timings.cpu),
            "call_cpu_p99_ms": percentile(timings.cpu, 0.99),
            "slates_per_s": timings.slates_per_s,
            "cursor_p50_ms": median(turned.pages),
            "cursor_p99_ms": percentile(turned.pages, 0.99),
            **scrolled,
            "see_less_share_before": turned.shares.before,
            "see_less_share_after": turned.shares.after,
            "forests": len(trees),
            "trees": sum(trees.values()),
            **{f"{name}_ms": took for name, took in beside.items()},
        },
        ratios={
            f"scoring_over_{name}": scoring_ms / took
            for name, took in beside.items()
            if took is not None
        },
    )


def _scored(model: Model, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Score as the pipeline does: all by the first stage, the best by the second."""
    first = model.utility(model.first(rows), DEFAULT.weights)
    best = np.argsort(-first, kind="stable")[: DEFAULT.limits.second]
    return model.utility(model.second(rows[best]), DEFAULT.weights)


def _called(state: State, model: Model, people: Sequence[UUID], now_ms: int) -> Timings:
    """Rank for many viewers, one after the other, and encode what is logged."""

    def call(number: int) -> bytes:
        viewer = people[number * 7 % len(people)]
        query = Query(UUID(int=number), viewer.bytes, "for_you", now_ms, number)
        return rank(state, model, state.active.policy, query).encode()

    for number in range(20):
        call(number)
    began = time.perf_counter()
    calls, cpu = list[float](), list[float]()
    for number in range(CALLS):
        worked = time.thread_time()
        calls.append(_ms(call, number))
        cpu.append(1000 * (time.thread_time() - worked))
    return Timings(calls, cpu, CALLS / (time.perf_counter() - began))


async def _paged(
    url: str, folder: Path, state: State, model: Model, people: Sequence[UUID]
) -> Turned:
    """Turn pages as the route makes them: the second and third of many slates, and 500 on end."""
    objects = FolderObjects(folder / "objects")
    objects.put(ranker_key(model.digest), model.encode(), media_type="application/octet-stream")
    signer, pool, reads = Signer(b"a secret of the benchmark"), async_pool(url), open_pool(url)
    rankers = create_rankers(objects)
    rankers.keep_up(model.digest)
    stretches = create_stretches(reads, objects)
    found = list[float]()
    with (
        reads,
        Views(url) as views,
        LiveState(url, stretches, lambda: state, folded=lambda _: None) as live,
    ):
        await asyncio.to_thread(live.reached, stretches.heads(), timeout_s=60)
        async with pool:
            feeds, cursors = Feeds(pool, Cards(pool, signer)), Cursors(signer)
            await feeds.load()
            ranking = Ranking(live, rankers)
            ranked = RankedFeeds(feeds, ranking, Slates(pool))
            pages = FeedPages(feeds, ranked, cursors, ViewTokens(signer), views)
            for number in range(CALLS):
                viewer = people[number * 11 % len(people)]
                found += await _turned(pages, viewer)
            scrolled = await scrolling.scroll(pages, people[_SCROLLS])
            steering = [people[number * 13 % len(people)] for number in range(scrolling.STEERED)]
            shares = await scrolling.see_less(pages, live, steering)
            ranking.close()
    # What was turned at first filled the memory for cards.
    return Turned(found[len(found) // 4 :], scrolled, shares)


async def _turned(pages: FeedPages, viewer: UUID) -> list[float]:
    cursor, took = None, list[float]()
    for _ in range(3):
        began = time.perf_counter()
        answer = await pages.page(viewer, "for_you", cursor=cursor, limit=PAGE)
        took.append(1000 * (time.perf_counter() - began))
        cursor = msgspec.json.decode(answer.body, type=_Turned).next_cursor
        if cursor is None:
            break
    return took[1:]


def _ms(call: Callable[[int], object], number: int) -> float:
    began = time.perf_counter()
    call(number)
    return 1000 * (time.perf_counter() - began)
