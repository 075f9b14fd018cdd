"""Bench `http`: pages of the feed a second, over what the same server manages with no work to do.

The reference is one bare Litestar route that answers the bytes of one page.
"""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np

from myriorama.api.feed import DEGRADED_HEADER
from myriorama.api.tokens import AccessTokens
from myriorama.bench.bare import ANSWER
from myriorama.bench.load import Generators, request
from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.scratch import House, scratch_house
from myriorama.bench.world import fill

ACCOUNTS = 10_000
VIDEOS = 100_000
VIEWERS = 2_000
ITEMS = 20
CONNECTIONS = 32
ROUNDS = 5
ROUND_S = 4.0
FIRST_PER_S = 200
CALM_TURNS = 5
CALM_S = 4.0
PATH = f"/v1/feed?kind=following&limit={ITEMS}"
_LOADING = "state loading"


def measure(progress: Progress) -> Outcome:
    """Measure both in turns: as fast as they can, then both at half of the feed's most."""
    with scratch_house() as house, ExitStack() as running:
        progress(f"filling the read side with {VIDEOS} videos of {ACCOUNTS} accounts")
        account_ids = fill(house.database_url, accounts=ACCOUNTS, videos=VIDEOS)
        viewer_ids = np.random.default_rng(1).permutation(np.array(account_ids))[:VIEWERS]
        tokens = _tokens(house, viewer_ids.tolist())
        feed = running.enter_context(house.server("myriorama.bootstrap.api:api"))
        _await_ranking(feed, tokens[0], progress)
        answer = _write_page(house.folder / "page.json", feed, tokens[0])
        bare = running.enter_context(
            house.server("myriorama.bench.bare:app", **{ANSWER: str(answer)})
        )
        generators = running.enter_context(
            Generators(max(1, (os.cpu_count() or 2) - 1), connections=CONNECTIONS)
        )
        requests = [request(PATH, token) for token in tokens]
        return _measure(generators, bare, feed, requests, progress)


def _measure(
    generators: Generators, bare: int, feed: int, requests: Sequence[bytes], progress: Progress
) -> Outcome:
    first_s = len(requests) / FIRST_PER_S
    first = generators.drive(feed, requests, seconds=first_s, rate=FIRST_PER_S, in_order=True)
    first_p99_ms = percentile(first.latencies_ms, 0.99)
    progress(f"first pages of {len(requests)} viewers: p99 {first_p99_ms:.1f} ms")
    bare_per_s, feed_per_s, busy = list[float](), list[float](), 0.0
    for turn in range(ROUNDS):
        for port, per_s in ((bare, bare_per_s), (feed, feed_per_s)):
            found = generators.drive(port, requests, seconds=ROUND_S)
            per_s.append(found.per_s)
            busy = max(busy, found.busy_share)
        progress(f"turn {turn + 1}: bare {bare_per_s[-1]:.0f}/s, feed {feed_per_s[-1]:.0f}/s")
    half = median(feed_per_s) / 2
    calm = {port: list[list[float]]() for port in (bare, feed)}
    for _ in range(CALM_TURNS):
        for port, latencies in calm.items():
            found = generators.drive(port, requests, seconds=CALM_S, rate=half)
            latencies.append(found.latencies_ms)
    progress(f"{half:.0f} requests a second: done")
    ratios = [one / other for one, other in zip(feed_per_s, bare_per_s, strict=True)]
    return Outcome(
        "http",
        {
            "feed_per_s": median(feed_per_s),
            "bare_per_s": median(bare_per_s),
            "feed_p50_ms": median([median(turn) for turn in calm[feed]]),
            "feed_p99_ms": median([percentile(turn, 0.99) for turn in calm[feed]]),
            "bare_p99_ms": median([percentile(turn, 0.99) for turn in calm[bare]]),
            "feed_first_p99_ms": first_p99_ms,
            "generator_busy_share": busy,
        },
        {"feed_over_bare": median(ratios)},
    )


def _tokens(house: House, account_ids: Sequence[UUID]) -> list[str]:
    """Return access tokens of the accounts, as signing in gives them."""
    tokens = AccessTokens(
        secret=house.environment["MYRIORAMA_SECRET"],
        worker_token=house.environment["MYRIORAMA_WORKER_TOKEN"],
    )
    now = time.time()
    return [tokens.issue(i, uuid4(), ("viewer", "creator"), now=now) for i in account_ids]


def _await_ranking(port: int, token: str, progress: Progress) -> None:
    """Wait until the server is through with what a process does once: its loops are compiled."""
    began = time.monotonic()
    ranked = f"http://127.0.0.1:{port}/v1/feed?kind=popular"
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        answer = httpx.get(ranked, headers=headers, timeout=30)
        if answer.headers.get(DEGRADED_HEADER) != _LOADING:
            break
        time.sleep(0.5)
    progress(f"the ranking was ready after {time.monotonic() - began:.0f} s")


def _write_page(path: Path, port: int, token: str) -> Path:
    """Keep one page of the feed, for the bare route to answer."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"http://127.0.0.1:{port}{PATH}", headers=headers, timeout=30)
    answer.raise_for_status()
    if len(answer.json()["items"]) != ITEMS:
        raise ValueError(f"the page has not {ITEMS} items: {answer.text[:500]}")
    path.write_bytes(answer.content)
    return path
