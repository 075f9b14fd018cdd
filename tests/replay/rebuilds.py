"""What tests of rebuilds share: something to fold, and crowds who read it meanwhile."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from domain.invitation.aggregate import Invitation
from myriorama import processes
from myriorama.bootstrap.logs import projections
from myriorama.replay.rebuilding import Compared, Step
from myriorama.replay.swap import Swapped
from myriorama.settings import Settings
from myriorama.store.log import Log
from projections.projection import AnyProjection

ALICE = UUID(int=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

HEAD = "SELECT coalesce(max(position), 0) FROM events"
VIEWS_HEAD = "SELECT coalesce(max(last_position), 0) FROM view_appends"
ARRIVED = "SELECT name FROM projection_positions WHERE position >= %s"


def rebuilt(
    settings: Settings, projection: AnyProjection, *, accept_difference: bool = False
) -> list[Step]:
    return list(processes.rebuild(settings, projection, accept_difference=accept_difference))


def rolled_back(settings: Settings, projection: AnyProjection) -> list[Step]:
    return list(processes.roll_back(settings, projection))


def is_swapped(steps: Sequence[Step]) -> bool:
    return isinstance(steps[-1], Swapped)


def all_equal(steps: Sequence[Step]) -> bool:
    tables = [step for step in steps if isinstance(step, Compared)]
    return bool(tables) and all(table.equal for table in tables)


def is_as_the_log_says(settings: Settings, projection: AnyProjection) -> bool:
    """Whether the live tables are what the log comes to."""
    comparisons = [c for c in processes.verify_state(settings) if c.projection == projection.name]
    return bool(comparisons) and all(comparison.equal for comparison in comparisons)


def issue(log: Log, *numbers: int) -> None:
    for number in numbers:
        log.save(Invitation.issue(f"CODE{number}", issuer_id=ALICE, at=NOON))


def settle(settings: Settings) -> None:
    """Return when all projections of the domain log are where the log is."""
    names = {projection.name for projection in projections() if projection.log == "domain"}
    _settle(settings, names, HEAD)


def settle_views(settings: Settings) -> None:
    """Return when all projections of the view log are where the log is."""
    names = {projection.name for projection in projections() if projection.log == "views"}
    _settle(settings, names, VIEWS_HEAD)


def _settle(settings: Settings, names: set[str], head_of_log: LiteralString) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("LISTEN projected")
        (head,) = connection.execute(head_of_log).fetchone() or (0,)
        for _ in range(200):
            if names <= {name for (name,) in connection.execute(ARRIVED, (head,))}:
                return
            list(connection.notifies(timeout=0.2, stop_after=1))
    raise AssertionError("the projections did not come to the end of the log")


def rows(settings: Settings, query: LiteralString) -> list[TupleRow]:
    with psycopg.connect(settings.database_url) as connection:
        return connection.execute(query).fetchall()


def change(settings: Settings, *statements: LiteralString) -> None:
    """Do by hand what nobody should."""
    with psycopg.connect(settings.database_url) as connection:
        for statement in statements:
            connection.execute(statement)


class Crowd:
    """Threads that each do something over and over; what it answers is a failure."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.failures: list[Exception | str] = []
        self.done = count()

    def add(self, act: Callable[[], str | None]) -> None:
        self._threads.append(threading.Thread(target=self._repeat, args=(act,)))

    @contextmanager
    def at_it(self) -> Generator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join(timeout=120)

    def _repeat(self, act: Callable[[], str | None]) -> None:
        try:
            while not self._over.is_set():
                if failure := act():
                    self.failures.append(failure)
                next(self.done)
        except Exception as error:  # noqa: BLE001 - each one fails the test
            self.failures.append(error)
