"""The ranking of this process: decides slates by the live state, in a thread of its own.

Who turns a page waits for no decision, only for what is being folded.

It goes down a ladder rather than fail: the model, the formula, and None, upon which the caller
shows what is newest.
"""

import asyncio
import secrets
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from uuid import UUID

import numpy as np
import structlog
from prometheus_client import Counter, Histogram

from myriorama.feed.live_state import LiveState
from myriorama.feed.rankers import Rankers
from myriorama.feed.slates import RankedSlate
from ranking.filters import DROP, still_allowed
from ranking.pipeline import rank
from ranking.query import NOBODY, Kind, Query, resolve
from ranking.ranker import Ranker
from ranking.state import State

logger = structlog.get_logger(__name__)

DROPPED = "dropped"
"""Instead of a rule that warns: the video may not be shown."""

_WAITING_MAX = 64

_SECONDS = Histogram(
    "myriorama_ranking_call_seconds",
    "To decide on a slate, without the wait for others",
    buckets=(0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.02, 0.05, 0.1, 0.5),
)
_FAILED = Counter("myriorama_ranking_failures", "Slates that could not be decided")


class Decided(NamedTuple):
    """A slate, or None and why there is none; `degraded` says what a slate had to do without."""

    slate: RankedSlate | None
    degraded: str | None


class Looked(NamedTuple):
    """Why a warning stands before each video now, or DROPPED; whether the viewer steers anew."""

    rules: list[str | None]
    is_steered_otherwise: bool


class Asked(NamedTuple):
    """Who asks for a slate and when; `shown` is what they were shown lately, oldest first."""

    viewer_id: bytes
    kind: Kind
    as_of_ms: int
    shown: Sequence[bytes] = ()


class Ranking:
    """Decides slates, and looks again at decided ones. Lives in one event loop."""

    def __init__(self, live: LiveState[State], rankers: Rankers[Ranker]) -> None:
        self._live = live
        self._rankers = rankers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ranking")
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="looking again")
        self._waiting = 0
        self._idle = asyncio.Event()

    def close(self) -> None:
        """Decide no more."""
        self._thread.shutdown(cancel_futures=True)
        self._looking.shutdown(cancel_futures=True)

    async def decide(self, asked: Asked, decision_id: UUID) -> Decided:
        """Decide on a slate. Never fails: see `Decided`."""
        if self._live.standing == "loading":
            return Decided(None, "state loading")
        if self._waiting >= _WAITING_MAX:
            return Decided(None, "busy")
        self._waiting += 1
        self._idle.clear()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._decided, asked, decision_id)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._idle.set()

    async def idle(self) -> None:
        """Return when nobody waits for a decision."""
        while self._waiting:
            await self._idle.wait()

    async def look_again(
        self, asked: Asked, slate: RankedSlate, video_ids: Sequence[bytes]
    ) -> Looked:
        """Say of videos of a slate what the state says of them by now."""
        with self._live.read_if_free() as state:
            if state is not None:
                return _looked(state, asked, slate, video_ids)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._looking, self._look_later, asked, slate, video_ids)

    def _look_later(self, asked: Asked, slate: RankedSlate, video_ids: Sequence[bytes]) -> Looked:
        with self._live.read() as state:
            if state is not None:
                return _looked(state, asked, slate, video_ids)
        rules = dict(zip(slate.video_ids, slate.rules, strict=True))
        return Looked([rules[video_id] for video_id in video_ids], is_steered_otherwise=False)

    def _decided(self, asked: Asked, decision_id: UUID) -> Decided:
        ranker, degraded = self._rankers.choice
        try:
            with self._live.read() as state:
                if state is None:
                    return Decided(None, "state loading")
                with _SECONDS.time():
                    query = Query(
                        decision=decision_id,
                        viewer=asked.viewer_id,
                        kind=asked.kind,
                        as_of_ms=asked.as_of_ms,
                        seed=secrets.randbits(53),
                        pending=_pending(state, asked),
                    )
                    decision = rank(state, ranker, state.active.policy, query)
                steering = _steering(state, asked.viewer_id)
        except Exception:  # whatever it is, the viewer is shown something
            _FAILED.inc()
            logger.exception("a slate could not be decided", viewer=asked.viewer_id.hex())
            return Decided(None, "ranking failed")
        slate = RankedSlate.of(decision, decision.encode().decode())
        if degraded is None and self._live.standing == "behind":
            degraded = "state behind"
        slate.steering, slate.degraded = steering, degraded
        return Decided(slate, degraded)


def _pending(state: State, asked: Asked) -> tuple[bytes, ...]:
    """Return what the state does not leave out by itself of what the viewer was shown lately."""
    viewer = state.people.serial(asked.viewer_id)
    serials = np.array([state.videos.serial(video_id) for video_id in asked.shown], np.int32)
    if viewer == NOBODY:
        return tuple(asked.shown)
    seen = np.zeros(len(serials), np.bool_)
    known = serials != NOBODY
    seen[known] = state.histories.seen(viewer, serials[known], asked.as_of_ms)
    return tuple(
        video_id for video_id, is_seen in zip(asked.shown, seen, strict=True) if not is_seen
    )


def _looked(state: State, asked: Asked, slate: RankedSlate, video_ids: Sequence[bytes]) -> Looked:
    query = Query(UUID(int=0), asked.viewer_id, asked.kind, asked.as_of_ms, 0)
    serials = np.array([state.videos.serial(video_id) for video_id in video_ids], np.int32)
    known = serials != NOBODY
    resolved = resolve(query, state.people, state.videos)
    judged = still_allowed(state, resolved, state.active.policy, serials[known])
    rules: list[str | None] = [DROPPED] * len(video_ids)
    for place, row in enumerate(np.flatnonzero(known).tolist()):
        if judged.verdict[place] != DROP:
            rules[row] = judged.warning(place)
    then = slate.steering
    is_other = then is not None and then != _steering(state, slate.viewer_id)
    return Looked(rules, is_steered_otherwise=is_other)


def _steering(state: State, viewer_id: bytes) -> Hashable:
    """Return what a viewer has said about their feed, comparable with what they say later."""
    people, viewer = state.people, state.people.serial(viewer_id)
    if viewer == NOBODY:
        return ()
    return (
        people.rules(viewer),
        people.less(viewer),
        bool(people.personalised[viewer]),
        int(people.forgotten_ms[viewer]),
    )
