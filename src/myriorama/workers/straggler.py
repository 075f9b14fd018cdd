"""Stragglers: a projection that is behind, or has failed, catches up with its log by itself."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from myriorama.replay.folding import (
    DeadLetter,
    Share,
    Source,
    StandsStill,
    before_newer,
    fold_carefully,
    fold_singly,
    may_be_an_event,
    undecodable,
)
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
        back_off_s = BACK_OFF_S_MIN
        while not self._stopping.is_set():
            try:
                with (
                    closing(connect(self._url, [self._projection.name])) as connection,
                    Lookahead(self._source) as lookahead,
                ):
                    if self._catch_up(connection, lookahead):
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
            back_off_s = min(back_off_s * 2, BACK_OFF_S_MAX)
        return False

    def stop(self) -> None:
        self._stopping.set()

    def _catch_up(self, connection: Connected, lookahead: Lookahead) -> bool:
        while not self._stopping.is_set():
            after = positions(connection, [self._projection.name])[self._projection.name]
            try:
                while not self._stopping.is_set():
                    after, level = self._step(connection, lookahead, after)
                    if level:
                        return True
            except Overtaken:
                self._stopping.wait(POLL_S)
        return False

    def _step(self, connection: Connected, lookahead: Lookahead, after: int) -> tuple[int, bool]:
        """Fold one window. Returns where it ended, and whether that was all."""
        mine, began = [self._projection], time.monotonic()
        seen, full = lookahead.look(mine, after, self._pace.limit)
        window = before_newer(seen, mine, after)
        whole = window is seen
        if full and whole:
            lookahead.prepare(mine, window.upto, self._pace.limit)
        if window.upto > after:
            self._advance(connection, after, window)
        self._pace.learn(time.monotonic() - began, full=full)
        tell_standing(self._projection, still=False)
        level = whole and not full
        tell_lag(mine, 0 if level else lookahead.behind(window))
        return window.upto, level

    def _advance(self, connection: Connected, after: int, window: Window) -> None:
        mine, source = [self._projection], self._source

        def fold_all() -> tuple[Sequence[Share], Sequence[DeadLetter]]:
            shares = fold_singly(connection, source, mine, after, window)
            return shares, undecodable(window, mine)

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
            advance_carefully(connection, mine, after, window.upto, fold_what_can_be)
