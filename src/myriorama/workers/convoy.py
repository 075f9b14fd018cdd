"""Convoys: all projections that stand at the same place follow their log together.

Each window is read and decoded once for all of them. Who fails, or is far behind, leaves, so that
nobody waits for anybody, and comes back once level (straggler.py).
"""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import psycopg
import structlog
from psycopg.errors import LockNotAvailable
from psycopg_pool import PoolTimeout

from myriorama.replay.folding import (
    WINDOW_MAX,
    DeadLetter,
    Share,
    Source,
    fold_singly,
    may_be_an_event,
    newer,
    undecodable,
)
from myriorama.store.full_disk import is_full, raise_alarm
from myriorama.workers.advancing import (
    BACK_OFF_S_MAX,
    BACK_OFF_S_MIN,
    POLL_S,
    Connected,
    Overtaken,
    Pace,
    advance,
    advance_carefully,
    connect,
    positions,
    tell_lag,
    tell_standing,
)
from myriorama.workers.lookahead import Lookahead
from projections.projection import AnyProjection, Window

logger = structlog.get_logger(__name__)


Part = Callable[[AnyProjection], None]


class Bell:
    """Wakes one who waits for news of PostgreSQL, from another thread."""

    def __init__(self) -> None:
        self._rung, self._ring = socket.socketpair()
        self._rung.setblocking(False)  # noqa: FBT003 - the library's own signature
        self._ring.setblocking(False)  # noqa: FBT003 - the library's own signature

    def ring(self) -> None:
        """Wake whoever waits now, or else who waits next."""
        with suppress(OSError):  # it rings already, or nobody waits any more
            self._ring.send(b"!")

    def wait(self, connection: Connected, seconds: float) -> None:
        """Return at the first notification, ring or end of the time. Notifications are used up.

        Raises:
            psycopg.OperationalError: the connection is lost.
        """
        if _heard(connection):
            return
        news = select.poll()
        news.register(self._rung, select.POLLIN)
        news.register(connection.fileno(), select.POLLIN)
        if any(number == self._rung.fileno() for number, _ in news.poll(seconds * 1000)):
            self._rung.recv(4096)
        _heard(connection)

    def close(self) -> None:
        self._rung.close()
        self._ring.close()


class Convoy:
    """Follows one log with all projections that stand at the same position."""

    def __init__(
        self, url: str, source: Source, projections: Sequence[AnyProjection], part: Part
    ) -> None:
        """Take the projections; `part` is called with one that has to catch up by itself."""
        self._url = url
        self._source = source
        self._part = part
        self._bell = Bell()
        self._stopping = threading.Event()
        self._members = {projection.name: projection for projection in projections}
        self._at = dict[str, int]()
        self._joining = deque[AnyProjection]()
        self._pace = Pace()
        for projection in projections:
            tell_standing(projection, still=False)

    def run(self) -> None:
        """Follow until `stop`; whatever goes wrong, go on."""
        back_off_s = BACK_OFF_S_MIN
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                with (
                    closing(connect(self._url, [*self._members], self._source.channel)) as opened,
                    Lookahead(self._source) as lookahead,
                ):
                    self._level(opened)
                    self._follow(opened, lookahead)
            except (psycopg.OperationalError, PoolTimeout) as error:
                if is_full(error):
                    raise_alarm(error)
                logger.warning("projections wait for PostgreSQL", error=str(error))
            except Exception:
                logger.exception("projections stumbled")
            if time.monotonic() - began > BACK_OFF_S_MAX:
                back_off_s = BACK_OFF_S_MIN
            self._stopping.wait(back_off_s)
            back_off_s = min(back_off_s * 2, BACK_OFF_S_MAX)
        self._bell.close()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()

    def join(self, projection: AnyProjection) -> None:
        """Take in a projection that has caught up."""
        self._joining.append(projection)
        self._bell.ring()

    def _follow(self, connection: Connected, lookahead: Lookahead) -> None:
        while not self._stopping.is_set():
            if self._joining:
                self._take_in(connection)
            if not self._step(connection, lookahead):
                self._bell.wait(connection, POLL_S)

    def _step(self, connection: Connected, lookahead: Lookahead) -> bool:
        """Fold one window. Returns whether there may be more."""
        if not self._at:
            return False
        began = time.monotonic()
        after = min(self._at.values())
        behind = [self._members[name] for name, at in self._at.items() if at == after]
        others = [at for at in self._at.values() if at > after]
        upto = min(others, default=None)
        window, full = lookahead.look(behind, after, self._pace.limit, upto=upto)
        for projection in [p for p in behind if newer(window, p) is not None]:
            behind.remove(projection)
            self._leave(projection)
        if window.upto == after or not behind:
            tell_lag(behind, 0)
            return False
        if full and not others:
            lookahead.prepare(behind, window.upto, self._pace.limit)
        if not self._advance(connection, behind, after, window):
            return False
        self._pace.learn(time.monotonic() - began, full=full)
        tell_lag(behind, lookahead.behind(window) if full else 0)
        return full or bool(others)

    def _advance(
        self, connection: Connected, behind: list[AnyProjection], after: int, window: Window
    ) -> bool:
        def fold_all() -> tuple[Sequence[Share], Sequence[DeadLetter]]:
            shares = fold_singly(connection, self._source, behind, after, window)
            return shares, undecodable(window, behind)

        try:
            advance(connection, behind, after, window.upto, fold_all)
        except Overtaken:
            # Another projector leads. This one looks again after a while, in case that one ends.
            self._stopping.wait(POLL_S)
            self._level(connection)
            return False
        except Exception as error:
            if not (may_be_an_event(error) or isinstance(error, LockNotAvailable)):
                raise
            failing = [p for p in behind if not self._folds(connection, p, after, window)]
            for projection in failing:
                self._leave(projection)
            if failing:
                return True
            # Nobody fails alone: it has passed, or lies in how the statements were sent.
            advance_carefully(connection, behind, after, window.upto, fold_all)
        self._at.update((projection.name, window.upto) for projection in behind)
        return True

    def _folds(
        self, connection: Connected, projection: AnyProjection, after: int, window: Window
    ) -> bool:
        """Try whether one projection by itself can fold the window."""
        try:
            with connection.transaction(force_rollback=True):
                fold_singly(connection, self._source, [projection], after, window)
        except Exception as error:
            if not (may_be_an_event(error) or isinstance(error, LockNotAvailable)):
                raise
            logger.warning("projection leaves", projection=projection.name, error=repr(error))
            return False
        return True

    def _leave(self, projection: AnyProjection) -> None:
        del self._members[projection.name]
        del self._at[projection.name]
        self._part(projection)

    def _take_in(self, connection: Connected) -> None:
        while self._joining:
            projection = self._joining.popleft()
            self._members[projection.name] = projection
        self._level(connection)

    def _level(self, connection: Connected) -> None:
        """See where everybody stands; who is more than a window behind the first is to catch up."""
        self._at = dict(positions(connection, [*self._members]))
        first = max(self._at.values(), default=0)
        for name in [name for name, at in self._at.items() if first - at > WINDOW_MAX]:
            self._leave(self._members[name])


def _heard(connection: Connected) -> bool:
    """Use up the notifications that have come. Returns whether there were any."""
    return bool(list(connection.notifies(timeout=0)))
