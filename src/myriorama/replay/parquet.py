"""A log as Parquet files, that polars, DuckDB and Spark read alike."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
import polars as pl

from myriorama.replay.streams import LogName, Row
from myriorama.store.view_exports import SCHEMAS as VIEW_SCHEMAS

_ROWS_PER_FILE = 250_000

_TIME = pl.Datetime("us", "UTC")
_SCHEMAS: Mapping[LogName, Mapping[str, Any]] = {
    "domain": {
        "position": pl.Int64,
        "recorded_at": _TIME,
        "topic": pl.String,
        "aggregate_id": pl.String,
        "version": pl.Int64,
        "actor_id": pl.String,
        "request_id": pl.String,
        "occurred_at": pl.String,
        "data": pl.String,
    },
    "views": VIEW_SCHEMAS["viewings"],
    "slates": VIEW_SCHEMAS["slates"],
}


def write(rows: Iterable[Row], folder: Path, log: LogName) -> Iterator[Path]:
    """Write the rows as `<folder>/<log>/<first position>-<last position>.parquet`.

    Yields each file once it is whole. IDs are text, `data` is JSON text, times are UTC with
    microseconds.
    """
    target = folder / log
    target.mkdir(parents=True, exist_ok=True)
    remaining = iter(rows)
    while part := list(islice(remaining, _ROWS_PER_FILE)):
        table = pl.DataFrame(
            [{name: _plain(value) for name, value in row.items()} for row in part],
            schema=_SCHEMAS[log],
        )
        partial = target / ".partial.parquet"
        table.write_parquet(partial, compression="zstd")
        first, last = part[0]["position"], part[-1]["position"]
        yield partial.rename(target / f"{first:012d}-{last:012d}.parquet")


def _plain(value: object) -> object:
    match value:
        case UUID():
            return str(value)
        case list():
            return [_plain(item) for item in cast("list[object]", value)]
        case dict():
            return msgspec.json.encode(value).decode()
        case _:
            return value
