"""The ranked feeds of a process, joined to the logs, the models and the read side."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from domain.ranking.errors import ModelNotFound, ModelUnusable
from myriorama.bootstrap.compiling import Compiling
from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.feed.feeds import Feeds
from myriorama.feed.live_state import LiveState
from myriorama.feed.ranked_feeds import RankedFeeds
from myriorama.feed.rankers import Rankers
from myriorama.feed.ranking import Ranking
from myriorama.feed.reasons import Reasons
from myriorama.feed.slates import Slates
from myriorama.feed.warming import warm_up
from myriorama.store.event_source import EventSource
from myriorama.store.objects import ObjectNotFound, Objects
from myriorama.store.postgres import Pool
from myriorama.store.projected import Projected
from myriorama.store.state_stretches import StateStretches
from myriorama.store.view_columns import ViewColumnSource
from ranking.heuristic import Heuristic
from ranking.model import BYTES_MAX, Model, ModelRefused
from ranking.ranker import Ranker
from ranking.state import State

logger = structlog.get_logger(__name__)

RANKING_STATE = "ranking_state"
"""Under this name `Projected` knows how far the state of this process is folded."""


@dataclass(frozen=True)
class RankedParts:
    """What ranks in this process; in memory, and only while it is followed."""

    live: LiveState[State]
    rankers: Rankers[Ranker]
    ranking: Ranking
    feeds: RankedFeeds
    reasons: Reasons
    followed: "Followed"
    compiling: Compiling

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - all that it is joined to
        cls,
        url: str,
        reads: Pool,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        objects: Objects,
        feeds: Feeds,
        projected: Projected,
    ) -> Self:
        """Join the parts; nothing is followed yet."""
        rankers = create_rankers(objects, tried=True)
        followed = Followed(rankers, projected)
        compiling = Compiling()

        def make() -> State:
            compiling.wait()
            return create_state()

        live = LiveState(url, create_stretches(reads, objects), make, folded=followed.folded)
        ranking, slates = Ranking(live, rankers), Slates(pool)
        return cls(
            live,
            rankers,
            ranking,
            RankedFeeds(feeds, ranking, slates),
            Reasons(pool),
            followed,
            compiling,
        )

    @contextmanager
    def following(self) -> Generator[None]:
        """Follow the logs while the context is open, in an event loop."""
        self.followed.loop = asyncio.get_running_loop()
        self.compiling.begin()
        try:
            with self.live:
                try:
                    yield
                finally:
                    self.live.stop()
                    self.compiling.close()
        finally:
            self.feeds.close()
            self.ranking.close()


class Followed:
    """Is told what was folded, and tells who waits for it. Used by the thread that folds."""

    def __init__(self, rankers: Rankers[Ranker], projected: Projected) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._rankers = rankers
        self._projected = projected
        self._is_warm = False

    def folded(self, state: State) -> None:
        """Have the active model loaded, and what is compiled ready; then tell how far it is."""
        if not self._is_warm:
            self._is_warm = True
            try:
                warm_up(create_state(), Heuristic())
            except Exception:  # it is tried again, and counted, for whoever asks first
                logger.exception("nothing can be ranked")
        self._rankers.keep_up(state.active.model_digest)
        if self.loop is None:
            return
        telling = self._projected.tell({RANKING_STATE: state.version[0]})
        try:
            asyncio.run_coroutine_threadsafe(telling, self.loop)
        except RuntimeError:  # the loop has ended, and nobody waits
            with suppress(RuntimeError):
                telling.close()


def create_stretches(pool: Pool, objects: Objects) -> StateStretches:
    """Join both logs for a state of the ranking."""
    return StateStretches(EventSource(pool), ViewColumnSource(pool, objects), State.TOPICS)


def create_state() -> State:
    """Return the state of the ranking before anything has happened."""
    vectors = prompt_vectors()
    return State(vectors.embed, vectors.topics)


def create_rankers(objects: Objects, *, tried: bool = False) -> Rankers[Ranker]:
    """Join the models to the object store; if `tried`, each has to rank a made-up house first.

    What is compiled for a model is compiled then, and one that cannot rank never gets to do so.
    """

    def load(blob: bytes, digest: str) -> Ranker:
        model = Model.load(blob, digest)
        if tried:
            try:
                warm_up(create_state(), model)
            except Exception as error:  # whatever its numbers come to
                raise ModelRefused(f"it cannot rank: {error or type(error)}") from error
        return model

    return Rankers[Ranker](objects, load, fallback=Heuristic(), size_max=BYTES_MAX)


def create_usable(objects: Objects) -> Callable[[str], None]:
    """Return what tells of a digest whether its model could rank here, by having it rank.

    It raises ModelNotFound and ModelUnusable.
    """
    rankers = create_rankers(objects, tried=True)

    def require_usable(digest: str) -> None:
        try:
            rankers.load(digest)
        except ObjectNotFound as error:
            raise ModelNotFound("No model with this digest is stored.") from error
        except ModelRefused as error:
            raise ModelUnusable(f"The stored file is refused: {error}.") from error

    return require_usable
