"""Events in PostgreSQL's binary format: the fields of COPY, which are the elements of arrays too.

They are packed by whoever records, so that who holds the lock of the log only joins them.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct, error
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg import Connection, DataError
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.rows import TupleRow

from myriorama.store.causation import Cause

Row = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]
"""ID, version, topic, state, actor, request, trace: each its length, then its bytes."""

COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"

_NULL = b"\xff\xff\xff\xff"
_FIELDS = b"\0\x08"
_length = Struct("!i").pack
_uuid = Struct("!i16s").pack
_bigint = Struct("!iq").pack
_array = Struct("!iiIii").pack


class _Array:
    """An array that is packed already."""

    element_oid: int

    def __init__(self, fields: Sequence[bytes]) -> None:
        head = _array(1, 1, self.element_oid, len(fields), 1)
        self.packed = b"".join((head, *fields))


class UUIDArray(_Array):
    """uuid[], of packed elements."""

    element_oid = 2950


class BigintArray(_Array):
    """bigint[], of packed elements."""

    element_oid = 20


class TextArray(_Array):
    """text[], of packed elements."""

    element_oid = 25


class ByteaArray(_Array):
    """bytea[], of packed elements."""

    element_oid = 17


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: _Array) -> bytes:
        return obj.packed


class _UUIDArrayDumper(_ArrayDumper):
    oid = 2951


class _BigintArrayDumper(_ArrayDumper):
    oid = 1016


class _TextArrayDumper(_ArrayDumper):
    oid = 1009


class _ByteaArrayDumper(_ArrayDumper):
    oid = 1001


def register_arrays(connection: Connection[TupleRow]) -> None:
    """Let the connection take packed arrays as parameters."""
    connection.adapters.register_dumper(UUIDArray, _UUIDArrayDumper)
    connection.adapters.register_dumper(BigintArray, _BigintArrayDumper)
    connection.adapters.register_dumper(TextArray, _TextArrayDumper)
    connection.adapters.register_dumper(ByteaArray, _ByteaArrayDumper)


def pack_events(events: Iterable[StoredEvent], cause: Cause) -> list[Row]:
    """Pack events and what caused them.

    Raises:
        psycopg.DataError: something in them is not of its column's type.
    """
    try:
        of_all = (
            _NULL if cause.actor_id is None else pack_uuid(cause.actor_id),
            _text(cause.request_id),
            _text(cause.traceparent),
        )
        return [
            (
                pack_uuid(event.originator_id),
                _bigint(8, event.originator_version),
                _text(event.topic),
                _length(len(event.state)) + event.state,
                *of_all,
            )
            for event in events
        ]
    except (error, ValueError, TypeError, AttributeError) as wrong:
        raise DataError(f"no event of the log: {wrong}") from wrong


def pack_uuid(value: UUID | str) -> bytes:
    """Pack an ID.

    Raises:
        psycopg.DataError: it is none.
    """
    try:
        return _uuid(16, (value if isinstance(value, UUID) else UUID(value)).bytes)
    except (ValueError, TypeError, AttributeError) as wrong:
        raise DataError(f"no ID: {value!r}") from wrong


def pack_bigint(value: int) -> bytes:
    """Pack a number.

    Raises:
        psycopg.DataError: it is none of 64 bits.
    """
    try:
        return _bigint(8, value)
    except error as wrong:
        raise DataError(f"no bigint: {value!r}") from wrong


def arrays(rows: Sequence[Row]) -> tuple[_Array, ...]:
    """Return the columns of the rows."""
    ids, versions, topics, states, actors, requests, traces = zip(*rows, strict=True)
    return (
        UUIDArray(ids),
        BigintArray(versions),
        TextArray(topics),
        ByteaArray(states),
        UUIDArray(actors),
        TextArray(requests),
        TextArray(traces),
    )


def copy_rows(rows: Sequence[Row], head: int) -> bytes:
    """Return what COPY takes for the rows, which come behind position `head`."""
    positions = (_FIELDS + _bigint(8, p) for p in range(head + 1, head + 1 + len(rows)))
    fields = chain.from_iterable((p, *row) for p, row in zip(positions, rows, strict=True))
    return b"".join((COPY_HEAD, *fields, COPY_END))


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    encoded = value.encode()
    return _length(len(encoded)) + encoded
