"""Slates of the log as examples to train on: both logs folded to where each was decided."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np

from myriorama.replay.slates import Logged, chains
from myriorama.store.postgres import Pool
from myriorama.store.state_stretches import Positions, StateStretches
from ranking.decision import Decision
from ranking.deeds import Surface
from ranking.training.examples import Examples
from ranking.training.slates import Gathering, Wanted, joined

_WINDOW = 50_000
_TOLD_EVERY = 500

_LOGGED = """
    SELECT decision_id, (ranking->>'domain_position')::bigint, (ranking->>'view_position')::bigint
    FROM slates WHERE ranking IS NOT NULL AND ranking->>'kind' = 'for_you' AND recorded_at < %s
    ORDER BY position
"""

# How far both logs went at a time: what came later must not be learnt of.
_UPTO = """
    SELECT coalesce((SELECT position FROM events WHERE recorded_at < %(until)s
                     ORDER BY position DESC LIMIT 1), 0),
           coalesce((SELECT last_position FROM view_appends WHERE recorded_at < %(until)s
                     ORDER BY last_position DESC LIMIT 1), 0)
"""

_FIRST = "SELECT min(recorded_at) FROM slates WHERE ranking IS NOT NULL"

_RANKING = "SELECT ranking::text FROM slates WHERE decision_id = %s AND ranking IS NOT NULL"


class Gathered(NamedTuple):
    """What the log has to train on, and the state at the end of it."""

    examples: Examples
    state: Gathering
    slates: int
    """How many ranked slates there are; of the youngest it is not known yet what came of them."""


def first_slate(pool: Pool) -> datetime | None:
    """Tell when the first ranked slate of the log was served; None if none was."""
    with pool.connection() as connection:
        row = connection.execute(_FIRST).fetchone()
    return row[0] if row else None


def gather(
    pool: Pool,
    stretches: StateStretches,
    make: Callable[[], Gathering],
    until: datetime,
    progress: Callable[[str], None],
) -> Gathered:
    """Read again what was known of each slate served until a time, and what followed by then."""
    with pool.connection() as connection:
        found = connection.execute(_LOGGED, (until,)).fetchall()
        ((domain, views),) = connection.execute(_UPTO, {"until": until}).fetchall()
    logged = [Logged(row[0], Positions(row[1], row[2])) for row in found]
    progress(f"{len(logged):,} ranked slates are in the log")
    parts: list[Examples] = []
    state = make()
    end = Positions(domain, views)
    told = _Told(len(logged), progress)
    for number, chain in enumerate(chains(logged)):
        # Slates that cannot follow one another are passed by states of their own.
        state = make() if number else state
        at = Positions(0, 0)
        for slate in chain:
            _fold(stretches, state, at, slate.positions)
            at = slate.positions
            _remember(pool, state, slate)
            told.one_more()
        _fold(stretches, state, at, end)
        parts.append(state.examples(int(until.timestamp() * 1000)))
    if not parts:
        _fold(stretches, state, Positions(0, 0), end)
    return Gathered(joined(parts), state, len(logged))


class _Told:
    """Tells of every so many slates."""

    def __init__(self, count: int, progress: Callable[[str], None]) -> None:
        self._count, self._progress, self._done = count, progress, 0

    def one_more(self) -> None:
        self._done += 1
        if self._done % _TOLD_EVERY == 0 or self._done == self._count:
            self._progress(f"{self._done:,} of {self._count:,} slates read again")


def _fold(stretches: StateStretches, state: Gathering, after: Positions, upto: Positions) -> None:
    for fold in stretches.between(after, upto, window=_WINDOW):
        fold(state)


def _remember(pool: Pool, state: Gathering, slate: Logged) -> None:
    with pool.connection() as connection:
        row = connection.execute(_RANKING, (slate.decision_id,)).fetchone()
    if row is None:
        return
    try:
        decision = Decision.decode(row[0])
    except msgspec.DecodeError:
        return  # decided by another release: what it looked at is not known here
    scored = [
        serial
        for serial, score in zip(
            decision.candidates.serials, decision.candidates.score, strict=True
        )
        if score is not None
    ]
    state.remember(
        Wanted(
            decision=decision.decision.bytes,
            viewer=decision.viewer.bytes,
            as_of_ms=decision.as_of_ms,
            surface=Surface.FOR_YOU,
            scored=np.array(scored, np.int32),
            placed=[placed.video.bytes for placed in decision.order],
        )
    )
