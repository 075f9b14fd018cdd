"""What was settled and is to be recorded in the log: written with the money, recorded behind it.

The version of an event is given when it is settled: the log itself refuses it a second time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.catalogue import Event
from domain.spend.events import spend_stream
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder

_AT_ONCE = 1000

_VERSIONS = """
    INSERT INTO spend_streams AS s (line_id, version)
    SELECT * FROM unnest(%s::uuid[], %s::bigint[])
    ON CONFLICT (line_id) DO UPDATE SET version = s.version + excluded.version
    RETURNING line_id, version
"""

_PUT = """
    INSERT INTO spend_outbox (stream_id, version, line_id, topic, state)
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[], %s::text[], %s::bytea[])
"""

_UNRECORDED = """
    SELECT stream_id, version, topic, state, EXISTS (
        SELECT FROM events WHERE (originator_id, originator_version) = (stream_id, version)
    )
    FROM spend_outbox WHERE NOT is_recorded ORDER BY stream_id, version LIMIT %s
"""

_RECORDED = """
    UPDATE spend_outbox SET is_recorded = true
    FROM unnest(%s::uuid[], %s::bigint[]) AS done (stream_id, version)
    WHERE (spend_outbox.stream_id, spend_outbox.version) = (done.stream_id, done.version)
"""

Telling = Callable[[UUID, int], Event]
"""Makes an event of its stream and version."""

_MAPPER = JSONMapper()


def tell(connection: Connection[TupleRow], told: Sequence[tuple[UUID, Telling]]) -> None:
    """Write the next events of lines, in the transaction that the connection is in.

    It holds the locks of the lines' advertisers.
    """
    if not told:
        return
    counts = Counter(line_id for line_id, _ in told)
    rows = connection.execute(_VERSIONS, ([*counts], [*counts.values()])).fetchall()
    nexts = {line_id: version - counts[line_id] + 1 for line_id, version in rows}
    stored, lines = list[StoredEvent](), list[UUID]()
    for line_id, make in told:
        event = make(spend_stream(line_id), nexts[line_id])
        nexts[line_id] += 1
        stored.append(_MAPPER.to_stored_event(event))
        lines.append(line_id)
    connection.execute(
        _PUT,
        (
            [each.originator_id for each in stored],
            [each.originator_version for each in stored],
            lines,
            [each.topic for each in stored],
            [each.state for each in stored],
        ),
    )


class Outbox:
    """Records what was settled. Two at once, or one that died, record nothing twice."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._recorder = DomainRecorder(pool)

    def publish(self) -> int:
        """Record what is not in the log yet, in the order of each stream; return how much.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there. Publish again.
        """
        with self._pool.connection() as connection:
            rows = connection.execute(_UNRECORDED, (_AT_ONCE,)).fetchall()
        if not rows:
            return 0
        missing = [StoredEvent(*row[:4]) for row in _reordered(rows) if not row[4]]
        try:
            self._recorder.insert_events(missing)
        except IntegrityError:
            return 0  # another one is recording the same: look again
        self.mark([(row[0], row[1]) for row in rows])
        return len(missing)

    def mark(self, recorded: Iterable[tuple[UUID, int]]) -> None:
        """Forget what the log has."""
        streams, versions = zip(*recorded, strict=True)
        with self._pool.connection() as connection:
            connection.execute(_RECORDED, ([*streams], [*versions]))

    def close(self) -> None:
        """Record nothing more."""
        self._recorder.close()


def _reordered(rows: Sequence[TupleRow]) -> Iterable[tuple[UUID, int, str, bytes, bool]]:
    """Yield rows as the recorder takes them: topic and state behind stream and version."""
    for stream_id, version, topic, state, is_there in rows:
        yield stream_id, version, topic, bytes(state), is_there
