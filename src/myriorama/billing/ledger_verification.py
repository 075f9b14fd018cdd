"""Whether the books hold: sums, sources and wallets, and that they are what the log says.

Read in one snapshot, so that it runs beside a house that serves.
"""

from collections.abc import Iterator
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.billing.spending import drift_micros


class LedgerBroken(Exception):
    """The books do not hold; the message says what does not, and where it shows first."""


class Balanced(NamedTuple):
    """This was looked at, and holds; of so many."""

    what: str
    number: int

    def __str__(self) -> str:
        return f"{self.number} {self.what}, balanced"


class _Identity(NamedTuple):
    """What must find nothing, what it is of, and the words for what it finds."""

    what: str
    counted: LiteralString
    violations: LiteralString
    broken: LiteralString


_IDENTITIES = (
    _Identity(
        "transactions whose legs sum to zero",
        "SELECT count(*) FROM ledger_transactions",
        """
        SELECT source_key, currency, sum(amount_micros)::text FROM ledger_entries
        GROUP BY source_key, currency HAVING sum(amount_micros) <> 0 ORDER BY 1 LIMIT 1
        """,
        "the legs of {} in {} sum to {}",
    ),
    _Identity(
        "entries of one transaction each",
        "SELECT count(*) FROM ledger_entries",
        """
        SELECT coalesce(t.source_key, e.source_key), count(e.leg)::text
        FROM ledger_transactions t FULL JOIN ledger_entries e
          ON e.source_key = t.source_key AND e.position = t.position
        GROUP BY 1, t.source_key HAVING t.source_key IS NULL OR count(e.leg) < 2 ORDER BY 1 LIMIT 1
        """,
        "{} has {} legs of its own",
    ),
    _Identity(
        "wallets that are what was booked to them",
        "SELECT count(*) FROM wallets",
        """
        SELECT w.advertiser_id::text, w.balance_micros::text, coalesce(e.micros, 0)::text
        FROM wallets w
        FULL JOIN (
            SELECT advertiser_id, -sum(amount_micros) AS micros FROM ledger_entries
            WHERE account IN ('wallet', 'sandbox_wallet') GROUP BY advertiser_id
        ) AS e USING (advertiser_id)
        WHERE w.balance_micros IS DISTINCT FROM coalesce(e.micros, 0) ORDER BY 1 LIMIT 1
        """,
        "the wallet of {} has {}, and {} was booked to it",
    ),
    _Identity(
        "wallets of money, or of a sandbox's, and never of both",
        "SELECT count(*) FROM wallets",
        """
        SELECT t.source_key, e.account FROM ledger_transactions t
        JOIN ledger_entries e USING (source_key) JOIN wallets w ON w.advertiser_id = t.advertiser_id
        WHERE w.sandbox <> starts_with(e.account, 'sandbox_') ORDER BY 1, e.leg LIMIT 1
        """,
        "{} is booked to {}, which is not for such money",
    ),
    _Identity(
        "payments that were booked once each",
        "SELECT count(*) FROM top_ups WHERE state = 'succeeded'",
        """
        SELECT u.top_up_id::text, u.payment_id FROM top_ups u
        LEFT JOIN ledger_transactions t ON t.source_key = 'payment:' || u.payment_id
        WHERE u.state = 'succeeded' AND t.source_key IS NULL
          AND u.position <= (SELECT position FROM projection_positions WHERE name = 'ledger')
        ORDER BY 1 LIMIT 1
        """,
        "top-up {} has succeeded by {}, which was not booked",
    ),
    _Identity(
        "advertisers who were charged what was booked, so far as it was",
        "SELECT count(*) FROM wallets",
        """
        SELECT w.advertiser_id::text, w.spent_micros::text, coalesce(c.micros, 0)::text
        FROM wallets w
        LEFT JOIN (
            SELECT l.advertiser_id, sum(c.micros) AS micros
            FROM charges c JOIN leases l USING (lease_id) GROUP BY l.advertiser_id
        ) AS c USING (advertiser_id)
        WHERE w.spent_micros > coalesce(c.micros, 0) ORDER BY 1 LIMIT 1
        """,
        "{} was booked to have spent {}, and charged {}",
    ),
    _Identity(
        "lines whose charges were told to the log",
        "SELECT count(*) FROM spend_streams",
        """
        SELECT line_id::text, coalesce(c.micros, 0)::text, coalesce(t.micros, 0)::text
        FROM (SELECT line_id, sum(micros) AS micros FROM charges GROUP BY line_id) AS c
        FULL JOIN (
            SELECT line_id, sum((convert_from(state, 'UTF8')::json->>'micros')::bigint) AS micros
            FROM spend_outbox WHERE topic = 'spend.settled' GROUP BY line_id
        ) AS t USING (line_id)
        WHERE coalesce(c.micros, 0) <> coalesce(t.micros, 0) ORDER BY 1 LIMIT 1
        """,
        "line {} was charged {}, and {} was told",
    ),
    _Identity(
        "events of spending that were booked once each",
        "SELECT count(*) FROM spend_outbox WHERE is_recorded",
        """
        SELECT o.source_key, o.micros::text FROM (
            SELECT stream_id, version, 'event:' || stream_id || ':' || version AS source_key,
                   (convert_from(state, 'UTF8')::json->>'micros')::bigint AS micros
            FROM spend_outbox
        ) AS o
        JOIN events e ON (e.originator_id, e.originator_version) = (o.stream_id, o.version)
        LEFT JOIN ledger_transactions t USING (source_key)
        WHERE o.micros > 0 AND t.source_key IS NULL
          AND e.position <= (SELECT position FROM projection_positions WHERE name = 'ledger')
        ORDER BY 1 LIMIT 1
        """,
        "{} of {} micros was not booked",
    ),
)


def verify_books(url: str) -> Iterator[Balanced]:
    """Look at everything in the books, and yield what holds.

    Raises:
        LedgerBroken: the first that does not.
    """
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        for identity in _IDENTITIES:
            yield _checked(connection, identity)
        if drift := drift_micros(connection):
            raise LedgerBroken(f"budgets, leases and charges disagree by {drift} micros")


def _checked(connection: Connection[TupleRow], identity: _Identity) -> Balanced:
    if found := connection.execute(identity.violations).fetchone():
        raise LedgerBroken(identity.broken.format(*found))
    row = connection.execute(identity.counted).fetchone()
    return Balanced(identity.what, row[0] if row else 0)
