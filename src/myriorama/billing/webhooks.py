"""The inbox: what Stripe reported, kept before it is answered, and worked off after.

A delivery is verified over its raw bytes, kept once under the event's ID, and answered; so a crash
loses nothing and a replay adds nothing. Whoever works it off asks Stripe for the thing itself: the
order of reports does not matter, nor what they say. One that never came is found by asking what
there was.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from domain.errors import DomainError
from domain.top_up.payments import RailRefused
from myriorama.billing.stripe_rail import Notice, verified
from myriorama.store.postgres import Pool

logger = structlog.get_logger(__name__)

KEEP = """
    INSERT INTO stripe_inbox (event_id, type, object_id, body) VALUES (%s, %s, %s, %s)
    ON CONFLICT (event_id) DO NOTHING
"""

# Locked as long as it is worked on: no two work on one, and who dies lets go of it.
DUE = """
    SELECT event_id, type, object_id, attempts FROM stripe_inbox
    WHERE processed_at IS NULL AND due_at <= %s
    ORDER BY due_at, event_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""

DONE = "UPDATE stripe_inbox SET processed_at = %s, last_error = %s WHERE event_id = %s"

PUT_OFF = """
    UPDATE stripe_inbox SET attempts = attempts + 1, due_at = %s, last_error = %s
    WHERE event_id = %s
"""

_PAUSE_S_MAX = 600
_DELIVERED = Counter("myriorama_stripe_events", "Reports of Stripe, by what became of them", ["as"])

MONEY_TYPES: Final = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.canceled",
    "checkout.session.completed",
    "checkout.session.expired",
)
"""What we ask to be told of. Only payments move money; a page tells that it is worth looking."""

Learn = Callable[[str, datetime], None]
"""Takes in the thing of this ID as Stripe has it now."""


class Inbox:
    """What comes in at the door. Answers once it is kept."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]], secret: str) -> None:
        self._pool = pool
        self._secret = secret

    async def receive(self, body: bytes, signature: str) -> None:
        """Keep a delivery. The same again changes nothing.

        Raises:
            WebhookForged: these bytes were not signed by Stripe, or too long ago.
        """
        notice = verified(body, signature, self._secret)
        async with self._pool.connection() as connection:
            kept = await connection.execute(KEEP, _row(notice))
        _DELIVERED.labels("received" if kept.rowcount else "repeated").inc()


class Reports:
    """What is worked off. `learn` says, by the beginning of a type, who takes in its things."""

    def __init__(self, pool: Pool, learn: Mapping[str, Learn]) -> None:
        self._pool = pool
        self._learn = learn

    def take_in(self, notices: Sequence[Notice]) -> int:
        """Keep what was found by asking, and was not delivered; return how many that were."""
        with self._pool.connection() as connection:
            return sum(connection.execute(KEEP, _row(notice)).rowcount for notice in notices)

    def work_off(self, at: datetime) -> int:
        """Take in all that is due; return how many were done."""
        done = 0
        while (worked := self._next(at)) is not None:
            done += worked
        return done

    def _next(self, at: datetime) -> bool | None:
        """Take in one report; return whether it is done, or None if none is due."""
        with self._pool.connection() as connection, connection.transaction():
            row = connection.execute(DUE, (at,)).fetchone()
            if row is None:
                return None
            event_id, kind, object_id, attempts = row
            try:
                self._take_in(kind, object_id, at)
            except (DomainError, RailRefused) as error:
                # It is of nothing that we know, and will not be by being read again.
                logger.warning("a report of Stripe is of nothing", of=event_id, error=str(error))
                connection.execute(DONE, (at, str(error), event_id))
                return True
            except Exception as error:  # whatever it is, the others do not wait
                logger.warning("a report of Stripe waits", of=event_id, exc_info=error)
                pause = timedelta(seconds=min(_PAUSE_S_MAX, 2**attempts))
                connection.execute(PUT_OFF, (at + pause, str(error) or repr(error), event_id))
                return False
            connection.execute(DONE, (at, None, event_id))
            return True

    def _take_in(self, kind: str, object_id: str, at: datetime) -> None:
        for beginning, learn in self._learn.items():
            if kind.startswith(beginning):
                learn(object_id, at)


def _row(notice: Notice) -> tuple[str, str, str, bytes]:
    return notice.event_id, notice.type, notice.object_id, notice.body
