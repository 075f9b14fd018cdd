"""The notifier: tells advertisers what happens, signed as Standard Webhooks says, until answered.

One process at a time. It keeps nothing, so it may be killed at any moment: what was sent and not
noted is sent again, under the same `webhook-id`.
"""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import httpcore
import structlog
from prometheus_client import Counter, Gauge
from psycopg import Connection
from psycopg.rows import TupleRow
from standardwebhooks import Webhook

from myriorama.application.ad_webhooks import AdWebhooks, WebhookSecrets
from myriorama.workers.notices import Notices
from myriorama.workers.outside import Outside

logger = structlog.get_logger(__name__)

PAUSES_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After each attempt that failed; after the one behind the last, a notice is given up."""

SECRET_OVERLAP = timedelta(days=1)
"""For so long a secret that was rotated signs beside the new one."""

_JITTER = 0.2
_AT_ONCE = 64
_POLL_S = 0.5
_BOOKS_EVERY_S, _LOOK_EVERY_S = 30.0, 5.0
_OK, _REDIRECT, _GONE = 200, 300, 410

_UNREACHABLE = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    ValueError,  # of a URL that has no name to look up
)

_DELIVERIES = Counter(
    "myriorama_ad_webhook_deliveries", "Attempts to tell advertisers something", ["outcome"]
)
_WAITING = Gauge("myriorama_ad_webhook_waiting", "Notices that webhooks are to be told now")
_LAG = Gauge("myriorama_ad_webhook_lag_seconds", "How long the oldest of them is due")
_UNDER_WAY = Gauge("myriorama_ad_webhook_under_way", "Webhooks whose answer is awaited")

# The oldest of each webhook that is not being told anything: however much one is to be told, and
# however slowly it answers, the others have their turn.
_DUE = """
    SELECT w.webhook_id, d.notice_id, d.attempts, d.made_at, n.body, w.url, w.secret_number,
           w.rotated_at
    FROM ad_webhooks w CROSS JOIN LATERAL (
        SELECT * FROM ad_deliveries
        WHERE webhook_id = w.webhook_id AND state = 'due' AND due_at <= clock_timestamp()
        ORDER BY due_at LIMIT 1
    ) d JOIN ad_notices n USING (notice_id)
    WHERE w.is_open AND w.webhook_id <> ALL(%s)
    ORDER BY d.due_at LIMIT %s
"""

_WAIT = """
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(d.due_at)), 0)::float
    FROM ad_deliveries d JOIN ad_webhooks w USING (webhook_id)
    WHERE d.state = 'due' AND d.due_at <= clock_timestamp() AND w.is_open
"""

_NOTE = """
    UPDATE ad_deliveries SET state = %s, attempts = attempts + 1, last_status = %s,
           last_error = %s, changed_at = clock_timestamp(),
           due_at = clock_timestamp() + make_interval(secs => %s)
    WHERE webhook_id = %s AND notice_id = %s
"""

_ANSWERED_SINCE = """
    SELECT EXISTS (SELECT FROM ad_deliveries
                   WHERE webhook_id = %s AND state = 'delivered' AND changed_at > %s)
"""


class Due(NamedTuple):
    """A notice that is to be delivered to a webhook now."""

    webhook_id: UUID
    notice_id: UUID
    attempts: int
    made_at: datetime
    body: str
    url: str
    secret_number: int
    rotated_at: datetime


class Attempted(NamedTuple):
    """What came of an attempt: a status, or why there is none."""

    status: int | None
    error: str | None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and _OK <= self.status < _REDIRECT

    @property
    def outcome(self) -> str:
        """What is counted."""
        if self.status is None:
            return "unreachable"
        return "delivered" if self.is_delivered else "refused"


class Notifier:
    """Tells what is new, and delivers what is due."""

    def __init__(
        self, notices: Notices, webhooks: AdWebhooks, secrets: WebhookSecrets, outside: Outside
    ) -> None:
        self._notices = notices
        self._webhooks = webhooks
        self._secrets = secrets
        self._outside = outside
        self._books_due_s = self._look_due_s = 0.0
        self._under_way: dict[Future[Attempted], Due] = {}

    def work(self, connection: Connection[TupleRow], stopping: threading.Event) -> None:
        """Work until the event is set, over a connection that commits by itself."""
        self._under_way.clear()  # of a connection that was lost: it is told again
        with ThreadPoolExecutor(_AT_ONCE, "notifier") as threads:
            while not stopping.is_set():
                if self.step(connection, threads):
                    continue
                if self._under_way:
                    self.rest()
                else:
                    stopping.wait(_POLL_S)
        self._note_answers(connection)

    def step(self, connection: Connection[TupleRow], threads: ThreadPoolExecutor) -> bool:
        """Note what was answered, and begin what is due; return whether there may be more to read.

        Nobody is waited for: whoever is told something has one notice at a time.
        """
        more = self._notices.read_log(connection)
        now_s = time.monotonic()
        if now_s >= self._books_due_s:
            self._books_due_s = now_s + _BOOKS_EVERY_S
            self._notices.read_books(connection)
        self._note_answers(connection)
        busy = [due.webhook_id for due in self._under_way.values()]
        for row in connection.execute(_DUE, (busy, _AT_ONCE - len(busy))):
            due = Due(*row)
            self._under_way[threads.submit(self._attempt, due)] = due
        _UNDER_WAY.set(len(self._under_way))
        if now_s >= self._look_due_s:
            self._look_due_s = now_s + _LOOK_EVERY_S
            waiting, lag_s = connection.execute(_WAIT).fetchone() or (0, 0.0)
            _WAITING.set(waiting)
            _LAG.set(lag_s)
        return more

    def rest(self) -> bool:
        """Return once somebody has answered, or in a moment: whether anybody is told something."""
        wait(self._under_way, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        return bool(self._under_way)

    def _note_answers(self, connection: Connection[TupleRow]) -> None:
        for answered in [each for each in self._under_way if each.done()]:
            attempted = answered.result()
            self._note(connection, self._under_way[answered], attempted)
            del self._under_way[answered]
            _DELIVERIES.labels(attempted.outcome).inc()

    def _attempt(self, due: Due) -> Attempted:
        at = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Myriorama-Webhooks/1",
            "webhook-id": str(due.notice_id),
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(self._signatures(due, at)),
        }
        try:
            answer = self._outside.post(due.url, due.body.encode(), headers)
        except _UNREACHABLE as error:
            return Attempted(None, f"{type(error).__name__}: {error}"[:200])
        return Attempted(answer.status, None)

    def _signatures(self, due: Due, at: datetime) -> Sequence[str]:
        numbers = [due.secret_number]
        if due.secret_number > 1 and at - due.rotated_at < SECRET_OVERLAP:
            numbers.append(due.secret_number - 1)
        return [
            Webhook(self._secrets.secret(due.webhook_id, number)).sign(
                str(due.notice_id), at, due.body
            )
            for number in numbers
        ]

    def _note(self, connection: Connection[TupleRow], due: Due, attempted: Attempted) -> None:
        is_over = due.attempts >= len(PAUSES_S) or attempted.status == _GONE
        state = "delivered" if attempted.is_delivered else "given_up" if is_over else "due"
        pause_s = 0.0
        if state == "due":
            spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - so that not all come at once
            pause_s = PAUSES_S[due.attempts] * spread
        told = (attempted.status, attempted.error, pause_s, due.webhook_id, due.notice_id)
        connection.execute(_NOTE, (state, *told))
        if state == "given_up":
            self._give_up(connection, due, is_gone=attempted.status == _GONE)

    def _give_up(self, connection: Connection[TupleRow], due: Due, *, is_gone: bool) -> None:
        """Disable where nobody answered for days, or where it was said that nobody will."""
        since = (due.webhook_id, due.made_at)
        (answered,) = connection.execute(_ANSWERED_SINCE, since).fetchone() or (False,)
        if is_gone or not answered:
            logger.warning("a webhook is disabled", webhook=str(due.webhook_id))
            at = datetime.now(UTC)
            self._webhooks.disable(due.webhook_id, failing_since=due.made_at, at=at)
