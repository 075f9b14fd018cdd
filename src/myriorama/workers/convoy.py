"""Convoys and stragglers: who follows a log together, and who catches up alone.

A convoy reads and decodes each window once for all projections that stand where it stands. Who
fails, or is far behind, leaves it, so that nobody waits for anybody, and comes back once level.
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
    StandsStill,
    before_newer,
    fold,
    fold_carefully,
    fold_singly,
    look,
    may_be_an_event,
    newer,
    undecodable,
)
from myriorama.workers.advancing import (
    Connected,
    Overtaken,
    Pace,
    advance,
    connect,
    positions,
    tell_lag,
    tell_standing,
)
from projections.projection import AnyProjection, Window

logger = structlog.get_logger(__name__)

_POLL_S = 1.0
_BACK_OFF_S_MIN = 0.1
_BACK_OFF_S_MAX = 10.0

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
        back_off_s = _BACK_OFF_S_MIN
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                with closing(connect(self._url, [*self._members], self._source.channel)) as opened:
                    self._level(opened)
                    self._follow(opened)
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning("projections wait for PostgreSQL", error=str(error))
            except Exception:
                logger.exception("projections stumbled")
            if time.monotonic() - began > _BACK_OFF_S_MAX:
                back_off_s = _BACK_OFF_S_MIN
            self._stopping.wait(back_off_s)
            back_off_s = min(back_off_s * 2, _BACK_OFF_S_MAX)
        self._bell.close()

    def stop(self) -> None:
        self._stopping.set()
        self._bell.ring()

    def join(self, projection: AnyProjection) -> None:
        """Take in a projection that has caught up."""
        self._joining.append(projection)
        self._bell.ring()

    def _follow(self, connection: Connected) -> None:
        while not self._stopping.is_set():
            if self._joining:
                self._take_in(connection)
            if not self._step(connection):
                self._bell.wait(connection, _POLL_S)

    def _step(self, connection: Connected) -> bool:
        """Fold one window. Returns whether there may be more."""
        if not self._at:
            return False
        began = time.monotonic()
        after = min(self._at.values())
        behind = [self._members[name] for name, at in self._at.items() if at == after]
        others = [at for at in self._at.values() if at > after]
        upto = min(others, default=None)
        window = look(self._source, behind, after, self._pace.limit, upto=upto)
        for projection in [p for p in behind if newer(window, p) is not None]:
            behind.remove(projection)
            self._leave(projection)
        if window.upto == after or not behind:
            tell_lag(behind, 0)
            return False
        if not self._advance(connection, behind, after, window):
            return False
        full = window.upto - after >= self._pace.limit
        self._pace.learn(after, window, time.monotonic() - began)
        tell_lag(behind, self._source.head() - window.upto if full else 0)
        return full or bool(others)

    def _advance(
        self, connection: Connected, behind: list[AnyProjection], after: int, window: Window
    ) -> bool:
        def fold_all() -> tuple[Sequence[Share], Sequence[DeadLetter]]:
            shares = fold(connection, self._source, behind, after, window)
            return shares, undecodable(window, behind)

        try:
            advance(connection, behind, after, window.upto, fold_all)
        except Overtaken:
            # Another projector leads. This one looks again after a while, in case that one ends.
            self._stopping.wait(_POLL_S)
            self._level(connection)
            return False
        except Exception as error:
            if not (may_be_an_event(error) or isinstance(error, LockNotAvailable)):
                raise
            failing = [p for p in behind if not self._folds(connection, p, after, window)]
            if not failing:
                raise
            for projection in failing:
                self._leave(projection)
        else:
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


class Straggler:
    """Brings one projection level with its log, gives up events that cannot be, and waits."""

    def __init__(self, url: str, source: Source, projection: AnyProjection) -> None:
        self._url = url
        self._source = source
        self._projection = projection
        self._stopping = threading.Event()
        self._pace = Pace()

    def run(self) -> bool:
        """Go on until level with the log, or `stop`. Returns whether it is level."""
        back_off_s = _BACK_OFF_S_MIN
        while not self._stopping.is_set():
            try:
                with closing(connect(self._url, [self._projection.name])) as connection:
                    if self._catch_up(connection):
                        return True
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning(
                    "projection waits", projection=self._projection.name, error=str(error)
                )
            except StandsStill as error:
                tell_standing(self._projection, still=True)
                with suppress(psycopg.OperationalError):  # then the next look tells
                    tell_lag([self._projection], self._source.head() - error.position + 1)
                logger.error(  # noqa: TRY400 - where in the code it is found out, tells nothing
                    "projection stands still",
                    projection=error.projection,
                    position=error.position,
                    reason=error.reason,
                )
            except Exception:
                logger.exception("projection stumbled", projection=self._projection.name)
            self._stopping.wait(back_off_s)
            back_off_s = min(back_off_s * 2, _BACK_OFF_S_MAX)
        return False

    def stop(self) -> None:
        self._stopping.set()

    def _catch_up(self, connection: Connected) -> bool:
        while not self._stopping.is_set():
            try:
                if self._step(connection):
                    return True
            except Overtaken:
                self._stopping.wait(_POLL_S)
        return False

    def _step(self, connection: Connected) -> bool:
        """Fold one window. Returns whether that was all."""
        mine, began = [self._projection], time.monotonic()
        after = positions(connection, [self._projection.name])[self._projection.name]
        seen = look(self._source, mine, after, self._pace.limit)
        window = before_newer(seen, mine, after)
        if window.upto > after:
            self._advance(connection, after, window)
        level = window is seen and window.upto - after < self._pace.limit
        self._pace.learn(after, window, time.monotonic() - began)
        tell_standing(self._projection, still=False)
        tell_lag(mine, 0 if level else self._source.head() - window.upto)
        return level

    def _advance(self, connection: Connected, after: int, window: Window) -> None:
        mine, source = [self._projection], self._source

        def fold_all() -> tuple[Sequence[Share], Sequence[DeadLetter]]:
            return fold(connection, source, mine, after, window), undecodable(window, mine)

        def fold_what_can_be() -> tuple[Sequence[Share], Sequence[DeadLetter]]:
            began = time.monotonic()
            letters = fold_carefully(connection, source, self._projection, after, window)
            took = Share(self._projection, len(window.events), time.monotonic() - began)
            return [took], letters + undecodable(window, mine)

        try:
            advance(connection, mine, after, window.upto, fold_all)
        except Overtaken:
            raise
        except Exception as error:
            if not may_be_an_event(error):
                raise
            advance(connection, mine, after, window.upto, fold_what_can_be)


def _heard(connection: Connected) -> bool:
    """Use up the notifications that have come. Returns whether there were any."""
    return bool(list(connection.notifies(timeout=0)))
