"""The public streams: each log as records for Kafka, as the relay reads it, and it alone.

docs/streams.md tells consumers of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.store.postgres import AdvisoryLock
from myriorama.store.transactions import Place, Record

POSITION_HEADER = "log:pos"
"""Names the log and the position of a record's last row, as in `domain:42`."""
WITHHELD_HEADER = "withheld"
"""Why a record has no data: `too large` or `undecodable`."""


@dataclass(frozen=True)
class Stretch:
    """The records behind one position of a log up to another.

    Only those are in it that their partition does not have yet. `head` is where the log ended.
    """

    records: Sequence[Record]
    rows: int
    upto: int
    head: int


class PublicStream(Protocol):
    """One log, as it is relayed."""

    log: str
    channel: str
    lock: AdvisoryLock
    topics: Mapping[str, int]
    """The topics it goes to, and with how many partitions they are made."""

    def read(
        self,
        connection: Connection[TupleRow],
        after: int,
        partitions: Mapping[str, int],
        relayed: Mapping[Place, int],
    ) -> Stretch:
        """Return what is behind a position, less what each place has up to its own position.

        Raises:
            SchemaFromFuture: the next event is one that a newer release is to relay.
        """
        ...
