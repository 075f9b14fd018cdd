"""Slates made again: whether what was served follows from the logs, byte for byte.

Each is decided anew by a state that is folded from nothing to the two positions that the decision
names, by the model it names. States are folded once for all slates that can follow one another.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.store.objects import ObjectNotFound
from myriorama.store.postgres import Pool
from myriorama.store.state_stretches import Positions, StateStretches
from ranking.decision import Decision
from ranking.model import ModelRefused
from ranking.pipeline import rank
from ranking.query import Kind, Query
from ranking.ranker import Ranker
from ranking.state import State

_AT_ONCE = 200

_NEWEST = """
    SELECT decision_id, (ranking->>'domain_position')::bigint, (ranking->>'view_position')::bigint
    FROM slates WHERE ranking IS NOT NULL ORDER BY position DESC LIMIT %s
"""

_ONE = """
    SELECT decision_id, (ranking->>'domain_position')::bigint, (ranking->>'view_position')::bigint
    FROM slates WHERE decision_id = %s AND ranking IS NOT NULL
"""

_RANKINGS = """
    SELECT decision_id, ranking::text FROM slates
    WHERE decision_id = ANY(%s) AND ranking IS NOT NULL
"""

_WINDOW = 50_000


class Logged(NamedTuple):
    """A slate in the log, and the state that it was decided by."""

    decision_id: UUID
    positions: Positions


class Remade(NamedTuple):
    """What became of a slate that was made again; `difference` is None if it is equal."""

    decision_id: UUID
    difference: str | None

    @property
    def is_equal(self) -> bool:
        """Whether it is the same to the byte."""
        return self.difference is None


class SlateUnknown(Exception):
    """No slate of this ID is in the log."""


class Remaking:
    """Makes slates again."""

    def __init__(
        self,
        pool: Pool,
        stretches: StateStretches,
        make: Callable[[], State],
        load: Callable[[str], Ranker],
    ) -> None:
        """Take the logs, what makes a state of nothing, and what loads a ranker by its digest."""
        self._pool = pool
        self._stretches = stretches
        self._make = make
        self._load = load
        self._rankers: dict[str, Ranker] = {}
        self._refused: dict[str, str] = {}

    def one(self, decision_id: UUID) -> Remade:
        """Make one slate again.

        Raises:
            SlateUnknown: it is not in the log.
        """
        with self._pool.connection() as connection:
            found = _logged(connection.execute(_ONE, (decision_id,)).fetchall())
        if not found:
            raise SlateUnknown(f"no ranked slate {decision_id} is in the log")
        return next(self._chain(found[:1]))

    def newest(self, count: int | None = None) -> Iterator[Remade]:
        """Make so many of the newest slates again, or all whose days are here; yields each."""
        with self._pool.connection() as connection:
            rows = connection.execute(_NEWEST, (count,)).fetchall()
        for chain in chains(_logged(rows)):
            yield from self._chain(chain)

    def _chain(self, chain: Sequence[Logged]) -> Iterator[Remade]:
        """Make slates again, each decided by no younger a state than the one before."""
        state, at = self._make(), Positions(0, 0)
        for first in range(0, len(chain), _AT_ONCE):
            some = chain[first : first + _AT_ONCE]
            with self._pool.connection() as connection:
                rankings = _rankings(connection, [logged.decision_id for logged in some])
            for logged in some:
                for fold in self._stretches.between(at, logged.positions, window=_WINDOW):
                    fold(state)
                at = logged.positions
                yield self._remade(state, logged.decision_id, rankings[logged.decision_id])

    def _remade(self, state: State, decision_id: UUID, served: str) -> Remade:
        try:
            decision = Decision.decode(served)
        except msgspec.DecodeError as error:
            return Remade(decision_id, f"it is not a decision of this release: {error}")
        query = Query(
            decision=decision.decision,
            viewer=decision.viewer.bytes,
            kind=cast("Kind", decision.kind),
            as_of_ms=decision.as_of_ms,
            seed=decision.seed,
            size=decision.size,
            pending=tuple(video.bytes for video in decision.pending),
        )
        ranker = self._ranker(decision.model)
        if ranker is None:
            return Remade(decision_id, self._refused[decision.model])
        made = rank(state, ranker, state.active.ruling(decision.policy), query).encode()
        if made == served.encode():
            return Remade(decision_id, None)
        there, here = msgspec.json.decode(served), msgspec.json.decode(made)
        return Remade(decision_id, first_difference(there, here) or "the JSON is written otherwise")

    def _ranker(self, digest: str) -> Ranker | None:
        """Return the ranker of a digest, loaded once; None if there is none, or it is refused."""
        if digest in self._refused:
            return None
        try:
            return self._rankers.get(digest) or self._rankers.setdefault(digest, self._load(digest))
        except (ModelRefused, ObjectNotFound) as error:
            self._refused[digest] = f"the model {digest} cannot make it again: {error}"
            return None


def chains(slates: Sequence[Logged]) -> list[list[Logged]]:
    """Return the slates in as few rows as can be of which each position is behind the last one's.

    Processes fold at their own pace, so one that is ahead in one log may lag in the other.
    """
    found = list[list[Logged]]()
    for slate in sorted(slates, key=lambda each: each.positions):
        for chain in found:
            if chain[-1].positions.views <= slate.positions.views:
                chain.append(slate)
                break
        else:
            found.append([slate])
    return found


def first_difference(there: Any, here: Any, path: str = "") -> str | None:
    """Return where two JSON values differ first, and by what; None if they do not."""
    if isinstance(there, dict) and isinstance(here, dict):
        one, other = cast("dict[str, Any]", there), cast("dict[str, Any]", here)
        names = [*one, *(name for name in other if name not in one)]
        pairs = [(f"{path}.{name}", one.get(name), other.get(name)) for name in names]
    elif isinstance(there, list) and isinstance(here, list):
        mine, others = cast("list[Any]", there), cast("list[Any]", here)  # type: ignore[redundant-cast]  # not to pyright
        if len(mine) != len(others):
            return f"{path}: {len(mine)} items were served, {len(others)} are made"
        pairs = [
            (f"{path}[{place}]", *pair) for place, pair in enumerate(zip(mine, others, strict=True))
        ]
    else:
        return None if there == here else f"{path}: {there!r} was served, {here!r} is made"
    return next(filter(None, (first_difference(a, b, where) for where, a, b in pairs)), None)


def _logged(rows: Sequence[TupleRow]) -> list[Logged]:
    return [Logged(decision_id, Positions(domain, views)) for decision_id, domain, views in rows]


def _rankings(connection: Connection[TupleRow], ids: Sequence[UUID]) -> dict[UUID, str]:
    return dict(connection.execute(_RANKINGS, (list(ids),)).fetchall())
