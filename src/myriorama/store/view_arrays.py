"""Rows of the view log as arrays in PostgreSQL's binary format, one a column.

Whole columns are packed at once: an element at a time costs more than PostgreSQL takes to store it.
"""

from collections.abc import Callable, Sequence
from struct import Struct, error
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, DataError
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.rows import TupleRow

Column = NDArray[Any]

_BATCH = Struct("!16s16sq")
_VIEWING = Struct("!16s16sii")

_BATCHES = np.dtype([("viewer", "V16"), ("session", "V16"), ("sequence", ">i8")])
_VIEWINGS = np.dtype(
    [("video", "V16"), ("decision", "V16"), ("watched_ms", ">i4"), ("loops", ">i4")]
)

_array_head = Struct("!iiIii").pack
_NULL = (-1).to_bytes(4, signed=True)


class _Array:
    """An array of PostgreSQL, packed."""

    element_oid: int
    shape: np.dtype[Any]

    def __init__(self, elements: Column) -> None:
        packed = np.empty(len(elements), self.shape)
        packed["length"] = self.shape["element"].itemsize
        packed["element"] = elements
        self.packed = _array_head(1, 0, self.element_oid, len(elements), 1) + packed.tobytes()


class UUIDs(_Array):
    """uuid[], of the 16 bytes of each."""

    element_oid = 2950
    shape = np.dtype([("length", ">i4"), ("element", "V16")])

    @classmethod
    def of(cls, ids: Sequence[bytes]) -> "UUIDs":
        return cls(np.frombuffer(b"".join(ids), "V16"))


class Bigints(_Array):
    """bigint[]."""

    element_oid = 20
    shape = np.dtype([("length", ">i4"), ("element", ">i8")])


class Integers(_Array):
    """integer[]."""

    element_oid = 23
    shape = np.dtype([("length", ">i4"), ("element", ">i4")])


class _Sparse:
    """An array of PostgreSQL in which elements may be null, packed. Few of them differ."""

    element_oid: int
    pack: Callable[[Any], bytes]

    def __init__(self, elements: Sequence[Any]) -> None:
        cells = {element: self._cell(element) for element in set(elements)}
        head = _array_head(1, None in cells, self.element_oid, len(elements), 1)
        self.packed = head + b"".join(map(cells.__getitem__, elements))

    def _cell(self, element: Any) -> bytes:
        if element is None:
            return _NULL
        packed = self.pack(element)
        return len(packed).to_bytes(4) + packed


class Texts(_Sparse):
    """text[] of str and None."""

    element_oid = 25
    pack = staticmethod(str.encode)


class SparseBigints(_Sparse):
    """bigint[] of int and None."""

    element_oid = 20
    pack = staticmethod(Struct("!q").pack)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: _Array | _Sparse) -> bytes:
        return obj.packed


class _UUIDsDumper(_ArrayDumper):
    oid = 2951


class _BigintsDumper(_ArrayDumper):
    oid = 1016


class _IntegersDumper(_ArrayDumper):
    oid = 1007


class _TextsDumper(_ArrayDumper):
    oid = 1009


def register(connection: Connection[TupleRow]) -> None:
    """Let the connection take these arrays as parameters."""
    connection.adapters.register_dumper(UUIDs, _UUIDsDumper)
    connection.adapters.register_dumper(Bigints, _BigintsDumper)
    connection.adapters.register_dumper(Integers, _IntegersDumper)
    connection.adapters.register_dumper(SparseBigints, _BigintsDumper)
    connection.adapters.register_dumper(Texts, _TextsDumper)


def pack_batch(viewer_id: UUID, session_id: UUID, sequence: int) -> bytes:
    """Pack the name of a batch.

    Raises:
        psycopg.DataError: it is none that can be stored.
    """
    try:
        return _BATCH.pack(viewer_id.bytes, session_id.bytes, sequence)
    except (error, AttributeError) as wrong:
        raise DataError(f"no batch of viewings: {wrong}") from wrong


def pack_viewings(viewings: Sequence[Any]) -> bytes:
    """Pack the viewings of a batch.

    Raises:
        psycopg.DataError: one of them cannot be stored.
    """
    pack = _VIEWING.pack
    try:
        if any(v.watched_ms < 0 or v.loops < 0 for v in viewings):
            raise DataError("nothing is watched for less than no time, or less than never again")
        rows = [
            pack(v.video_id.bytes, v.decision_id.bytes, v.watched_ms, v.loops) for v in viewings
        ]
    except (error, AttributeError, TypeError) as wrong:
        raise DataError(f"no viewing: {wrong}") from wrong
    return b"".join(rows)


def batch_columns(batches: Sequence[bytes]) -> tuple[Column, Column, Column]:
    """Return the viewers, sessions and sequences of packed batches."""
    rows = np.frombuffer(b"".join(batches), _BATCHES)
    return rows["viewer"], rows["session"], rows["sequence"]


def viewing_columns(viewings: Sequence[bytes]) -> tuple[Column, Column, Column, Column]:
    """Return the videos, decisions, durations and loops of packed viewings."""
    rows = np.frombuffer(b"".join(viewings), _VIEWINGS)
    return rows["video"], rows["decision"], rows["watched_ms"], rows["loops"]
