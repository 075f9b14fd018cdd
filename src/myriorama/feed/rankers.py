"""Rankers: the model that ranks in this process, loaded by its digest from the object store.

A model is activated by an event. One that cannot be read, or was trained on other features, is
refused: the last good one goes on, or what ranks where there is none.
"""

import time
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

import structlog
from prometheus_client import Counter

from myriorama.store.objects import Objects, ranker_key

logger = structlog.get_logger(__name__)

_AGAIN_S = 10.0

_REFUSED = Counter("myriorama_ranking_models_refused", "Models activated that could not be loaded")


class Ranker(Protocol):
    """What scores; its digest names it in decisions."""

    @property
    def digest(self) -> str: ...


M = TypeVar("M", bound=Ranker)


class Choice(NamedTuple, Generic[M]):
    """What ranks, and why it is not the model that was activated, if it is not."""

    ranker: M
    degraded: str | None


class Rankers(Generic[M]):
    """Holds one ranker at a time. One thread keeps it up to date, any may ask for it."""

    def __init__(
        self,
        objects: Objects,
        load: Callable[[bytes, str], M],
        *,
        fallback: M,
        size_max: int,
    ) -> None:
        """Take the collaborators.

        Args:
            objects: where models lie.
            load: reads a model, which must have the digest given; raises if it cannot be used.
            fallback: what ranks where no model does.
            size_max: no more bytes than these are read of a file, and one more.
        """
        self._objects = objects
        self._load = load
        self._fallback = fallback
        self._size_max = size_max
        self._choice = Choice(fallback, "no model")
        self._asked = ""
        self._again_at_s = 0.0

    @property
    def choice(self) -> Choice[M]:
        """What ranks now."""
        return self._choice

    def keep_up(self, digest: str) -> None:
        """Load the model that is active, "" if none is. What cannot be had is tried again."""
        is_settled = digest == self._asked and self._choice.degraded in {None, "no model"}
        if is_settled or (digest == self._asked and time.monotonic() < self._again_at_s):
            return
        self._asked = digest
        self._again_at_s = time.monotonic() + _AGAIN_S
        if not digest:
            self._choice = Choice(self._fallback, "no model")
            return
        try:
            self._choice = Choice(self.load(digest), None)
        except Exception as error:  # noqa: BLE001 - a store or a file, whatever it raises: the feed goes on
            _REFUSED.inc()
            logger.error(  # noqa: TRY400 - the message says it
                "the model is refused", digest=digest, error=str(error), again_in_s=_AGAIN_S
            )
            self._choice = Choice(self._choice.ranker, "model refused")
        else:
            logger.info("the model ranks", digest=digest)

    def load(self, digest: str) -> M:
        """Return a model, or what ranks without one if the digest is its.

        Raises:
            ObjectNotFound: it is not in the object store.
            Exception: it cannot be read, or cannot be used.
        """
        if digest == self._fallback.digest:
            return self._fallback
        return self._load(self._objects.read(ranker_key(digest), 0, self._size_max + 1), digest)
