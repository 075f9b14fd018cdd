"""Advancing: one transaction that folds a window into projections and moves their positions.

Both happen or neither: whatever dies, no event is folded twice, and none is left out.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache

import psycopg
import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from myriorama.replay.folding import WINDOW_MAX, DeadLetter, Share, bury
from projections.projection import AnyProjection

logger = structlog.get_logger(__name__)

POLL_S = 1.0
BACK_OFF_S_MIN, BACK_OFF_S_MAX = 0.1, 10.0

_BEGIN = """
    INSERT INTO projection_positions (name, position) SELECT unnest(%s::text[]), 0
    ON CONFLICT DO NOTHING
"""

_POSITIONS = "SELECT name, position FROM projection_positions WHERE name = ANY(%s)"

_MOVE = "SELECT move_projections(string_to_array(%s, ' '), %s, %s)"
_OVERTAKEN = "MY001"  # as migrations/0073_projector.sql has it

# What a crash of PostgreSQL takes back is position and rows alike, and it is folded again: so no
# commit here has to wait for the disk. Nobody's lock holds up the projections for long, and what a
# killed projector had begun is given up at once.
_SETTINGS = """
    SET synchronous_commit = off; SET lock_timeout = '1s';
    SET client_connection_check_interval = '1s'
"""

_LAG = Gauge("myriorama_projection_lag_events", "Positions behind its log's head", ["projection"])
_FOLDED = Counter("myriorama_projection_folded_events", "Events folded", ["projection"])
_FOLDING = Counter("myriorama_projection_folding_seconds", "Time spent folding", ["projection"])
_BURIED = Counter(
    "myriorama_projection_dead_letters", "Events that could not be folded", ["projection"]
)
_STILL = Gauge(
    "myriorama_projection_standing_still", "1: it cannot go on until somebody acts", ["projection"]
)

Connected = Connection[TupleRow]
Outcome = tuple[Sequence[Share], Sequence[DeadLetter]]
Fold = Callable[[], Outcome]


class Overtaken(Exception):
    """Another projector has moved the positions since they were read. Nothing was changed."""


def connect(url: str, names: Sequence[str], *channels: str) -> Connected:
    """Open a connection to advance over, which listens; projections that are new begin at 0."""
    connection = psycopg.connect(url, autocommit=True)
    connection.execute(_SETTINGS)
    connection.execute(_BEGIN, (list(names),))
    for channel in channels:
        connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
    return connection


def positions(connection: Connected, names: Sequence[str]) -> Mapping[str, int]:
    """Return where the projections stand."""
    return dict(connection.execute(_POSITIONS, (list(names),)).fetchall())


def advance(
    connection: Connected, projections: Sequence[AnyProjection], after: int, upto: int, fold: Fold
) -> None:
    """Move the projections from `after` to `upto`, and `fold` in the same transaction.

    No statement of it waits for another, so that an error does not tell whose it is.

    Raises:
        Overtaken: they are not at `after` any more.
    """
    with _unless_overtaken(), _pipelined(connection):
        shares, letters = _move(connection, projections, (after, upto), fold)
    _tell(shares, letters)


def advance_carefully(
    connection: Connected, projections: Sequence[AnyProjection], after: int, upto: int, fold: Fold
) -> None:
    """Do the same one statement after the other; `fold` may go back to savepoints.

    Raises:
        Overtaken: they are not at `after` any more.
    """
    with _unless_overtaken(), connection.transaction():
        shares, letters = _move(connection, projections, (after, upto), fold)
    _tell(shares, letters)


def tell_lag(projections: Sequence[AnyProjection], lag: int) -> None:
    """Tell how many positions the projections are behind their log."""
    for projection in projections:
        _lag(projection.name).set(max(0, lag))


def tell_standing(projection: AnyProjection, *, still: bool) -> None:
    """Tell whether a projection stands still."""
    _STILL.labels(projection.name).set(still)


@cache
def _counters(name: str) -> tuple[Counter, Counter]:
    return _FOLDED.labels(name), _FOLDING.labels(name)


@cache
def _lag(name: str) -> Gauge:
    return _LAG.labels(name)


def _move(
    connection: Connected,
    projections: Sequence[AnyProjection],
    bounds: tuple[int, int],
    fold: Fold,
) -> Outcome:
    names = " ".join(projection.name for projection in projections)
    connection.execute(_MOVE, (names, *bounds))
    shares, letters = fold()
    bury(connection, letters)
    return shares, letters


@contextmanager
def _pipelined(connection: Connected) -> Generator[None]:
    """Have one round trip for all that is executed, from the beginning to the commit."""
    try:
        with connection.pipeline():
            connection.execute("BEGIN")
            yield
            connection.execute("COMMIT")
    except BaseException:
        with suppress(psycopg.OperationalError):  # the connection may be lost, and all with it
            connection.rollback()
        raise


@contextmanager
def _unless_overtaken() -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate == _OVERTAKEN:
            raise Overtaken from error
        raise


def _tell(shares: Sequence[Share], letters: Sequence[DeadLetter]) -> None:
    for share in shares:
        folded, folding = _counters(share.projection.name)
        folded.inc(share.events)
        folding.inc(share.seconds)
    for letter in letters:
        logger.error(
            "event given up",
            projection=letter.projection,
            position=letter.position,
            error=letter.error,
        )
        _BURIED.labels(letter.projection).inc()


class Pace:
    """How long windows are: longer while there is more, shorter when they take too long."""

    _FIRST = 100
    _SWIFT_S, _SLOW_S = 0.25, 0.5

    def __init__(self) -> None:
        self.limit = self._FIRST

    def learn(self, seconds: float, *, full: bool) -> None:
        """Take note of how long a window took, and whether there is more behind it."""
        if seconds > self._SLOW_S:
            self.limit = max(1, self.limit // 2)
        elif full and seconds < self._SWIFT_S:
            self.limit = min(WINDOW_MAX, self.limit * 2)
