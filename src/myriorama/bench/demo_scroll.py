"""Bench `scroll`: five hundred videos on end in the demo world, over HTTP, by somebody new to it.

Beside how varied they are stands how varied those are that score highest among the candidates of
the same slates, and those that are newest. In a scratch house the clips are named but not rendered:
nothing is played here. A house that runs is walked through as it is.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx
import numpy as np
from numpy.typing import NDArray

from myriorama.application.demo_world import Clip, DemoWorld
from myriorama.application.passwords import Passwords
from myriorama.bench.outcome import Outcome, Progress, median, percentile
from myriorama.bench.scratch import scratch_house
from myriorama.bench.scrolling import Decided, decided_for, plain_order, varied
from myriorama.bench.walking import Shares, Walked, Walker
from myriorama.bootstrap.feeds import create_state, create_stretches
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects, Objects
from myriorama.store.postgres import open_pool
from myriorama.store.state_stretches import Positions
from myriorama.store.view_writer import ViewWriter
from myriorama.workers.demo.populating import THEMES, Populated, populate, themed
from ranking.state import State

ITEMS = 500
PEOPLE, VIDEOS = 200, 2_000
STEERED = 5
SAY, WORD = "more dragons", "dragon"


class House(NamedTuple):
    """A house that runs: its API, its logs, and how somebody new comes in."""

    api: httpx.Client
    database_url: str
    objects: Objects
    invite: Callable[[], str | None]


def measure(progress: Progress) -> Outcome:
    """Fill a scratch house with the demo world, and walk through it."""
    with scratch_house() as scratch:
        for line in fill(scratch.database_url, people=PEOPLE, videos=VIDEOS):
            progress(line)
        with (
            scratch.program("myriorama", "project"),
            scratch.server("myriorama.bootstrap.api:api", MYRIORAMA_SIGN_UP="open") as port,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as api,
        ):
            objects = FolderObjects(scratch.folder / "objects")
            return walk(House(api, scratch.database_url, objects, lambda: None), progress)


def fill(database_url: str, *, people: int, videos: int) -> Iterable[str]:
    """Fill a house with the demo world, of clips that are named but not rendered."""
    clips = [themed(_named(prompt, uuid4())) for prompt in THEMES]
    writer = ViewWriter(database_url)
    try:
        with open_pool(database_url, size_max=2) as pool:
            world = DemoWorld(Log(pool), Passwords())
            for done in populate(world, writer, clips, people=people, videos=videos):
                if not isinstance(done, Populated):
                    yield done
    finally:
        writer.close()


def walk(house: House, progress: Progress, *, items: int = ITEMS) -> Outcome:
    """Walk through a house as people who are new to it."""
    tag = uuid4().hex[:8]
    Walker(house.api, f"first_{tag}", house.invite()).await_ranking()
    walker = Walker(house.api, f"walker_{tag}", house.invite())
    walked = walker.walk("for_you", items)
    progress(f"{len(walked.items)} videos on {len(walked.took)} pages")
    latest = Walker(house.api, f"newest_{tag}", house.invite()).walk("latest", items)
    state = _state(house)
    decided = decided_for(house.database_url, walker.account_id)
    steerers = [Walker(house.api, f"steerer_{n}_{tag}", house.invite()) for n in range(STEERED)]
    less = [steerer.ask_less(lambda ids: _topics(state, ids)) for steerer in steerers]
    wishful = [Walker(house.api, f"wishful_{n}_{tag}", house.invite()) for n in range(STEERED)]
    more = [walker.steer(SAY, WORD) for walker in wishful]
    return Outcome(
        "scroll", {**_figures(state, walked, latest, decided), **_steered(less, more)}, {}
    )


def _figures(
    state: State, walked: Walked, latest: Walked, decided: Sequence[Decided]
) -> dict[str, float]:
    video_ids = [item.video_id for item in walked.items]
    plain, plain_worth = plain_order(decided)
    worth = [placed.score for each in decided for placed in each.decision.order[: each.shown]]
    return {
        "scroll_items": len(video_ids),
        "scroll_repeats": len(video_ids) - len(set(video_ids)),
        "scroll_degraded": walked.degraded,
        "page_p50_ms": median(walked.took),
        "page_p99_ms": percentile(walked.took, 0.99),
        **varied("", state, _serials(state, video_ids)),
        **varied("plain_", state, plain),
        **varied("latest_", state, _serials(state, [item.video_id for item in latest.items])),
        "worth": float(np.mean(worth)),
        "plain_worth": plain_worth,
    }


def _steered(less: Sequence[Shares], more: Sequence[Shares]) -> dict[str, float | None]:
    undone = [shares.undone for shares in more if shares.undone is not None]
    return {
        "see_less_share_before": float(np.mean([shares.before for shares in less])),
        "see_less_share_after": float(np.mean([shares.after for shares in less])),
        "steer_share_before": float(np.mean([shares.before for shares in more])),
        "steer_share_after": float(np.mean([shares.after for shares in more])),
        "steer_share_least": min(shares.after for shares in more),
        "steer_share_undone": float(np.mean(undone)),
    }


def _state(house: House) -> State:
    """Return the state that both logs lead to by now."""
    with open_pool(house.database_url, size_max=1) as pool:
        stretches, state = create_stretches(pool, house.objects), create_state()
        for fold in stretches.between(Positions(0, 0), stretches.heads()):
            fold(state)
    return state


def _serials(state: State, video_ids: Sequence[UUID]) -> NDArray[np.int32]:
    return state.videos.serials([video_id.bytes for video_id in video_ids])


def _topics(state: State, video_ids: Sequence[UUID]) -> list[int]:
    topics: list[int] = state.videos.topic[_serials(state, video_ids)].tolist()
    return topics


def _named(prompt: str, name: UUID) -> Clip:
    keys = (f"videos/{name}", f"posters/{name}", f"thumbnails/{name}")
    return Clip(prompt, (), keys[0], keys[1], keys[2], width=480, height=832, duration_ms=4000)
